"""The rows of an acceptance: the hot path of every race, so four statements of plain SQL instead of a dozen of the ORM.

It locks, reads and writes; what is allowed is decided by `orders.services.offers`. The locks come in the order of the
whole product: order, offer, master. What is counted is read after the locks, in a statement of its own: it sees what
others committed while this one waited.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, models

from fieldservice.lib.actor import Actor
from fieldservice.runtime import registry
from orders.enums import OfferState, OrderStatus
from orders.models import Offer, Order
from orders.services import lifecycle, offer_writer
from staff.models import Master


def _columns(model: type[models.Model], names: set[str]) -> list[str]:
    """`names` in the model's own order, as `from_db` wants them."""
    return [field.attname for field in model._meta.concrete_fields if field.attname in names]


ORDER = _columns(Order, {"id", "status", "assigned_master_id", "version", "city_id", "search_number"})
OFFER = _columns(Offer, {"id", "order_id", "master_id", "state", "close_reason", "expires_at", "round_number",
                         "is_manual", "staff_confirmed"})  # fmt: skip
MASTER = _columns(
    Master,
    {"id", "is_blocked", "blocked_reason", "is_active", "is_deleted", "verified", "moderation_status", "shift_status",
     "break_until", "max_active_orders_override"},
)  # fmt: skip

LOCK_ORDER = f"""
SELECT {", ".join(ORDER)} FROM orders
 WHERE id = (SELECT order_id FROM offers WHERE id = %s AND master_id = %s) FOR NO KEY UPDATE"""
# NO KEY: the tick's inserts of offers hold FOR KEY SHARE on masters and must not wait for us
LOCK_OFFER = f"""
SELECT {", ".join(f"f.{name}" for name in OFFER)}, {", ".join(f"m.{name}" for name in MASTER)}
  FROM offers f JOIN masters m ON m.id = f.master_id WHERE f.id = %s FOR NO KEY UPDATE OF f, m"""
LOAD = """
SELECT (SELECT count(*) FROM orders WHERE assigned_master_id = %(master)s
           AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')),
       (SELECT value FROM settings WHERE key = 'max_active_orders')"""
WRITE = """
WITH taken AS (
    UPDATE offers SET state = 'ACCEPTED', responded_at = %(now)s, close_reason = NULL WHERE id = %(offer)s),
others AS (
    UPDATE offers SET state = 'CANCELED', responded_at = %(now)s, close_reason = 'taken'
     WHERE order_id = %(order)s AND id <> %(offer)s AND state IN ('SENT', 'VIEWED') RETURNING id, master_id),
past AS (
    SELECT array_agg(DISTINCT reason) AS reasons FROM order_status_history
     WHERE order_id = %(order)s AND reason LIKE 'distribution_escalate_%%'
       AND created_at >= (SELECT coalesce(search_started_at, created_at) FROM orders WHERE id = %(order)s)),
metric AS (
    INSERT INTO distribution_metrics(
        order_id, master_id, assigned_at, round_number, candidates_count, time_to_assign_seconds, preferred_master_used,
        was_escalated_to_logist, was_escalated_to_admin, city_id, district_id, category, order_type, metadata_json)
    SELECT o.id, %(master)s, %(now)s, %(round)s,
           coalesce((SELECT candidates_count FROM dispatch_decisions d
                      WHERE d.order_id = o.id AND d.search_number = o.search_number
                        AND d.outcome IN ('offered', 'no_candidates') ORDER BY decided_at DESC, id DESC LIMIT 1), 0),
           greatest(0, extract(epoch FROM %(now)s - coalesce(o.search_started_at, o.created_at)))::int,
           o.preferred_master_id IS NOT DISTINCT FROM %(master)s,
           coalesce('distribution_escalate_logist' = ANY(past.reasons), false),
           coalesce('distribution_escalate_admin' = ANY(past.reasons), false),
           o.city_id, o.district_id, o.category::text, o.type::text,
           jsonb_build_object('manual', %(manual)s, 'search', o.search_number)
      FROM orders o, past WHERE o.id = %(order)s),
history AS (
    INSERT INTO order_status_history(order_id, from_status, to_status, reason, actor_type, changed_by_master_id,
                                     created_at, context)
    VALUES (%(order)s, %(before)s::order_status, 'ASSIGNED', 'accepted_by_master', 'MASTER', %(master)s, %(now)s,
            %(context)s::jsonb)),
assigned AS (
    UPDATE orders SET status = 'ASSIGNED', assigned_master_id = %(master)s, version = version + 1, updated_at = %(now)s,
           dispatch_at = NULL, dist_escalated_logist_at = NULL, dist_escalated_admin_at = NULL,
           escalation_logist_notified_at = NULL, escalation_admin_notified_at = NULL, escalation_reason = NULL
     WHERE id = %(order)s)
SELECT id, master_id FROM others"""


class Ground(NamedTuple):
    """What is locked. The models carry only the columns that the rules need."""

    order: Order
    offer: Offer
    master: Master


def lock(offer_id: int, master_id: int) -> Ground | None:
    """Lock order, offer and master; None when the master has no such offer."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_ORDER, [offer_id, master_id])
        row = cursor.fetchone()
        if row is None:
            return None
        order = Order.from_db("default", ORDER, row)
        cursor.execute(LOCK_OFFER, [offer_id])
        row = cursor.fetchone()
    offer = Offer.from_db("default", OFFER, row[: len(OFFER)])
    return Ground(order, offer, Master.from_db("default", MASTER, row[len(OFFER) :]))


def load(master: Master) -> tuple[int, int]:
    """(active orders, limit) of a locked master."""
    with connection.cursor() as cursor:
        cursor.execute(LOAD, {"master": master.pk})
        active, stored = cursor.fetchone()
    own = master.max_active_orders_override
    return active, registry.typed("max_active_orders", stored) if own is None else own


def write(ground: Ground, *, actor: Actor, now: datetime) -> None:
    """The offer is accepted, the order assigned, the other live offers withdrawn; history, metric and messages."""
    order, offer, master = ground
    lifecycle.check_legal(order, OrderStatus.ASSIGNED, actor)
    context = {"offer_id": offer.pk, "round": offer.round_number} | ({"via": actor.via} if actor.via else {})
    params: dict[str, Any] = {
        "order": order.pk, "offer": offer.pk, "master": master.pk, "round": offer.round_number, "before": order.status,
        "manual": offer.is_manual, "now": now, "context": json.dumps(context),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(WRITE, params)
        offer_writer.redraw_rows(cursor.fetchall())
    offer.state, order.status = OfferState.ACCEPTED, OrderStatus.ASSIGNED
    order.assigned_master_id, order.version = master.pk, order.version + 1
