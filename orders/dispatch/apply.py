"""Writes a batch of decisions about claimed orders, inside the batch's transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from orders.dispatch import escalation, trace
from orders.dispatch.values import Config, Decision, Outcome
from orders.services import offer_writer
from orders.services.offer_writer import NewOffer

#: a new offer ends the episode of an escalation
OFFERED = """
UPDATE orders o SET dispatch_at = %(look_at)s, dispatch_round = t.round, rounds_limit = t.rounds, dispatch_error = NULL,
       dist_escalated_logist_at = NULL, dist_escalated_admin_at = NULL, escalation_logist_notified_at = NULL,
       escalation_admin_notified_at = NULL, escalation_reason = NULL
  FROM unnest(%(ids)s::int[], %(round)s::int[], %(rounds)s::int[]) AS t(id, round, rounds)
 WHERE o.id = t.id"""
LOOK_AT = """
UPDATE orders o SET dispatch_at = t.look_at
  FROM unnest(%(ids)s::int[], %(look_at)s::timestamptz[]) AS t(id, look_at) WHERE o.id = t.id"""


def apply(decisions: list[Decision], *, config: Config, now: datetime) -> list[Decision]:
    """Offers with their messages, marks, next looks, the decision log. Every order's next look moves past `now`.

    Returns the decisions that came true and are news: those of the decision log.
    """
    sent = _send_offers([d for d in decisions if d.outcome == Outcome.OFFERED], config=config, now=now)
    _look_later([d for d in decisions if d.outcome == Outcome.WAITING])
    escalation.to_logists([d for d in decisions if d.outcome.escalates], now=now)
    kept = [d for d in decisions if trace.worth_keeping(d) and (d.outcome != Outcome.OFFERED or d.order.id in sent)]
    trace.save(kept, now=now)
    return kept


def _send_offers(decisions: list[Decision], *, config: Config, now: datetime) -> set[int]:
    if not decisions:
        return set()
    new = [NewOffer(d.order.id, m.id, d.round, d.order.search_number) for d in decisions for m in d.masters]
    sent = {offer.order_id for offer in offer_writer.open_offers(new, sla_seconds=config.sla_seconds, now=now)}
    done = [d for d in decisions if d.order.id in sent]
    _execute(OFFERED, {
        "ids": [d.order.id for d in done], "look_at": now + timedelta(seconds=config.sla_seconds),
        "round": [d.round for d in done], "rounds": [d.rounds_limit for d in done],
    })  # fmt: skip
    # an offer by hand came in between: look again soon, the round is not used
    lost = [d.order.id for d in decisions if d.order.id not in sent]
    _execute(LOOK_AT, {"ids": lost, "look_at": [now + timedelta(seconds=1)] * len(lost)})
    return sent


def _look_later(decisions: list[Decision]) -> None:
    _execute(LOOK_AT, {"ids": [d.order.id for d in decisions], "look_at": [d.look_at for d in decisions]})


def _execute(sql: str, params: dict[str, Any]) -> None:
    if params["ids"]:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
