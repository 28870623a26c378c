"""THE writer of `Order.status`: one table of legal transitions, one door, a history row for each (spec §3).

Lock order everywhere: Order → Offer → Commission → Master. `lock()` an order first, or call a verb that does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import check_reason as check_reason
from fieldservice.lib.errors import ConflictError, ForbiddenError, NotFoundError, StaleError
from fieldservice.lib.localtime import zone
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from fieldservice.runtime import wake
from orders.enums import OfferState, OrderStatus, OrderType
from orders.models import Order, OrderStatusHistory
from orders.services import history, offer_writer
from staff.scope import may as may
from staff.scope import require, require_city

S = OrderStatus
#: a remark that changes the version, as a new search does
CORRECTED = Q(context__action__in=("sum_corrected", "rescheduled", "rerouted"))
STAFF, MASTER, SYSTEM = "staff", "master", "system"

#: (from, to) → who may
TRANSITIONS: dict[tuple[str, str], frozenset[str]] = {
    (S.CREATED, S.SEARCHING): frozenset({STAFF, SYSTEM}),
    (S.CREATED, S.DEFERRED): frozenset({STAFF, SYSTEM}),
    (S.CREATED, S.GUARANTEE): frozenset({STAFF, SYSTEM}),
    (S.DEFERRED, S.SEARCHING): frozenset({STAFF, SYSTEM}),
    (S.DEFERRED, S.GUARANTEE): frozenset({STAFF, SYSTEM}),
    (S.SEARCHING, S.ASSIGNED): frozenset({STAFF, MASTER}),
    (S.GUARANTEE, S.ASSIGNED): frozenset({STAFF, MASTER}),
    (S.ASSIGNED, S.EN_ROUTE): frozenset({MASTER}),
    (S.EN_ROUTE, S.WORKING): frozenset({MASTER}),
    (S.WORKING, S.PAYMENT): frozenset({MASTER}),
    (S.WORKING, S.CLOSED): frozenset({MASTER}),
    (S.PAYMENT, S.CLOSED): frozenset({STAFF}),
    **{
        (source, target): frozenset({STAFF})
        for source in (S.ASSIGNED, S.EN_ROUTE, S.WORKING)
        for target in (S.SEARCHING, S.GUARANTEE)
    },
    **{
        (source, S.CANCELED): frozenset({STAFF})
        for source in (S.CREATED, S.SEARCHING, S.GUARANTEE, S.DEFERRED, S.ASSIGNED, S.EN_ROUTE, S.WORKING)
    },
}
#: what `begin_search` writes, for many: the same columns as NEW_SEARCH and CALM, version and history as in `move`
BEGIN_SEARCH = """
WITH before AS (SELECT id, status FROM orders WHERE id = ANY(%(ids)s) AND status IN ('CREATED', 'DEFERRED')),
begun AS (
    UPDATE orders o
       SET status = (CASE WHEN o.type = 'GUARANTEE' THEN 'GUARANTEE' ELSE 'SEARCHING' END)::order_status,
           version = o.version + 1, updated_at = %(now)s, dispatch_at = %(now)s, search_started_at = %(now)s,
           dispatch_round = 0, rounds_limit = NULL, dispatch_error = NULL,
           dist_escalated_logist_at = NULL, dist_escalated_admin_at = NULL, escalation_logist_notified_at = NULL,
           escalation_admin_notified_at = NULL, escalation_reason = NULL
      FROM before WHERE o.id = before.id RETURNING o.id, before.status AS before, o.status AS after)
