"""Settings as staff change them: all or nothing, by whom the matrix lets, with old and new in the audit log."""

from __future__ import annotations

import pytest

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ForbiddenError, InvalidError
from fieldservice.runtime import registry
from fieldservice.runtime.models import Setting
from staff.enums import Role
from staff.models import AuditLog
from staff.services import parameters
from staff.tests.factories import StaffUserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture
def boss() -> Actor:
    return Actor.of_staff(StaffUserFactory(role=Role.GLOBAL_ADMIN))


def test_one_mistake_keeps_everything_as_it_was(boss: Actor) -> None:
    wrong = {"distribution_rounds": "400", "offers_per_round": "2", "working_hours_end": "09:00"}
    with pytest.raises(InvalidError) as refused:
        parameters.change(texts=wrong, actor=boss)
    assert refused.value.fields.keys() == {"distribution_rounds", "working_hours_end"}
    assert not Setting.objects.exists()
    assert not AuditLog.objects.exists()


def test_what_is_right_only_together_is_stored_together(boss: Actor) -> None:
    parameters.change(texts={"working_hours_start": "06:00", "working_hours_end": "09:00",
                             "asap_late_threshold": "08:00"}, actor=boss)  # fmt: skip
    with pytest.raises(InvalidError):
        parameters.reset(name="working_hours_start", actor=boss)
    assert f"{registry.get('working_hours_start'):%H:%M}" == "06:00"


def test_the_audit_log_has_old_and_new_and_no_secret(boss: Actor) -> None:
    for key in ("first-key", "second-key"):
        parameters.change(texts={"yandex_geocoder_key": key, "distribution_rounds": "3"}, actor=boss)
    parameters.reset(name="distribution_rounds", actor=boss)
    rows = AuditLog.objects.filter(action="setting_changed").order_by("pk")
    assert [row.payload_json["changes"] for row in rows] == [
        {"yandex_geocoder_key": [None, "***"]}, {"distribution_rounds": [None, "3"]},
        {"yandex_geocoder_key": ["***", "***"]}, {"distribution_rounds": ["3", "3"]},
        {"distribution_rounds": ["3", None]},
    ]  # fmt: skip
    assert {row.admin_id for row in rows} == {boss.staff_id}


def test_settings_are_the_global_admin_s() -> None:
    with pytest.raises(ForbiddenError):
        parameters.change(
            texts={"distribution_rounds": "3"}, actor=Actor.of_staff(StaffUserFactory(role=Role.CITY_ADMIN))
        )
    assert not Setting.objects.exists()
