"""Orders that wait for their time: DEFERRED, and CREATED ones that came from an import."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from fieldservice.lib.actor import SYSTEM
from fieldservice.lib.localtime import zone
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import lifecycle
from orders.services.schedule import wake_at
from orders.services.window import load_window


def due(*, now: datetime, limit: int = 5000) -> list[int]:
    """Orders whose wake-up time has come, oldest first."""
    waiting = Order.objects.filter(status__in=(OrderStatus.CREATED, OrderStatus.DEFERRED), dispatch_at__lte=now)
    return list(waiting.order_by("dispatch_at").values_list("pk", flat=True)[:limit])


@transaction.atomic
def wake(order_id: int, *, now: datetime) -> bool:
    """Start the search if it is time; else note when it will be. True when the order is searching now.

    The time is computed from the slot, not taken from `dispatch_at`: a row from plain SQL has no plan yet.
    """
    order = lifecycle.lock(order_id)
    if order.status not in (OrderStatus.CREATED, OrderStatus.DEFERRED):
        return False
    tz = zone(order.city.timezone)
    at = wake_at(order.timeslot_start_utc, created_at=order.created_at, tz=tz, window=load_window())
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
