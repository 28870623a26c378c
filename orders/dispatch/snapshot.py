"""Reads what `decide` needs, in a constant number of queries whatever the number of orders and masters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from fieldservice.runtime import registry
from orders.dispatch.coverage import coverage
from orders.dispatch.values import City, Config, DueOrder, LeftOut, Snapshot

#: due orders, most urgent first: escalated to admin, guarantee, slot begun, escalated to logist, oldest (spec §4).
#: `live`: offers of ANY search count, an old one by hand must end before a new one goes out. `asked`: an accepted
#: offer of an order that searches came from an import; asking its master again would break uq_offers__order_master
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT o.*, row_number() OVER () AS place FROM (
        SELECT id, city_id, CASE WHEN no_district THEN NULL ELSE district_id END AS district_id,
               category::text, status::text, search_number, dispatch_round, rounds_limit,
               type = 'GUARANTEE' AS guarantee, preferred_master_id,
               dist_escalated_logist_at IS NOT NULL AS escalated
          FROM orders
         WHERE status IN ('SEARCHING', 'GUARANTEE') AND assigned_master_id IS NULL
           AND dispatch_at IS NOT NULL AND dispatch_at <= %(now)s
           AND (%(only)s::int IS NULL OR id = %(only)s::int) AND id <> ALL(%(skip)s::int[])
         ORDER BY dist_escalated_admin_at IS NULL, type <> 'GUARANTEE',
                  timeslot_start_utc IS NULL OR timeslot_start_utc > %(now)s,
                  dist_escalated_logist_at IS NULL, created_at, id
         LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED) o)
SELECT due.id, due.city_id, due.district_id, due.category, due.status, due.search_number, due.dispatch_round,
       due.rounds_limit, due.guarantee, due.preferred_master_id, coalesce(past.asked, '{}'), past.live, due.escalated
  FROM due
  LEFT JOIN LATERAL (
      SELECT array_agg(f.master_id) FILTER (WHERE f.search_number = due.search_number OR f.state = 'ACCEPTED') AS asked,
             max(coalesce(f.expires_at, f.sent_at + make_interval(secs => f.sla_seconds)))
                 FILTER (WHERE f.state IN ('SENT', 'VIEWED')) AS live
        FROM offers f WHERE f.order_id = due.id) past ON true
 ORDER BY due.place"""

#: looks at the edge of an index each: most ticks find nothing, and need no lock then
AGENDA = """
SELECT EXISTS(SELECT FROM offers WHERE state IN ('SENT', 'VIEWED')
                 AND coalesce(expires_at, sent_at + make_interval(secs => sla_seconds)) <= %(now)s),
       EXISTS(SELECT FROM orders WHERE status IN ('CREATED', 'DEFERRED') AND dispatch_at <= %(now)s),
       EXISTS(SELECT FROM orders WHERE status IN ('SEARCHING', 'GUARANTEE') AND assigned_master_id IS NULL
                 AND dist_escalated_admin_at IS NULL AND dist_escalated_logist_at <= %(told)s),
       EXISTS(SELECT FROM orders WHERE status IN ('SEARCHING', 'GUARANTEE') AND assigned_master_id IS NULL
                 AND dispatch_at IS NOT NULL AND dispatch_at <= %(now)s)"""

#: so few cities have few masters, and asking for the average checks of these only is worth it
FEW = 3
#: `Candidate.worth`
WORTH = """(m.has_vehicle::int::bigint << 47)
    + (least(greatest(coalesce(average.kopecks, 0), 0), (1::bigint << 40) - 1) << 7)
    + least((m.rating * 10)::int, 127)"""
#: `LeftOut.bar`, the first that applies
BAR = f"""CASE WHEN NOT m.verified THEN {LeftOut.NOT_VERIFIED.bar} WHEN m.is_blocked THEN {LeftOut.BLOCKED.bar}
    WHEN NOT m.is_active THEN {LeftOut.INACTIVE.bar}
    WHEN m.shift_status = 'BREAK' OR m.break_until > %(now)s THEN {LeftOut.ON_BREAK.bar}
    WHEN m.shift_status <> 'SHIFT_ON' THEN {LeftOut.OFF_SHIFT.bar}
    WHEN m.tg_user_id IS NULL OR m.unreachable_at IS NOT NULL THEN {LeftOut.UNREACHABLE.bar}
    WHEN left_over.free <= 0 THEN {LeftOut.LIMIT.bar} ELSE 0 END"""
