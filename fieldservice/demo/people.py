"""The demo's cast: roles, not persons. Telegram ids are the sandbox's; one password is made at the first run."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from django.db import transaction

from fieldservice import embedded
from finance.models import OwnerRequisites
from geo.models import City, District
from staff.enums import ModerationStatus, Role
from staff.models import Master, Skill, StaffUser

#: (login, role, cities, Telegram id)
STAFF: tuple[tuple[str, Role, tuple[str, ...], int], ...] = (
    ("admin", Role.GLOBAL_ADMIN, (), 7001),
    ("cityadmin", Role.CITY_ADMIN, ("Москва",), 7002),
    ("logist", Role.LOGIST, ("Москва", "Санкт-Петербург"), 7003),
)
#: (Telegram id, name, city, how many districts, vehicle)
MASTERS: tuple[tuple[int, str, str, int, bool], ...] = (
    (5001, "Мастер Первый", "Москва", 12, True),
    (5002, "Мастер Второй", "Москва", 12, False),
    (5003, "Мастер Питерский", "Санкт-Петербург", 18, True),
    (5900, "Мастер Проверки", "Калининград", 5, True),
)
SMOKE_MASTER, SMOKE_ADMIN, SMOKE_CITY = 5900, 7001, "Калининград"


def password() -> str:
    """The demo logins' password: made once, kept beside the demo's database, never in the code."""
    path = embedded.home() / "demo_password"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9))
    return path.read_text().strip()


@transaction.atomic
def seed() -> dict[str, int]:
    """Staff, masters and requisites of the demo; what is there already stays as it is. Returns how many were added."""
    added = {
        "staff": sum(_member(*row) for row in STAFF),
        "masters": sum(_master(*row) for row in MASTERS),
        "requisites": 0,
    }
    if not OwnerRequisites.objects.exists():
        OwnerRequisites.objects.create(
            other_text="Демо: платить никуда не нужно, просто нажмите «Я оплатил».",
            comment_template="Комиссия #<order_id> от <master_fio>",
        )
        added["requisites"] = 1
    return added


def _member(login: str, role: Role, cities: Iterable[str], tg_user_id: int) -> bool:
    if StaffUser.objects.filter(username=login).exists():
        return False
    member = StaffUser.objects.create_user(login, password(), role=role, tg_user_id=tg_user_id)
    member.cities.set(City.objects.filter(name__in=list(cities)))
    return True


def _master(tg_user_id: int, name: str, city_name: str, districts: int, vehicle: bool) -> bool:
    if Master.objects.filter(tg_user_id=tg_user_id).exists():
        return False
    city = City.objects.get(name=city_name)
    master = Master.objects.create(
        tg_user_id=tg_user_id,
        full_name=name,
        city=city,
        has_vehicle=vehicle,
        phone=f"+7999000{tg_user_id}",
        moderation_status=ModerationStatus.APPROVED,
        max_active_orders_override=20 if tg_user_id == SMOKE_MASTER else None,
    )
    master.skills.set(Skill.objects.filter(is_active=True))
    master.districts.set(District.objects.filter(city=city).order_by("id")[:districts])
    return True
