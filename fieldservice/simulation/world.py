"""The company: cities in several zones, districts, masters with skills, an office. Names are numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.db import connection

from fieldservice.bench import harness
from fieldservice.bench.harness import execute
from fieldservice.lib.actor import SYSTEM, Actor
from fieldservice.runtime import registry
from fieldservice.simulation.plan import Plan
from geo.models import City, District
from orders.enums import Category
from staff.enums import ModerationStatus, Role
from staff.models import Master, MasterDistrict, MasterSkill, Skill, StaffUser

T = TypeVar("T")
ZONES = ("Europe/Moscow", "Asia/Yekaterinburg", "Asia/Novosibirsk")
#: a day like any other; half an hour before the working window opens
DAY, OPENS = datetime(2026, 3, 2), time(9, 30)  # noqa: DTZ001  # local, each city has its own
EMPTY = """
SET CONSTRAINTS ALL IMMEDIATE;
SET synchronous_commit = off;
TRUNCATE cities, masters, staff_users, orders, money_journal, notifications_outbox, settings, heartbeats
  RESTART IDENTITY CASCADE"""


@dataclass(frozen=True, slots=True)
class Town:
    """A city of the simulation. `opens`: when its day begins."""

    id: int
    districts: tuple[int, ...]
    opens: datetime


@dataclass(frozen=True, slots=True)
class World:
    """Who takes part. Masters by id, each with his town."""

    towns: tuple[Town, ...]
    masters: dict[int, Town]
    office: Actor


def build(plan: Plan) -> World:
    """Empty the database and fill it anew; the same plan makes the same rows. The database is the simulation's own."""
    name = connection.settings_dict["NAME"]
    if name != harness.DATABASE and not name.startswith("test_"):
        raise RuntimeError(f"{name} is not the simulation's own database: it would be emptied.")
    for statement in EMPTY.split(";"):
        execute(statement)
    for key, value in plan.settings.items():
        registry.write(key, value, actor=SYSTEM)
    admin = StaffUser.objects.create_user("admin", role=Role.GLOBAL_ADMIN, tg_user_id=1)
    StaffUser.objects.create_user("logist", role=Role.LOGIST, tg_user_id=2)
    towns = tuple(_town(number, plan) for number in range(plan.cities))
    StaffUser.objects.get(username="logist").cities.set([town.id for town in towns])
    masters = _masters(plan, towns)
    execute("ANALYZE")
    return World(towns, masters, Actor.of_staff(admin, via="simulation"))


def _town(number: int, plan: Plan) -> Town:
    zone = ZONES[number % len(ZONES)]
    city = City.objects.create(name=f"City {number + 1}", timezone=zone)
    made = [District.objects.create(city=city, name=f"District {n + 1}") for n in range(plan.districts)]
    opens = datetime.combine(DAY, OPENS, tzinfo=ZoneInfo(zone))
    return Town(city.pk, tuple(d.pk for d in made), opens)


def _masters(plan: Plan, towns: tuple[Town, ...]) -> dict[int, Town]:
    skills = {skill.code: skill.pk for skill in Skill.objects.all()}
    homes = {}
    for number in range(1, plan.masters + 1):
        town, rng = towns[number % len(towns)], plan.chance("master", number)
        master = Master.objects.create(
            full_name=f"Master {number}",
            tg_user_id=1000 + number,
            city_id=town.id,
            moderation_status=ModerationStatus.APPROVED,
            has_vehicle=rng.random() < 0.5,
            rating=round(rng.uniform(4, 5), 1),
            created_at=town.opens - timedelta(days=30),
        )
        homes[master.pk] = town
        known = _some(rng.sample(Category.values, len(Category.values)), share=rng.uniform(0.3, 0.8))
        served = _some(rng.sample(town.districts, len(town.districts)), share=rng.uniform(0.3, 0.9))
        MasterSkill.objects.bulk_create(MasterSkill(master=master, skill_id=skills[code]) for code in known)
        MasterDistrict.objects.bulk_create(MasterDistrict(master=master, district_id=pk) for pk in served)
    return homes


def _some(items: list[T], *, share: float) -> list[T]:
    return items[: max(1, round(len(items) * share))]
