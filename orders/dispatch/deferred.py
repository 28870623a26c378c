"""Orders that wait for their time: DEFERRED, and CREATED ones that came from an import.

The time is computed from the slot, not taken from `dispatch_at`: a row from plain SQL has no plan yet.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from fieldservice.lib.actor import SYSTEM
from fieldservice.lib.localtime import zone
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import lifecycle
from orders.services.schedule import Window, wake_at
from orders.services.window import load_window

LIMIT = 1000
DUE = """
SELECT o.id, o.status::text, o.timeslot_start_utc, o.created_at, c.timezone
  FROM orders o JOIN cities c ON c.id = o.city_id
 WHERE o.status IN ('CREATED', 'DEFERRED') AND o.dispatch_at <= %(now)s AND o.id <> ALL(%(skip)s::int[])
 ORDER BY o.dispatch_at LIMIT %(limit)s FOR NO KEY UPDATE OF o SKIP LOCKED"""
LATER = """
UPDATE orders o SET dispatch_at = t.at FROM unnest(%(ids)s::int[], %(at)s::timestamptz[]) AS t(id, at)
 WHERE o.id = t.id"""


class Sleeper(NamedTuple):
    """An order that waits."""

    id: int
    status: str
    slot_start: datetime | None
    created_at: datetime
    timezone: str | None

    def wakes_at(self, window: Window) -> datetime:
        """When its search begins."""
        return wake_at(self.slot_start, created_at=self.created_at, tz=zone(self.timezone), window=window)


def due(*, now: datetime, limit: int = 5000) -> list[int]:
    """Orders whose wake-up time may have come, oldest first."""
    waiting = Order.objects.filter(status__in=(OrderStatus.CREATED, OrderStatus.DEFERRED), dispatch_at__lte=now)
    return list(waiting.order_by("dispatch_at").values_list("pk", flat=True)[:limit])


@transaction.atomic
def wake_many(*, now: datetime, skip: list[int], limit: int = LIMIT) -> tuple[list[int], int]:
    """Wake up to `limit` due orders in three statements; (those that search now, how many were looked at)."""
    sleepers = [Sleeper._make(row) for row in _query(DUE, {"now": now, "skip": skip, "limit": limit})]
    if not sleepers:
        return [], 0
    window = load_window()
    times = {sleeper.id: sleeper.wakes_at(window) for sleeper in sleepers}
    woken = lifecycle.begin_search_many(
        [pk for pk, at in times.items() if at <= now], actor=SYSTEM, reason="deferred_wakeup", now=now
    )
    later = [sleeper for sleeper in sleepers if times[sleeper.id] > now]
    for sleeper in later:
        if sleeper.status == OrderStatus.CREATED:  # imports only: each gets its history row by the common door
            order = lifecycle.lock(sleeper.id)
            lifecycle.move(order, OrderStatus.DEFERRED, actor=SYSTEM, reason="outside_working_hours", now=now)
    if later:
        with connection.cursor() as cursor:
            cursor.execute(LATER, {"ids": [s.id for s in later], "at": [times[s.id] for s in later]})
    return woken, len(sleepers)


@transaction.atomic
def wake(order_id: int, *, now: datetime) -> bool:
    """Start one order's search if it is time; else note when it will be. True when it is searching now."""
    order = lifecycle.lock(order_id)
    if order.status not in (OrderStatus.CREATED, OrderStatus.DEFERRED):
        return False
    sleeper = Sleeper(order.pk, order.status, order.timeslot_start_utc, order.created_at, order.city.timezone)
    at = sleeper.wakes_at(load_window())
    if at <= now:
        lifecycle.begin_search(order, actor=SYSTEM, reason="deferred_wakeup", now=now)
        return True
    if order.status == OrderStatus.CREATED:
        lifecycle.move(
            order, OrderStatus.DEFERRED, actor=SYSTEM, reason="outside_working_hours", now=now, dispatch_at=at
        )
    else:
        Order.objects.filter(pk=order_id).update(dispatch_at=at)
    return False


def _query(sql: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