INSERT INTO order_status_history(order_id, from_status, to_status, reason, actor_type, created_at, context)
SELECT id, before, after, %(reason)s, %(actor)s::actor_type, %(now)s, %(context)s::jsonb FROM begun
RETURNING order_id"""
#: a new search: nobody was asked yet, no round is used, no escalation is open
NEW_SEARCH: dict[str, Any] = {"dispatch_round": 0, "rounds_limit": None, "dispatch_error": None}
CALM: dict[str, Any] = {
    "dist_escalated_logist_at": None,
    "dist_escalated_admin_at": None,
    "escalation_logist_notified_at": None,
    "escalation_admin_notified_at": None,
    "escalation_reason": None,
}


def lock(order_id: int, *, version: int | None = None) -> Order:
    """The order, locked until the transaction ends.

    Raises NotFoundError, and StaleError when the caller saw another `version`. FOR NO KEY UPDATE: inserts that
    refer to the order (offers, history) need not wait for it.
    """
    order = Order.objects.select_for_update(no_key=True).select_related(None).filter(pk=order_id).first()
    if order is None:
        raise NotFoundError(no_order(order_id))
    check_version(order, version)
    return order


def lock_for(order_id: int, actor: Actor, *, version: int | None = None) -> Order:
    """`lock()` for a staff actor; to a stranger's eyes the order does not exist, whatever its version."""
    order = lock(order_id)
    require_city(actor, order.city_id, missing=no_order(order_id))
    check_version(order, version)
    return order


def no_order(order_id: int) -> str:
    """The sentence for an order that is not there, or not for this person."""
    return _("There is no order #%(id)s.") % {"id": order_id}


def check_version(order: Order, version: int | None) -> None:
    """Raises StaleError, saying who changed the order and when, unless the caller saw the present version."""
    if version is not None and order.version != version:
        raise stale(order)


def stale(order: Order, *, remark: str = "") -> StaleError:
    """The error for who saw the order as it was before: it says who changed it (or made the `remark`) and when."""
    return StaleError(_stale_sentence(order, remark))


def move(
    order: Order,
    to: OrderStatus,
    *,
    actor: Actor,
    reason: str,
    now: datetime,
    context: dict[str, Any] | None = None,
    **changes: Any,
) -> Order:
    """Write a transition of a locked order with its history row. Raises ConflictError when it is not legal."""
    check_legal(order, to, actor)
    before, order.status, order.version, order.updated_at = order.status, to, order.version + 1, now
    for name, value in changes.items():
        setattr(order, name, value)
    order.save(update_fields=["status", "version", "updated_at", *changes])
    history.record(order, from_status=before, actor=actor, reason=reason, now=now, context=context)
    return order


def check_legal(order: Order, to: OrderStatus, actor: Actor) -> None:
    """Raises ConflictError when the transition is not in the table, ForbiddenError when it is not the actor's."""
    allowed = TRANSITIONS.get((order.status, to))
    if allowed is None:
        raise ConflictError(
            _("Order #%(id)s is «%(status)s» now: this is no longer possible.")
            % {"id": order.pk, "status": order.get_status_display()}
        )
    if actor.kind not in allowed:
        raise ForbiddenError(_("You may not do this with order #%(id)s.") % {"id": order.pk})


def search_status(order: Order) -> OrderStatus:
    """The searching status of an order: guarantee orders have their own."""
    return S.GUARANTEE if order.type == OrderType.GUARANTEE else S.SEARCHING


def is_guarantee(order: Order) -> bool:
    """No sum, no commission. A visit with a source is one whatever its type says, as in v1.2."""
    return order.type == OrderType.GUARANTEE or order.guarantee_source_order_id is not None


def begin_search(order: Order, *, actor: Actor, reason: str, now: datetime, **changes: Any) -> Order:
    """A locked order enters search, due at once. An escalation from before is over."""
    fresh = {"dispatch_at": now, "search_started_at": now} | NEW_SEARCH | CALM
    return move(order, search_status(order), actor=actor, reason=reason, now=now, **(fresh | changes))


def search_anew(order: Order, *, now: datetime, look_at: datetime | None = None) -> dict[str, Any]:
    """The columns of a new search of a locked order that searches already, from `look_at` on; its offers are withdrawn.

    Rounds start with 1, and everybody may be asked again.
    """
    offer_writer.close_live(order_id=order.pk, state=OfferState.CANCELED, reason="withdrawn", now=now)
    begins = {"dispatch_at": look_at or now, "search_started_at": look_at or now}
    return begins | {"search_number": order.search_number + 1} | NEW_SEARCH | CALM


