"""The order's history: one append-only row per transition or remark."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fieldservice.lib.actor import Actor
from orders.models import Order, OrderStatusHistory


def record(
    order: Order,
    *,
    from_status: str | None,
    actor: Actor,
    reason: str,
    now: datetime,
    context: dict[str, Any] | None = None,
) -> None:
    """`order` went from `from_status` to its present status (equal for a remark)."""
    OrderStatusHistory.objects.create(
        order=order,
        from_status=from_status,
        to_status=order.status,
        reason=reason,
        actor_type=actor.type,
        changed_by_staff_id=actor.staff_id,
        changed_by_master_id=actor.master_id,
        created_at=now,
        context=(context or {}) | ({"via": actor.via} if actor.via else {}),
    )


def remark(order: Order, *, actor: Actor, reason: str, now: datetime, context: dict[str, Any] | None = None) -> None:
    """Something happened to the order that is no transition."""
    record(order, from_status=order.status, actor=actor, reason=reason, now=now, context=context)
