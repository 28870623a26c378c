"""Corrections of an order's address, client and description: kept in its history, told to the master at work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from fieldservice.lib.actor import Actor
from orders.models import Order
from orders.services import history, intake, lifecycle, notices, place
from staff.scope import require


@transaction.atomic
def correct(*, order_id: int, changes: dict[str, Any], actor: Actor, now: datetime) -> Order:
    """Write what differs; nothing else of the row is touched, for the engine writes there at any moment."""
    require(actor, "order.create")
    order = lifecycle.lock_for(order_id, actor)
    new = {name: value for name, value in changes.items()
           if name in intake.OPTIONAL and (value or None) != getattr(order, name)}  # fmt: skip
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
