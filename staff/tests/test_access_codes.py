"""Access codes, the team, login links: who becomes what, and what cannot be undone by mistake."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from fieldservice.outbox.models import Notification
from fieldservice.tests.racing import Racers
from geo.models import City
from geo.tests.factories import CityFactory
from staff.enums import Role
from staff.models import AuditLog, StaffAccessCode, StaffUser
from staff.services import access_codes, login_links, team
from staff.tests.factories import StaffUserFactory


def race(*works: Callable[[], Any]) -> list[Any]:
    racers = Racers(len(works))
    try:
        return racers.run(*works)
    finally:
        racers.close()


def boss() -> Actor:
    return Actor.of_staff(StaffUserFactory(role=Role.GLOBAL_ADMIN))


def code_for(city: City, actor: Actor | None = None) -> StaffAccessCode:
    return access_codes.issue(actor=actor or boss(), role=Role.LOGIST, city_ids=[city.pk], now=timezone.now())


def use(code: str, tg_user_id: int = 42) -> StaffUser:
    return access_codes.use(
        text=code, tg_user_id=tg_user_id, full_name="Петрова Анна", phone="8 999 000 11 22", now=timezone.now()
    )


@pytest.mark.django_db
class TestCodes:
    def test_one_person_becomes_what_the_code_says(self) -> None:
        city = CityFactory()
        code = code_for(city)
        assert len(code.code) == access_codes.LENGTH
        member = use(f" {code.code.lower()} ")
        assert (member.role, member.phone, [c.pk for c in member.cities.all()]) == (
            Role.LOGIST, "+79990001122", [city.pk],
        )  # fmt: skip
        with pytest.raises(InvalidError, match="has been used"):
            use(code.code, 43)
        assert code.code not in str(list(AuditLog.objects.values_list("payload_json", flat=True)))
        joined = AuditLog.objects.get(action="staff_joined")
        assert (joined.admin_id, joined.payload_json["consent"]) == (member.pk, access_codes.CONSENT)

    def test_no_code_no_way_in(self) -> None:
        city, actor, now = CityFactory(), boss(), timezone.now()
        expired, revoked = code_for(city, actor), code_for(city, actor)
        StaffAccessCode.objects.filter(pk=expired.pk).update(expires_at=now)
        access_codes.revoke(code_id=revoked.pk, actor=actor, now=now)
        for text, sentence in (
            (expired.code, "expired"), (revoked.code, "was revoked"), ("ABCDEFGH", "no such access code"),
            ("12", "8 Latin letters"), ("", "8 Latin letters"),
        ):  # fmt: skip
            with pytest.raises(InvalidError, match=sentence):
                use(text)
        with pytest.raises(ConflictError, match="already"):
            use(code_for(city, actor).code, StaffUserFactory().tg_user_id)

    def test_a_used_code_cannot_be_revoked(self) -> None:
        code, actor = code_for(CityFactory()), boss()
        use(code.code)
        with pytest.raises(ConflictError, match="used already"):
            access_codes.revoke(code_id=code.pk, actor=actor, now=timezone.now())

    def test_the_rules_of_roles(self) -> None:
        actor, now = boss(), timezone.now()
        for role in (Role.LOGIST, Role.CITY_ADMIN):
            with pytest.raises(InvalidError, match="at least one city"):
                access_codes.issue(actor=actor, role=role, now=now)
        assert not access_codes.issue(actor=actor, role=Role.GLOBAL_ADMIN, now=now).cities.exists()
        for role in (Role.LOGIST, Role.CITY_ADMIN):
            with pytest.raises(ForbiddenError):
                access_codes.issue(actor=Actor.of_staff(StaffUserFactory(role=role)), role=Role.GLOBAL_ADMIN, now=now)

    def test_a_code_of_v12_has_its_one_city(self) -> None:
        city = CityFactory()
        StaffAccessCode.objects.create(code="OLDCODE1", role=Role.LOGIST, city=city)
        assert [c.pk for c in use("OLDCODE1").cities.all()] == [city.pk]


@pytest.mark.django_db(transaction=True)
def test_two_who_share_a_code_are_one() -> None:
    code = code_for(CityFactory())
    outcomes = race(*(partial(use, code.code, 100 + n) for n in range(4)))
    assert sum(isinstance(one, StaffUser) for one in outcomes) == 1
    assert StaffUser.objects.filter(full_name="Петрова Анна").count() == 1


@pytest.mark.django_db
class TestTeam:
    def test_another_role_with_its_cities_and_the_person_is_told(self) -> None:
        member, city = StaffUserFactory(role=Role.LOGIST, cities=[CityFactory()]), CityFactory()
        team.set_role(member_id=member.pk, role=Role.CITY_ADMIN, city_ids=[city.pk], actor=boss())
        member.refresh_from_db()
        assert (member.role, [c.pk for c in member.cities.all()]) == (Role.CITY_ADMIN, [city.pk])
        assert Notification.objects.get().event == "access_changed"
        row = AuditLog.objects.get(action="staff_role")
        assert (row.payload_json["was"], row.payload_json["role"]) == ("LOGIST", "CITY_ADMIN")

    def test_the_last_global_admin_stays(self) -> None:
        last = StaffUserFactory(role=Role.GLOBAL_ADMIN)
        system = Actor("SYSTEM")
        with pytest.raises(ConflictError, match="last global admin"):
            team.set_active(member_id=last.pk, active=False, actor=system)
        with pytest.raises(ConflictError, match="last global admin"):
            team.set_role(member_id=last.pk, role=Role.LOGIST, city_ids=[CityFactory().pk], actor=system)
        with pytest.raises(ConflictError, match="your own access"):
            team.set_active(member_id=last.pk, active=False, actor=Actor.of_staff(last))

    def test_only_global_admins_decide(self) -> None:
        member, admin = StaffUserFactory(), Actor.of_staff(StaffUserFactory(role=Role.CITY_ADMIN))
        with pytest.raises(ForbiddenError):
            team.set_active(member_id=member.pk, active=False, actor=admin)
        with pytest.raises(ForbiddenError):
            team.set_role(member_id=member.pk, role=Role.GLOBAL_ADMIN, city_ids=[], actor=admin)
        with pytest.raises(NotFoundError):
            team.set_active(member_id=0, active=False, actor=boss())

    def test_the_web_form_protects_the_last_one_too(self) -> None:
        last = StaffUserFactory(role=Role.GLOBAL_ADMIN)
        client = Client()
        client.force_login(last)
        page = reverse("admin:staff_staffuser_change", args=[last.pk])
        form = {"username": last.username, "full_name": "x", "role": Role.LOGIST, "is_active": "on"}
        answer = client.post(page, form, headers={"accept-language": "en"})
        assert answer.status_code == 200
        last.refresh_from_db()
        assert last.role == Role.GLOBAL_ADMIN


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_switch_each_other_off_leave_one() -> None:
    first, second = (StaffUserFactory(role=Role.GLOBAL_ADMIN) for _ in range(2))
    race(
        lambda: team.set_active(member_id=second.pk, active=False, actor=Actor.of_staff(first)),
        lambda: team.set_active(member_id=first.pk, active=False, actor=Actor.of_staff(second)),
    )
    assert StaffUser.objects.filter(role=Role.GLOBAL_ADMIN, is_active=True).count() == 1


@pytest.mark.django_db
class TestLoginLink:
    def test_it_opens_once_and_looking_spends_nothing(self) -> None:
        member = StaffUserFactory(role=Role.LOGIST)
        page = reverse("login_link", args=[login_links.issue(member=member)])
        client, other = Client(), Client()
        for _look in range(3):
            assert str(member).encode() in other.get(page).content
        assert client.post(page).status_code == 302
        assert client.get(reverse("admin:index")).status_code == 200
        assert other.post(page).status_code == 404
        assert other.get(reverse("admin:index")).status_code == 302

    def test_whoever_was_switched_off_meanwhile_stays_out(self) -> None:
        member = StaffUserFactory()
        token = login_links.issue(member=member)
        StaffUser.objects.filter(pk=member.pk).update(is_active=False)
        assert Client().post(reverse("login_link", args=[token])).status_code == 404
        with pytest.raises(NotFoundError):
            login_links.redeem("made up")

    def test_it_is_good_for_a_minute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(login_links, "LIFE", 0)
        assert login_links.owner(login_links.issue(member=StaffUserFactory())) is None
