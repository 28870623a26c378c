"""The page of a master."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from staff.admin.masters import MasterAdmin
from staff.enums import Role
from staff.models import AuditLog, Master, Skill
from staff.tests.factories import MasterFactory, SkillFactory, StaffUserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def master(client: Client) -> Any:
    row = MasterFactory(skills=["ELECTRICS", "PLUMBING"])
    client.force_login(StaffUserFactory(role=Role.CITY_ADMIN, cities=[row.city]))
    return row


def send(client: Client, master: Any, **changes: Any) -> Any:
    form = {
        "full_name": master.full_name, "phone": master.phone, "city": master.city_id, "vehicle_plate": "",
        "max_active_orders_override": "", "skill_set": [skill.pk for skill in master.skills.all()],
        "district_set": [],
    }  # fmt: skip
    return client.post(reverse("admin:master_edit", args=[master.pk]), form | changes)


def test_saving_never_lifts_a_block_that_was_written_a_moment_ago(
    client: Client, master: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = MasterAdmin.save_form

    def block_meanwhile(self: Any, request: Any, form: Any, change: bool) -> Any:
        Master.objects.filter(pk=master.pk).update(is_blocked=True, shift_status="SHIFT_OFF", version=7)
        return save(self, request, form, change)

    monkeypatch.setattr(MasterAdmin, "save_form", block_meanwhile)
    assert send(client, master, full_name="Новое имя").status_code == 302
    master.refresh_from_db()
    assert (master.full_name, master.is_blocked, master.shift_status, master.version) == (
        "Новое Имя", True, "SHIFT_OFF", 7,
    )  # fmt: skip
    assert AuditLog.objects.get().payload_json["changes"].keys() == {"full_name"}


def test_the_phone_is_kept_as_everywhere(client: Client, master: Any) -> None:
    assert send(client, master, phone="8 (999) 765-43-21").status_code == 302
    master.refresh_from_db()
    assert master.phone == "+79997654321"
    response = send(client, master, phone="12")
    assert "phone" in response.context["adminform"].form.errors


def test_a_skill_that_is_switched_off_stays(client: Client, master: Any) -> None:
    Skill.objects.filter(code="PLUMBING").update(is_active=False)
    SkillFactory(code="OLD", is_active=False)
    shown = client.get(reverse("admin:master_edit", args=[master.pk])).context["adminform"].form
    assert {skill.code for skill in shown.fields["skill_set"].queryset} >= {"ELECTRICS", "PLUMBING"}
    assert "OLD" not in {skill.code for skill in shown.fields["skill_set"].queryset}
    assert send(client, master, full_name="Новое имя").status_code == 302
    assert {skill.code for skill in master.skills.all()} == {"ELECTRICS", "PLUMBING"}
