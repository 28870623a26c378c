"""The numbers of the dashboard. Open orders are few and found by index; what is heavy is counted once in a while."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import Now, TruncDate
from redis.exceptions import RedisError

from fieldservice.desk.sight import Sight
from fieldservice.runtime import registry
from finance.enums import CommissionStatus
from finance.models import Commission
from finance.selectors import Totals, totals
from orders import reports
from orders.enums import OfferState, OrderStatus
from orders.models import Offer, Order

S = OrderStatus
DAYS = 14
KEPT = 300
#: a visit moved to a later day is searched for then, and waits for nobody before
BEGUN = Q(search_started_at__isnull=True) | Q(search_started_at__lte=Now())
OPEN = (S.DEFERRED, S.SEARCHING, S.GUARANTEE, S.ASSIGNED, S.EN_ROUTE, S.WORKING, S.PAYMENT)
LOAD = """
SELECT count(*) FILTER (WHERE m.shift_status = 'SHIFT_ON'), count(*) FILTER (WHERE m.shift_status = 'BREAK'),
       count(*) FILTER (WHERE m.shift_status = 'SHIFT_ON' AND coalesce(l.n, 0) = 0),
       count(*) FILTER (WHERE m.shift_status = 'SHIFT_ON'
                          AND coalesce(l.n, 0) >= coalesce(m.max_active_orders_override, %(limit)s)),
       coalesce(sum(l.n), 0)::int
  FROM masters m
  LEFT JOIN (SELECT assigned_master_id AS id, count(*) AS n FROM orders
              WHERE status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT') AND assigned_master_id IS NOT NULL
              GROUP BY 1) l ON l.id = m.id
 WHERE m.shift_status <> 'SHIFT_OFF' AND m.verified AND m.is_active AND NOT m.is_blocked AND NOT m.is_deleted
   AND (%(cities)s::int[] IS NULL OR m.city_id = ANY(%(cities)s))"""


@dataclass(frozen=True, slots=True)
class Load:
    """Masters who could work now. `taken`: active orders on their hands."""

    on_shift: int
    on_break: int
    free: int
    at_limit: int
    taken: int


def open_orders(sight: Sight) -> dict[str, int]:
    """Status → how many orders are open now; every open status is there."""
    return open_and_waiting(sight)[0]


def open_and_waiting(sight: Sight) -> tuple[dict[str, int], dict[str, Any]]:
    """Open orders by status, and of those without a master: how many, since when, how many escalated to whom."""
    alone = Q(assigned_master__isnull=True, status__in=S.SEARCH)
    admin = alone & Q(dist_escalated_admin_at__isnull=False)
    logist = alone & Q(dist_escalated_logist_at__isnull=False, dist_escalated_admin_at__isnull=True)
    rows = sight.within(Order.objects.filter(status__in=OPEN)).order_by().values("status")
    found = list(rows.annotate(
        n=Count("*"), count=Count("pk", filter=alone), since=Min("search_started_at", filter=alone & BEGUN),
        no_district=Count("pk", filter=alone & Q(no_district=True)),
        broken=Count("pk", filter=alone & Q(dispatch_error__isnull=False)),
        logist=Count("pk", filter=logist), logist_since=Min("dist_escalated_logist_at", filter=logist),
        admin=Count("pk", filter=admin), admin_since=Min("dist_escalated_admin_at", filter=admin),
    ))  # fmt: skip
    counts = dict.fromkeys(map(str, OPEN), 0) | {row["status"]: row["n"] for row in found}
    waiting: dict[str, Any] = {name: sum(row[name] for row in found)
                               for name in ("count", "no_district", "broken", "logist", "admin")}  # fmt: skip
    for name in ("since", "logist_since", "admin_since"):
        waiting[name] = min((row[name] for row in found if row[name]), default=None)
    return counts, waiting


def longest_waiting(sight: Sight, limit: int = 8) -> list[Order]:
    """The orders that wait for a master longest."""
    rows = sight.within(Order.objects.filter(BEGUN, status__in=S.SEARCH, assigned_master__isnull=True))
    return list(rows.select_related("city", "district").order_by("search_started_at", "id")[:limit])


def live_offers(sight: Sight, now: datetime) -> dict[str, Any]:
    """Offers that wait for an answer; the last of them ends at `until`."""
    rows = sight.within(Offer.objects.filter(state__in=OfferState.LIVE, expires_at__gt=now), "order__city_id")
    return rows.aggregate(count=Count("*"), until=Max("expires_at"))


def assignments(sight: Sight, now: datetime) -> dict[str, Any]:
    """The assignments of the last 24 hours: number, average seconds, how many were quick, by hand, escalated."""
    return _kept(sight, "assignments", 60, lambda: reports.totals(reports.rows(
        since=now - timedelta(hours=24), until=now, city_ids=sight.ids)))  # fmt: skip


def acceptance(sight: Sight, now: datetime) -> list[dict[str, Any]]:
    """Round → offers of the last 24 hours: accepted, declined, expired, all that ended."""

    def count() -> list[dict[str, Any]]:
        ended = Offer.objects.filter(expires_at__gte=now - timedelta(hours=24), expires_at__lte=now)
        rows = sight.within(ended, "order__city_id").order_by().values("round_number")
        states = {name.lower(): Count("pk", filter=Q(state=name)) for name in ("ACCEPTED", "DECLINED", "EXPIRED")}
        return [dict(row) for row in rows.annotate(all=Count("*"), **states).order_by("round_number")[:10]]

    return _kept(sight, "acceptance", 60, count)


def load(sight: Sight) -> Load:
    """Masters on shift and what they have on their hands."""
    with connection.cursor() as cursor:
        cursor.execute(LOAD, {"limit": registry.get("max_active_orders"), "cities": sight.ids})
        return Load(*cursor.fetchone())


def busiest(sight: Sight, limit: int = 8) -> list[dict[str, Any]]:
    """The masters with most active orders."""
    rows = sight.within(Order.objects.filter(status__in=S.ACTIVE, assigned_master__isnull=False)).order_by()
    found = rows.values("assigned_master_id", "assigned_master__full_name").annotate(n=Count("*"))
    return [dict(row) for row in found.order_by("-n", "assigned_master_id")[:limit]]


def debts(sight: Sight) -> Totals:
    """Unpaid commissions: how many and how much, by status."""
    return totals(sight.within(Commission.objects.filter(status__in=CommissionStatus.UNPAID), "order__city_id"))


def by_day(sight: Sight, now: datetime) -> list[tuple[str, int, int, int]]:
    """Of each of the last 14 local days: orders created, how many of these are canceled, how many closed."""

    def count() -> list[tuple[str, int, int, int]]:
        rows = sight.within(Order.objects.filter(created_at__gte=_first_day(sight, now))).order_by()
        days = rows.annotate(day=TruncDate("created_at", tzinfo=sight.tz)).values_list("day")
        ends = {str(end).lower(): Count("pk", filter=Q(status=end)) for end in (S.CANCELED, S.CLOSED)}
        found = days.annotate(n=Count("*"), **ends)
        counted = {day.isoformat(): numbers for day, *numbers in found}
        return [(day, *counted.get(day, (0, 0, 0))) for day in _days(sight, now)]

    return _kept(sight, "by_day", 60, count)


def earnings(sight: Sight, now: datetime) -> list[tuple[str, Decimal, Decimal]]:
    """Of each of the last 14 local days: commissions that fell due to us by closed jobs, and what is paid of them."""

    def count() -> list[tuple[str, Decimal, Decimal]]:
        rows = Commission.objects.filter(created_at__gte=_first_day(sight, now)).order_by()
        days = sight.within(rows, "order__city_id").annotate(day=TruncDate("created_at", tzinfo=sight.tz))
        found = days.values_list("day").annotate(due=Sum("amount"), paid=Sum("paid_amount", filter=Q(is_paid=True)))
        summed = {day.isoformat(): (due or Decimal(0), paid or Decimal(0)) for day, due, paid in found}
        return [(day, *summed.get(day, (Decimal(0), Decimal(0)))) for day in _days(sight, now)]

    return _kept(sight, "earnings", KEPT, count)


def _days(sight: Sight, now: datetime) -> list[str]:
    today = now.astimezone(sight.tz).date()
    return [(today - timedelta(days=back)).isoformat() for back in range(DAYS - 1, -1, -1)]


def _first_day(sight: Sight, now: datetime) -> datetime:
    midnight = now.astimezone(sight.tz).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=DAYS - 1)


def _kept(sight: Sight, name: str, seconds: int, count: Callable[[], Any]) -> Any:
    """The result of `count`, kept for a while for everybody who sees the same cities."""
    cities = "all" if sight.ids is None else ",".join(map(str, sorted(sight.ids)))
    key = f"desk:{name}:{sight.tz.key}:{hashlib.sha256(cities.encode()).hexdigest()[:32]}"
    try:
        if (known := cache.get(key)) is not None:
            return known
        found = count()
        cache.set(key, found, seconds)
        return found
    except (RedisError, OSError):  # the figures do not depend on the cache
        return count()