def begin_search_many(order_ids: Sequence[int], *, actor: Actor, reason: str, now: datetime) -> list[int]:
    """`begin_search` for many locked orders that wait (CREATED, DEFERRED), in one statement; returns their ids."""
    if not order_ids:
        return []
    context = json.dumps({"via": actor.via} if actor.via else {})
    params: dict[str, Any] = {"ids": list(order_ids), "now": now, "reason": reason, "actor": actor.type}
    with connection.cursor() as cursor:
        cursor.execute(BEGIN_SEARCH, params | {"context": context})
        return [row[0] for row in cursor.fetchall()]


def assign(
    order: Order, *, master_id: int, actor: Actor, reason: str, now: datetime, context: dict[str, Any] | None = None
) -> Order:
    """A locked order gets its master; the search and its escalation end."""
    return move(
        order,
        S.ASSIGNED,
        actor=actor,
        reason=reason,
        now=now,
        context=context,
        assigned_master_id=master_id,
        dispatch_at=None,
        **CALM,
    )


@transaction.atomic
def depart(*, order_id: int, actor: Actor, version: int | None = None, now: datetime | None = None) -> Order:
    """The assigned master is on the way. Repeating it is harmless."""
    return _by_master(order_id, S.EN_ROUTE, actor, "master_en_route", version, now)


@transaction.atomic
def start_work(*, order_id: int, actor: Actor, version: int | None = None, now: datetime | None = None) -> Order:
    """The assigned master is on site. Repeating it is harmless."""
    return _by_master(order_id, S.WORKING, actor, "master_working", version, now)


def finish(order: Order, *, actor: Actor, total_sum: Decimal, now: datetime) -> Order:
    """The job is done: NORMAL orders await payment, GUARANTEE orders are closed. The order is locked."""
    own(order, actor)
    if is_guarantee(order):
        move(order, S.CLOSED, actor=actor, reason="guarantee_completed", now=now, total_sum=Decimal(0), closed_at=now)
        wake.dispatch(city_id=order.city_id)
        return order
    return move(order, S.PAYMENT, actor=actor, reason="master_uploaded_act", now=now, total_sum=total_sum)


def close_paid(order: Order, *, actor: Actor, now: datetime) -> Order:
    """The commission of a locked order was approved. The master has a free place again."""
    move(order, S.CLOSED, actor=actor, reason="commission_paid", now=now, closed_at=now)
    wake.dispatch(city_id=order.city_id)
    return order


def correct_sum(order: Order, *, total_sum: Decimal, actor: Actor, reason: str, now: datetime) -> Order:
    """The sum of a locked, finished order was mistyped. A remark in the history keeps the old one."""
    context = {"action": "sum_corrected", "before": str(order.total_sum), "after": str(total_sum)}
    return amend(order, {"total_sum": total_sum}, actor=actor, reason=reason, now=now, context=context)


def amend(
    order: Order, changes: dict[str, Any], *, actor: Actor, reason: str, now: datetime, context: dict[str, Any]
) -> Order:
    """Write columns of a locked order whose status stays, with a remark; whoever saw it before is stale."""
    changes = changes | {"version": order.version + 1, "updated_at": now}
    for name, value in changes.items():
        setattr(order, name, value)
    order.save(update_fields=list(changes))
    history.remark(order, actor=actor, reason=reason, now=now, context=context)
    return order


@transaction.atomic
def activate(*, order_id: int, actor: Actor, version: int | None = None, now: datetime | None = None) -> Order:
    """Staff start the search of a DEFERRED order now."""
    now = now or timezone.now()
    order = _by_staff(order_id, actor, "order.activate", version)
    if order.status != S.DEFERRED:
        raise ConflictError(_("Order #%(id)s is not deferred.") % {"id": order.pk})
    begin_search(order, actor=actor, reason="activated_by_admin", now=now)
    wake.dispatch()
    return order


