"""People for tests. Phones are of the +7 999 000 range, names are numbered: nobody real."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import factory

from geo.models import City, District
from geo.tests.factories import CityFactory
from staff.enums import ModerationStatus, Role, ShiftStatus
from staff.models import Master, MasterDistrict, MasterInviteCode, MasterSkill, Skill, StaffCity, StaffUser


def phone(n: int) -> str:
    """The n-th invented phone."""
    return f"+7999000{n % 10_000:04d}"


class SkillFactory(factory.django.DjangoModelFactory):
    """`SkillFactory(code="PLUMBING")`: the seeded skill, or a new one where a test has emptied the table."""

    class Meta:
        model = Skill
        django_get_or_create = ("code",)

    code = "ELECTRICS"
    name = factory.SelfAttribute("code")


class StaffUserFactory(factory.django.DjangoModelFactory):
    """A LOGIST without cities; `StaffUserFactory(role=Role.CITY_ADMIN, cities=[city], password="…")`."""

    class Meta:
        model = StaffUser
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"staff{n}")
    full_name = factory.Sequence(lambda n: f"Сотрудник {n}")
    phone = factory.Sequence(phone)
    tg_user_id = factory.Sequence(lambda n: 6_000_000_000 + n)
    role = Role.LOGIST
    password = factory.django.Password(None)

    @factory.post_generation
    def cities(self: StaffUser, create: bool, extracted: Iterable[City] | None, **kwargs: Any) -> None:
        if create and extracted:
            StaffCity.objects.bulk_create(StaffCity(staff_user=self, city=city) for city in extracted)


class MasterFactory(factory.django.DjangoModelFactory):
    """A master ready to work: approved, active, on shift, with a Telegram id and the skill ELECTRICS.

    `districts=[district]` also gives the master that district's city; `skills=["PLUMBING"]` (codes or Skill rows)
    replaces ELECTRICS, `skills=[]` leaves none.
    """

    class Meta:
        model = Master
        skip_postgeneration_save = True

    full_name = factory.Sequence(lambda n: f"Мастер {n}")
    phone = factory.Sequence(phone)
    tg_user_id = factory.Sequence(lambda n: 7_000_000_000 + n)
    city = factory.SubFactory(CityFactory)
    moderation_status = ModerationStatus.APPROVED
    shift_status = ShiftStatus.SHIFT_ON

    @classmethod
    def _generate(cls, strategy: str, params: dict[str, Any]) -> Any:
        if params.get("districts") and not any(name.partition("__")[0] == "city" for name in params):
            params["city"] = params["districts"][0].city
        return super()._generate(strategy, params)

    @factory.post_generation
    def skills(self: Master, create: bool, extracted: Iterable[Skill | str] | None, **kwargs: Any) -> None:
        if create:
            wanted = ["ELECTRICS"] if extracted is None else extracted
            rows = [SkillFactory(code=skill) if isinstance(skill, str) else skill for skill in wanted]
            MasterSkill.objects.bulk_create(MasterSkill(master=self, skill=skill) for skill in rows)

    @factory.post_generation
    def districts(self: Master, create: bool, extracted: Iterable[District] | None, **kwargs: Any) -> None:
        if create and extracted:
            MasterDistrict.objects.bulk_create(MasterDistrict(master=self, district=d) for d in extracted)


class InviteFactory(factory.django.DjangoModelFactory):
    """An invite code for any city that does not expire: AA0000, AA0001 …"""

    class Meta:
        model = MasterInviteCode

    code = factory.Sequence(lambda n: f"AA{n % 10_000:04d}")
