"""Corrections of an order's address, client, description and time: kept in its history, told to the master at work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError
from fieldservice.lib.phones import parse_phone
from fieldservice.runtime import wake
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import history, intake, lifecycle, notices, place
from orders.services.schedule import Plan, Slot
from staff.scope import require

S = OrderStatus
#: the visit has not begun: its time may change
MOVABLE = (S.CREATED, S.DEFERRED, *S.SEARCH, S.ASSIGNED, S.EN_ROUTE)
#: what may be corrected, and how it is read; all but the phone may be emptied
FIELDS: dict[str, Callable[[str], str]] = {**intake.OPTIONAL, "client_phone": parse_phone}


@transaction.atomic
def correct(
    *, order_id: int, changes: dict[str, Any], actor: Actor, now: datetime, seen: Mapping[str, Any] | None = None
) -> Order:
    """Write what differs; nothing else of the row is touched, for the engine writes there at any moment.

    `seen`: fields as the caller was shown them. Raises StaleError when somebody else corrected one meanwhile; that a
    master accepted meanwhile is no reason to lose what was typed.
    """
    require(actor, "order.create")
    order = lifecycle.lock_for(order_id, actor)
    if any((value or None) != (getattr(order, name) or None) for name, value in (seen or {}).items()):
        raise lifecycle.stale(order, remark="corrected")
    new = {name: value for name, value in changes.items()
           if name in FIELDS and (value or None) != getattr(order, name)}  # fmt: skip
    if not new:
        return order
    before = {name: getattr(order, name) for name in new}
    for name, value in new.items():
        setattr(order, name, value or None)
    order.updated_at = now
    order.save(update_fields=[*new, "updated_at"])
    changed = {name: [before[name], value or None] for name, value in new.items()}
    history.remark(order, actor=actor, reason="corrected", now=now, context={"changes": changed})
    notices.changed(order, new)
    if {"house", "street_text"} & set(new):
        place.address_changed(order, now=now)
    return order


@transaction.atomic
def reschedule(
    *,
    order_id: int, slot: Slot | None, actor: Actor, confirm_late: bool = False, version: int | None = None,
    now: datetime | None = None,
) -> Order:  # fmt: skip
    """Another time for a visit that has not begun; `slot` None: as soon as possible.

    Without a master the order is planned as a new one would be: whoever was asked was asked for another time, so live
    offers are withdrawn and the search begins anew, now or at the opening of the slot's day. The master who has the
    order keeps it and is told. Raises InvalidError, TooLateForToday (confirm, or choose), ConflictError, StaleError.
    """
    now = now or timezone.now()
    require(actor, "order.create")
    order = lifecycle.lock_for(order_id, actor, version=version)
    if order.status not in MOVABLE:
        raise ConflictError(
            _("Order #%(id)s is «%(status)s» now: the time of its visit can no longer be changed.")
            % {"id": order.pk, "status": order.get_status_display()}
        )
    planned = intake.planned(slot, order.city, now=now, confirm_late=confirm_late)
    before, after = (order.timeslot_start_utc, order.timeslot_end_utc), _ends(planned.slot)
    if before == after:
        return order
    context = {"action": "rescheduled", "slot": [_written(before), _written(after)]}
    times: dict[str, Any] = {"timeslot_start_utc": after[0], "timeslot_end_utc": after[1]}
    common: dict[str, Any] = {"actor": actor, "reason": "rescheduled", "now": now, "context": context}
    if order.status in (S.CREATED, S.DEFERRED) and planned.status == S.SEARCHING:
        lifecycle.begin_search(order, **common, **times)
    elif order.status == S.CREATED:
        lifecycle.move(order, S.DEFERRED, **common, dispatch_at=planned.look_at, **times)
    else:
        lifecycle.amend(order, times | _deadlines(order, planned, now), **common)
    if order.status in S.ACTIVE:
        notices.changed(order, times)
    elif planned.look_at <= now:
        wake.dispatch()
    return order


def _deadlines(order: Order, planned: Plan, now: datetime) -> dict[str, Any]:
    """When the engine looks at an order whose status stays as it is."""
    if order.status == S.DEFERRED:
        return {"dispatch_at": planned.look_at}
    if order.status not in S.SEARCH:
        return {}
    return lifecycle.search_anew(order, now=now, look_at=planned.look_at)


def _ends(slot: Slot | None) -> tuple[datetime | None, datetime | None]:
    return (slot.start, slot.end) if slot else (None, None)


def _written(pair: tuple[datetime | None, datetime | None]) -> list[str | None]:
    return [moment.isoformat() if moment else None for moment in pair]
