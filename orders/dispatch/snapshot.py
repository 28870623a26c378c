"""Reads what `decide` needs, in a constant number of queries whatever the number of orders and masters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from fieldservice.runtime import registry
from orders.dispatch.values import Candidate, Config, DueOrder, LeftOut, Snapshot

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
       due.rounds_limit, due.guarantee, due.preferred_master_id, due.escalated, past.asked, past.live
  FROM due
  LEFT JOIN LATERAL (
      SELECT array_agg(f.master_id) FILTER (WHERE f.search_number = due.search_number OR f.state = 'ACCEPTED') AS asked,
             max(coalesce(f.expires_at, f.sent_at + make_interval(secs => f.sla_seconds)))
                 FILTER (WHERE f.state IN ('SENT', 'VIEWED')) AS live
        FROM offers f WHERE f.order_id = due.id) past ON true
 ORDER BY due.place"""

DUE = """
SELECT EXISTS(
    SELECT FROM orders WHERE status IN ('SEARCHING', 'GUARANTEE') AND assigned_master_id IS NULL
       AND dispatch_at IS NOT NULL AND dispatch_at <= %(now)s AND id <> ALL(%(skip)s::int[]))"""

#: load and average check are computed for everybody at once: cheaper than per master
MASTERS = """
WITH active AS MATERIALIZED (
    SELECT assigned_master_id AS id, count(*)::int AS n FROM orders
     WHERE status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT') AND assigned_master_id IS NOT NULL GROUP BY 1),
live AS MATERIALIZED (
    SELECT master_id AS id, count(*)::int AS n FROM offers WHERE state IN ('SENT', 'VIEWED') GROUP BY 1),
average AS MATERIALIZED (
    SELECT assigned_master_id AS id, (avg(total_sum) * 100)::bigint AS kopecks FROM orders
     WHERE status IN ('PAYMENT', 'CLOSED') AND type = 'NORMAL' AND created_at >= %(week)s
       AND assigned_master_id IS NOT NULL GROUP BY 1)
SELECT m.id, m.city_id, m.has_vehicle, coalesce(average.kopecks, 0), m.rating, left_over.free,
       CASE WHEN NOT m.verified THEN 'not_verified' WHEN m.is_blocked THEN 'blocked'
            WHEN NOT m.is_active THEN 'inactive'
            WHEN m.shift_status = 'BREAK' OR m.break_until > %(now)s THEN 'break'
            WHEN m.shift_status <> 'SHIFT_ON' THEN 'off_shift'
            WHEN m.tg_user_id IS NULL OR m.unreachable_at IS NOT NULL THEN 'unreachable'
            WHEN left_over.free <= 0 THEN 'limit' END
  FROM masters m LEFT JOIN active USING (id) LEFT JOIN live USING (id) LEFT JOIN average USING (id)
 CROSS JOIN LATERAL (SELECT coalesce(m.max_active_orders_override, %(limit)s) - coalesce(active.n, 0)
                            - coalesce(live.n, 0) AS free) left_over
 WHERE m.city_id = ANY(%(cities)s) AND NOT m.is_deleted"""

SETS = """
SELECT 'skill', s.code, array_agg(ms.master_id)
  FROM skills s LEFT JOIN (master_skills ms JOIN masters m ON m.id = ms.master_id AND m.city_id = ANY(%(cities)s))
    ON ms.skill_id = s.id
 WHERE s.is_active AND s.code = ANY(%(categories)s) GROUP BY s.code
UNION ALL
SELECT 'district', district_id::text, array_agg(master_id) FROM master_districts
 WHERE district_id = ANY(%(districts)s) GROUP BY district_id"""


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


def anything_due(*, now: datetime, skip: Sequence[int] = ()) -> bool:
    """Whether there is anything to claim: most ticks find nothing and need no lock."""
    return bool(_query(DUE, {"now": now, "skip": list(skip)})[0][0])


def claim(*, now: datetime, limit: int, only: int | None = None, skip: Sequence[int] = ()) -> tuple[DueOrder, ...]:
    """Lock up to `limit` due orders (or the one called `only`) until the transaction ends.

    Left out are those that somebody else holds, and those in `skip`.
    """
    rows = _query(CLAIM, {"now": now, "limit": limit, "only": only, "skip": list(skip)})
    return tuple(
        DueOrder(
            id=r[0],
            city_id=r[1],
            district_id=r[2],
            category=r[3],
            status=r[4],
            search_number=r[5],
            round=r[6],
            rounds_limit=r[7],
            guarantee=r[8],
            preferred_master_id=r[9],
            escalated=r[10],
            asked=frozenset(r[11] or ()),
            live_until=r[12],
        )
        for r in rows
    )


def load(orders: tuple[DueOrder, ...], *, config: Config, now: datetime) -> Snapshot:
    """The snapshot for claimed orders: the masters of their cities, two queries."""
    cities = sorted({order.city_id for order in orders})
    params = {"cities": cities, "limit": config.max_active_orders, "week": now - timedelta(days=7), "now": now}
    masters = tuple(map(_candidate, _query(MASTERS, params)))
    skills: dict[str, frozenset[int]] = {}
    districts: dict[int, frozenset[int]] = {}
    wanted = {
        "cities": cities,
        "categories": sorted({order.category for order in orders}),
        "districts": sorted({order.district_id for order in orders if order.district_id is not None}),
    }
    for kind, key, ids in _query(SETS, wanted):
        members = frozenset(i for i in ids if i is not None)
        if kind == "skill":
            skills[key] = members
        else:
            districts[int(key)] = members
    return Snapshot(orders, masters, skills, districts)


def _candidate(row: tuple[Any, ...]) -> Candidate:
    return Candidate._make(row) if row[6] is None else Candidate._make((*row[:6], LeftOut(row[6])))


def _query(sql: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
