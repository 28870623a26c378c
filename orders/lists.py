"""The lists of the office: the queue, what waits for staff, what is under guarantee, what is closed; with filters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet

from fieldservice.lib.localtime import zone
from fieldservice.runtime import registry
from geo.models import City
from orders import scope
from orders.enums import Category, OrderStatus, OrderType
from orders.models import Order
from staff.models import StaffUser

#: not finished, and known to dispatch
QUEUE = (*OrderStatus.SEARCH, *OrderStatus.ACTIVE, OrderStatus.DEFERRED)
KINDS = ("queue", "escalated", "guarantee", "closed")
#: more are not counted: «1000+» says enough and costs nothing
COUNTED = 1000
DAYS = {"today": 0, "tomorrow": 1, "yesterday": -1}


@dataclass(frozen=True, slots=True)
class Filter:
    """What a person wants to see; empty: everything. `day`: a word of DAYS or an ISO date, in the city's zone."""

    city: int = 0
    category: str = ""
    status: str = ""
    day: str = ""
    master: int = 0

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Filter:
        """From what was remembered; values that are none any more are dropped."""
        known = cls()
        for name in ("city", "master"):
            if isinstance(kept.get(name), int):
                known = replace(known, **{name: kept[name]})
        if kept.get("category") in Category.values:
            known = replace(known, category=kept["category"])
        if kept.get("status") in OrderStatus.values:
            known = replace(known, status=kept["status"])
        return replace(known, day=kept["day"]) if day_of(str(kept.get("day") or ""), date.min) else known

    def as_dict(self) -> dict[str, Any]:
        """What is remembered."""
        values = {name: getattr(self, name) for name in ("city", "category", "status", "day", "master")}
        return {name: value for name, value in values.items() if value}


def day_of(word: str, today: date) -> date | None:
    """The day a filter means; None for another word. `date.min` as today only asks whether the word is one."""
    if word in DAYS:
        return today if today == date.min else today + timedelta(days=DAYS[word])
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None


def orders(kind: str, member: StaffUser, chosen: Filter, *, now: datetime) -> QuerySet[Order]:
    """The orders of a list, in its order."""
    rows = scope.visible_to(member).filter(_where(chosen, now))
    if kind == "closed":
        return rows.filter(status=OrderStatus.CLOSED).order_by(F("closed_at").desc(nulls_last=True), "-id")
    if kind == "guarantee":
        since = now - timedelta(days=registry.get("guarantee_days"))
        under = rows.filter(status=OrderStatus.CLOSED, type=OrderType.NORMAL, closed_at__gte=since)
        return under.filter(assigned_master__isnull=False).order_by("closed_at", "id")
    if kind == "escalated":
        waiting = rows.filter(status__in=OrderStatus.SEARCH, dist_escalated_logist_at__isnull=False)
        return waiting.order_by("dist_escalated_logist_at", "id")
    wanted = rows.filter(status=chosen.status) if chosen.status else rows.filter(status__in=QUEUE)
    return wanted.order_by("-created_at", "-id")


def count(rows: QuerySet[Order]) -> int:
    """The number of rows, up to COUNTED + 1."""
    return rows.order_by().values("pk")[: COUNTED + 1].count()


def _where(chosen: Filter, now: datetime) -> Q:
    where = Q()
    if chosen.city:
        where &= Q(city_id=chosen.city)
    if chosen.category:
        where &= Q(category=chosen.category)
    if chosen.master:
        where &= Q(assigned_master_id=chosen.master)
    return where & _on(chosen.day, now) if chosen.day else where


def _on(word: str, now: datetime) -> Q:
    """The visit begins on that day, as the clocks of each city have it."""
    found = Q(pk__in=[])
    for name in set(City.objects.values_list("timezone", flat=True)):
        tz = zone(name)
        day = day_of(word, now.astimezone(tz).date())
        if day is None:
            return Q()
        start = datetime(day.year, day.month, day.day, tzinfo=tz)
        end = start + timedelta(days=1)  # the clock's day: aware arithmetic in one zone keeps the time of day
        found |= Q(city__timezone=name, timeslot_start_utc__gte=start, timeslot_start_utc__lt=end)
    return found