@transaction.atomic
def return_to_search(
    *, order_id: int, actor: Actor, reason: str, version: int | None = None, now: datetime | None = None
) -> Order:
    """Staff take the order from its master; a new search begins, rounds start anew."""
    now = now or timezone.now()
    reason = check_reason(reason)
    order = _by_staff(order_id, actor, "order.return", version)
    if (order.status, search_status(order)) not in TRANSITIONS or order.status not in S.ACTIVE:
        raise ConflictError(_("Order #%(id)s has no master to take it from.") % {"id": order.pk})
    former = order.assigned_master_id
    offer_writer.close_live(order_id=order.pk, state=OfferState.CANCELED, reason="withdrawn", now=now)
    _void_accepted(order, now)
    begin_search(
        order,
        actor=actor,
        reason=reason,
        now=now,
        assigned_master_id=None,
        cancel_reason=None,
        search_number=order.search_number + 1,
    )
    _tell_master(former, order, reason)
    wake.dispatch(city_id=order.city_id)
    return order


@transaction.atomic
def cancel(
    *, order_id: int, actor: Actor, reason: str, version: int | None = None, now: datetime | None = None
) -> Order:
    """Staff cancel the order; its master, kept on record, is told."""
    now = now or timezone.now()
    reason = check_reason(reason)
    order = _by_staff(order_id, actor, "order.cancel", version)
    if order.status == S.WORKING and not may(actor, "order.cancel_working"):
        raise ForbiddenError(_("The work has begun: only an admin may cancel order #%(id)s.") % {"id": order.pk})
    offer_writer.close_live(order_id=order.pk, state=OfferState.CANCELED, reason="order_canceled", now=now)
    move(
        order,
        S.CANCELED,
        actor=actor,
        reason=reason,
        now=now,
        cancel_reason=reason,
        dispatch_at=None,
        context={"action": "cancel"},
        **CALM,
    )
    _tell_master(order.assigned_master_id, order, reason)
    wake.dispatch(city_id=order.city_id)
    return order


def own(order: Order, actor: Actor) -> None:
    """Raises ConflictError unless the acting master is the assigned one."""
    if actor.kind != MASTER or order.assigned_master_id != actor.master_id:
        raise ConflictError(_("Order #%(id)s is not yours any more.") % {"id": order.pk}, code="not_yours")


def _by_staff(order_id: int, actor: Actor, action: str, version: int | None) -> Order:
    require(actor, action)
    return lock_for(order_id, actor, version=version)


def _by_master(
    order_id: int, to: OrderStatus, actor: Actor, reason: str, version: int | None, now: datetime | None
) -> Order:
    order = lock(order_id)
    own(order, actor)
    if order.status == to:  # a double tap: its version is the one before the first tap
        return order
    check_version(order, version)
    return move(order, to, actor=actor, reason=reason, now=now or timezone.now())


def _void_accepted(order: Order, now: datetime) -> None:
    # the unique index allows one ACCEPTED offer per order: the next master's acceptance needs the place
    for offer in order.offers.select_for_update(no_key=True).filter(state=OfferState.ACCEPTED):
        offer_writer.close(offer, OfferState.CANCELED, now=now, reason="withdrawn")


def _tell_master(master_id: int | None, order: Order, reason: str) -> None:
    if master_id:
        outbox.enqueue(
            Message(
                event="order_withdrawn",
                master_id=master_id,
                payload={"order_id": order.pk, "reason": reason, "status": str(order.status)},
            )
        )


def _stale_sentence(order: Order, remark: str) -> str:
    # most remarks change no version
    others = Q(from_status=F("to_status")) & ~Q(reason="search_again") & ~CORRECTED
    last = (
        OrderStatusHistory.objects.filter(Q(reason=remark) if remark else ~others, order_id=order.pk)
        .select_related("changed_by_staff", "changed_by_master", "order__city")
        .order_by("-created_at", "-id")
        .first()
    )
    if last is None:
        return _("Order #%(id)s was changed meanwhile; reload it.") % {"id": order.pk}
    who = last.changed_by_staff or last.changed_by_master or last.get_actor_type_display()
    at = last.created_at.astimezone(zone(last.order.city.timezone))
    return _("Order #%(id)s was changed by %(who)s at %(time)s; reload it.") % {
        "id": order.pk,
        "who": who,
        "time": at.strftime("%H:%M"),
    }
