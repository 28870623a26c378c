"""Skills and districts as the office sets them: old and new are kept, the master is told, nobody is overwritten."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ForbiddenError, InvalidError, NotFoundError, StaleError
from fieldservice.outbox.models import Notification
from geo.tests.factories import DistrictFactory
from staff.enums import Role
from staff.models import AuditLog, Master
from staff.services import abilities
from staff.tests.factories import MasterFactory, SkillFactory, StaffUserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def ids(rows: Any) -> set[int]:
    return set(rows.values_list("pk", flat=True))


def admin_of(master: Master) -> Actor:
    return Actor.of_staff(StaffUserFactory(role=Role.CITY_ADMIN, cities=[master.city]))


def test_one_row_tells_old_and_new_and_the_master_hears_once() -> None:
    master, other = MasterFactory(skills=["ELECTRICS"]), SkillFactory(code="PLUMBING")
    before, had = master.version, master.skills.get()
    for _twice in range(2):
        abilities.set_skills(master_id=master.pk, skill_ids=[other.pk], actor=admin_of(master))
    master.refresh_from_db()
    assert (ids(master.skills), master.version) == ({other.pk}, before + 1)
    row = AuditLog.objects.get(master=master)
    assert (row.action, row.payload_json["changes"]) == ("skills_set", {"skills": [had.name, other.name]})
    assert Notification.objects.get(master=master).event == "abilities_changed"


def test_what_was_seen_is_what_is_changed() -> None:
    master = MasterFactory(districts=[DistrictFactory()])
    had, more = ids(master.districts), DistrictFactory(city=master.city)
    with pytest.raises(StaleError):
        abilities.set_districts(master_id=master.pk, district_ids=[], seen=[more.pk], actor=admin_of(master))
    abilities.set_districts(master_id=master.pk, district_ids=[more.pk], seen=had, actor=admin_of(master))
    assert ids(master.districts) == {more.pk}


def test_at_least_one_stays_unless_the_city_has_none() -> None:
    master = MasterFactory(districts=[DistrictFactory()])
    with pytest.raises(InvalidError):
        abilities.set_skills(master_id=master.pk, skill_ids=[], actor=admin_of(master))
    with pytest.raises(InvalidError):
        abilities.set_districts(master_id=master.pk, district_ids=[], actor=admin_of(master))
    bare = MasterFactory()
    assert abilities.set_districts(master_id=bare.pk, district_ids=[], actor=admin_of(bare)) == bare


def test_what_is_not_offered_is_refused() -> None:
    master = MasterFactory(skills=["ELECTRICS"])
    gone, strange = SkillFactory(code="OLD", is_active=False), DistrictFactory()
    with pytest.raises(InvalidError):
        abilities.set_skills(master_id=master.pk, skill_ids=[gone.pk], actor=admin_of(master))
    with pytest.raises(InvalidError):
        abilities.set_districts(master_id=master.pk, district_ids=[strange.pk], actor=admin_of(master))
    with pytest.raises(NotFoundError):
        abilities.set_skills(master_id=master.pk, skill_ids=[], actor=admin_of(MasterFactory()))
    logist = Actor.of_staff(StaffUserFactory(role=Role.LOGIST, cities=[master.city]))
    with pytest.raises(ForbiddenError):
        abilities.set_districts(master_id=master.pk, district_ids=[], actor=logist)
    assert not AuditLog.objects.exists()


def test_the_web_form_goes_the_same_way(client: Client) -> None:
    master, other = MasterFactory(skills=["ELECTRICS"]), SkillFactory(code="PLUMBING")
    client.force_login(StaffUserFactory(role=Role.CITY_ADMIN, cities=[master.city]))
    form = {"full_name": master.full_name, "phone": master.phone, "city": master.city_id, "vehicle_plate": "",
            "max_active_orders_override": "", "skill_set": [other.pk], "district_set": []}  # fmt: skip
    assert client.post(reverse("admin:master_edit", args=[master.pk]), form).status_code == 302
    assert ids(master.skills) == {other.pk}
    assert [row.action for row in AuditLog.objects.all()] == ["skills_set"]
    assert Notification.objects.filter(master=master, event="abilities_changed").count() == 1


def test_the_web_form_does_not_undo_what_somebody_else_ticked_meanwhile(client: Client) -> None:
    master, other = MasterFactory(skills=["ELECTRICS"]), SkillFactory(code="PLUMBING")
    client.force_login(StaffUserFactory(role=Role.CITY_ADMIN, cities=[master.city]))
    page = reverse("admin:master_edit", args=[master.pk])
    had = ids(master.skills)
    shown = client.get(page).context["adminform"].form
    assert str(shown["seen"]) in client.get(page).content.decode()
    form = {"full_name": "Новое имя", "phone": master.phone, "city": master.city_id, "vehicle_plate": "",
            "max_active_orders_override": "", "skill_set": sorted(had), "district_set": [],
            "seen": shown["seen"].value()}  # fmt: skip
    abilities.set_skills(master_id=master.pk, skill_ids=[*had, other.pk], actor=admin_of(master))
    answer = client.post(page, form, headers={"accept-language": "en"})
    assert answer.status_code == 200
    assert "Somebody has changed the skills or districts" in answer.content.decode()
    assert ids(master.skills) == {*had, other.pk}


def test_a_master_without_a_city_is_the_global_admins(client: Client) -> None:
    master = MasterFactory(districts=[DistrictFactory()])
    client.force_login(StaffUserFactory(role=Role.GLOBAL_ADMIN))
    page = reverse("admin:master_edit", args=[master.pk])
    form = {"full_name": master.full_name, "phone": master.phone, "city": "", "vehicle_plate": "",
            "max_active_orders_override": "", "skill_set": sorted(ids(master.skills)),
            "district_set": sorted(ids(master.districts))}  # fmt: skip
    assert client.post(page, form).status_code == 302
    master.refresh_from_db()
    assert (master.city_id, ids(master.districts)) == (None, set())
    skill = SkillFactory(code="PLUMBING")
    assert client.post(page, form | {"skill_set": [skill.pk], "district_set": []}).status_code == 302
    assert ids(master.skills) == {skill.pk}
    with pytest.raises(NotFoundError):
        abilities.set_skills(master_id=master.pk, skill_ids=[], actor=admin_of(MasterFactory()))
