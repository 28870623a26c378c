"""When dispatch cannot help: marks on the order, one notice per episode to logists, later to admins (spec §4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from fieldservice.lib.actor import DISPATCH
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from fieldservice.runtime import registry
from orders.dispatch.values import Config, Decision
from orders.enums import OrderStatus
from orders.models import Order, OrderStatusHistory
from staff.enums import Role
from staff.models import StaffUser

#: writes the next look of every escalated order; the mark is set once per episode
ESCALATE = """
UPDATE orders o SET dispatch_at = t.look_at, rounds_limit = t.rounds, escalation_reason = t.reason,
       dist_escalated_logist_at = coalesce(o.dist_escalated_logist_at, %(now)s),
       escalation_logist_notified_at = coalesce(o.escalation_logist_notified_at, %(now)s)
  FROM unnest(%(ids)s::int[], %(look_at)s::timestamptz[], %(rounds)s::int[], %(reasons)s::text[])
       AS t(id, look_at, rounds, reason)
 WHERE o.id = t.id"""


def to_logists(decisions: list[Decision], *, now: datetime) -> None:
    """Mark the claimed orders; tell each city's logists and ALERTS about those whose episode begins here."""
    if not decisions:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            ESCALATE,
            {
                "now": now,
                "ids": [d.order.id for d in decisions],
                "look_at": [d.look_at for d in decisions],
                "rounds": [d.rounds_limit for d in decisions],
                "reasons": [str(d.outcome) for d in decisions],
            },
        )
    fresh = [d for d in decisions if not d.order.escalated]
    OrderStatusHistory.objects.bulk_create(
        OrderStatusHistory(
            order_id=d.order.id,
            from_status=d.order.status,
            to_status=d.order.status,
            actor_type=DISPATCH.type,
            reason="distribution_escalate_logist",
            context={"reason": str(d.outcome)},
            created_at=now,
        )
        for d in fresh
    )
    _notify(
        "escalation_logist",
        [(d.order.id, d.order.city_id, str(d.outcome)) for d in fresh],
        roles=[Role.LOGIST],
        now=now,
    )


def with_logists_too_long(*, config: Config, now: datetime, limit: int = 500) -> list[int]:
    """The orders admins must hear of, longest first."""
    return list(_too_long(config, now).values_list("pk", flat=True)[:limit])


@transaction.atomic
def to_admins(*, config: Config, now: datetime, limit: int = 500, only: int | None = None) -> list[int]:
    """Alert admins about the orders (or the one called `only`) that have been with logists too long; their ids."""
    rows = _too_long(config, now).select_for_update(skip_locked=True, no_key=True)
    overdue = list((rows.filter(pk=only) if only else rows)[:limit])
    ids = [order.pk for order in overdue]
    Order.objects.filter(pk__in=ids).update(dist_escalated_admin_at=now, escalation_admin_notified_at=now)
    OrderStatusHistory.objects.bulk_create(
        OrderStatusHistory(
            order_id=o.pk,
            from_status=o.status,
            to_status=o.status,
            actor_type=DISPATCH.type,
            reason="distribution_escalate_admin",
            context={"reason": o.escalation_reason},
            created_at=now,
        )
        for o in overdue
    )
    _notify(
        "escalation_admin",
        [(o.pk, o.city_id, o.escalation_reason or "") for o in overdue],
        roles=[Role.CITY_ADMIN, Role.GLOBAL_ADMIN],
        now=now,
    )
    return ids


def _too_long(config: Config, now: datetime) -> QuerySet[Order]:
    return Order.objects.filter(
        status__in=OrderStatus.SEARCH,
        assigned_master__isnull=True,
        dist_escalated_admin_at__isnull=True,
        dist_escalated_logist_at__lte=now - timedelta(minutes=config.escalate_to_admin_after_min),
    ).order_by("dist_escalated_logist_at")


def _notify(event: str, cases: list[tuple[int, int, str]], *, roles: list[Role], now: datetime) -> None:
    if not cases:
        return
    channel = registry.get("alerts_channel_id")
    people = _recipients({city for _, city, _ in cases}, roles)
    messages = []
    for order_id, city_id, reason in cases:
        episode = f"{event}:{order_id}:{int(now.timestamp())}"
        payload = {"order_id": order_id, "reason": reason}
        targets = [{"staff_id": pk} for pk in people[city_id]] + ([{"chat_id": channel}] if channel else [])
        messages += [
            Message(event=event, payload=payload, dedup_key=f"{episode}:{next(iter(target.values()))}", **target)
            for target in targets
        ]
    outbox.enqueue(messages)


def _recipients(cities: Iterable[int], roles: list[Role]) -> dict[int, list[int]]:
    """City → ids of the active staff with a Telegram id to tell; GLOBAL_ADMINs belong to every city."""
    everywhere, found = [], defaultdict(list)
    rows = (
        StaffUser.objects.filter(is_active=True, tg_user_id__isnull=False, role__in=roles)
        .filter(Q(role=Role.GLOBAL_ADMIN) | Q(cities__in=list(cities)))
        .values_list("pk", "role", "cities__id")
        .distinct()
    )
    for pk, role, city_id in rows:
        if role == Role.GLOBAL_ADMIN:
            everywhere.append(pk)
        elif city_id is not None:
            found[city_id].append(pk)
    return {city: [*found[city], *sorted(set(everywhere))] for city in cities}