#: a row per city with its masters in columns. Load and average check are computed for everybody at once: cheaper than
#: per master
MASTERS = f"""
WITH active AS (
    SELECT assigned_master_id AS id, count(*)::int AS n FROM orders
     WHERE status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT') AND assigned_master_id IS NOT NULL GROUP BY 1),
live AS (
    SELECT master_id AS id, count(*)::int AS n FROM offers WHERE state IN ('SENT', 'VIEWED') GROUP BY 1),
average AS (
    SELECT assigned_master_id AS id, (avg(total_sum) * 100)::bigint AS kopecks FROM orders
     WHERE status IN ('PAYMENT', 'CLOSED') AND type = 'NORMAL' AND created_at >= %(week)s
       AND assigned_master_id IS NOT NULL
       AND (%(everybody)s OR assigned_master_id IN (SELECT id FROM masters WHERE city_id = ANY(%(cities)s)))
     GROUP BY 1),
masters AS (
    SELECT m.city_id, m.id, {WORTH} AS worth, left_over.free, {BAR} AS bar
      FROM masters m LEFT JOIN active USING (id) LEFT JOIN live USING (id) LEFT JOIN average USING (id)
     CROSS JOIN LATERAL (SELECT coalesce(m.max_active_orders_override, %(limit)s) - coalesce(active.n, 0)
                                - coalesce(live.n, 0) AS free) left_over
     WHERE m.city_id = ANY(%(cities)s) AND NOT m.is_deleted
     ORDER BY m.city_id, m.id)
SELECT city_id, array_agg(id), array_agg(worth), array_agg(free), array_agg(bar) FROM masters GROUP BY city_id"""


def load_config() -> Config:
    """The parameters of this tick, one query."""
    keys = {
        "sla_seconds": "distribution_sla_seconds",
        "rounds": "distribution_rounds",
        "offers_per_round": "offers_per_round",
        "max_active_orders": "max_active_orders",
        "citywide_fallback": "citywide_fallback",
        "tick_seconds": "distribution_tick_seconds",
        "escalate_to_admin_after_min": "escalate_to_admin_after_min",
        "log_topn": "distribution_log_topn",
    }
    values = registry.read(keys.values())
    return Config(**{name: values[key] for name, key in keys.items()})


class Agenda(NamedTuple):
    """What there is to do."""

    #: offers whose time is up
    overdue: bool
    #: orders that wait for their time, and it may have come
    asleep: bool
    #: orders that logists could not help for too long
    with_logists_too_long: bool
    #: orders to decide about
    due: bool


def agenda(*, config: Config, now: datetime) -> Agenda:
    """A look at everything the engine serves, one query."""
    told = now - timedelta(minutes=config.escalate_to_admin_after_min)
    return Agenda._make(_query(AGENDA, {"now": now, "told": told})[0])


def claim(*, now: datetime, limit: int, only: int | None = None, skip: Sequence[int] = ()) -> tuple[DueOrder, ...]:
    """Lock up to `limit` due orders (or the one called `only`) until the transaction ends.

    Left out are those that somebody else holds, and those in `skip`.
    """
    rows = _query(CLAIM, {"now": now, "limit": limit, "only": only, "skip": list(skip)})
    return tuple(map(DueOrder._make, rows))


def load(orders: tuple[DueOrder, ...], *, config: Config, now: datetime) -> Snapshot:
    """The snapshot for claimed orders: the masters of their cities and what these cover. Two queries, at most three."""
    ids = sorted({order.city_id for order in orders})
    coverage.read(ids)
    params = {"cities": ids, "limit": config.max_active_orders, "week": now - timedelta(days=7), "now": now,
              "everybody": len(ids) > FEW}  # fmt: skip
    cities = {row[0]: _city(*row) for row in _query(MASTERS, params)}
    return Snapshot(orders, cities, coverage.categories)


def _city(city_id: int, ids: list[int], worth: list[int], free: list[int], bars: list[int]) -> City:
    skills, districts = coverage.masks(city_id, ids)
    return City(city_id, ids, worth, free, bytes(bars), skills, districts)


def _query(sql: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
