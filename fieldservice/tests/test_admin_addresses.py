"""Addresses made by hand: whatever stands in the place of a number, no page of the web admin breaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import ForeignKey
from django.test import Client
from django.urls import URLPattern, reverse

from geo.tests.factories import CityFactory
from staff.enums import Role
from staff.tests.factories import StaffUserFactory

pytestmark = pytest.mark.django_db
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
#: no numbers, none that a column holds, more than one
WRONG = ["x", "0", "-1", "9" * 30, "1,2", "%00", "١"]


@pytest.fixture
def boss(client: Client) -> Any:
    CityFactory(), CityFactory()  # two: the only one would be filled in, whatever is asked
    client.raise_request_exception = False
    client.force_login(member := StaffUserFactory(role=Role.GLOBAL_ADMIN))
    return member


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_what_is_no_row_is_not_filled_in(client: Client, boss: Any, model: Any) -> None:
    form = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    names = [field.name for field in model._meta.get_fields() if isinstance(field, ForeignKey)]
    for name in [*names, "city_set", "skill_set", "district_set"]:
        for value in WRONG:
            answer = client.get(f"{form}?{name}={value}")
            assert answer.status_code in {200, 403}, (name, value)


def _of_rows() -> Iterator[str]:
    """Every address of the admin that names a row or another thing, with `{}` for the name."""
    for pattern in admin.site.get_urls():
        for start, one in _leaves(pattern):
            if "<" in start + str(one.pattern):
                yield start + str(one.pattern)


def _leaves(pattern: Any, start: str = "") -> Iterator[tuple[str, URLPattern]]:
    if isinstance(pattern, URLPattern):
        yield start, pattern
    else:
        for inner in pattern.url_patterns:
            yield from _leaves(inner, start + str(pattern.pattern))


def test_every_address_of_a_row_is_asked(client: Client, boss: Any) -> None:
    root = reverse("admin:index")
    found = [path for path in _of_rows() if "^" not in path and "(?P" not in path]
    assert len(found) > 60
    assert any("commission" in path and "approve" in path for path in found)
    broken = []
    for path in found:
        for value in WRONG:
            url = root + _filled(path, value)
            for ask in (client.get, client.post):
                if ask(url).status_code >= 500:
                    broken.append(f"{ask.__name__} {url}")
    assert not broken


def _filled(path: str, value: str) -> str:
    parts = path.split("<")
    return parts[0] + "".join(value + part.partition(">")[2] for part in parts[1:])
