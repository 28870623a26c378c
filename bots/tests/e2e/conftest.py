from __future__ import annotations

import pytest

from bots.throttle import Throttle
from geo.models import City
from geo.tests.factories import CityFactory, DistrictFactory
from staff.models import Skill


@pytest.fixture
def applying(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form is filled in here in a second; other tests leave the table of skills empty."""
    monkeypatch.setattr(Throttle, "allows", lambda *args: True)
    Skill.objects.update_or_create(code="ELECTRICS", defaults={"name": "Электрика"})


@pytest.fixture
def city() -> City:
    city = CityFactory(name="Казань")
    for name in ("Вахитовский", "Советский"):
        DistrictFactory(city=city, name=name)
    return city
