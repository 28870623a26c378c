"""What a day came to, read from the rows alone: offers, history, metrics. No ids: two runs may be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection

from fieldservice.simulation.day import Day

#: order → when it entered search first, was offered first, was assigned first and how
ORDERS = """
SELECT o.id, extract(epoch FROM f.first_offer - h.searching), extract(epoch FROM h.assigned - h.searching),
       h.by_master AND h.staff_acts = 0, h.to_logist, h.to_admin, f.rounds
  FROM orders o
  JOIN (SELECT order_id, min(created_at) FILTER (WHERE to_status = 'SEARCHING') AS searching,
               min(created_at) FILTER (WHERE to_status = 'ASSIGNED') AS assigned,
               bool_or(reason = 'accepted_by_master') AS by_master,
               count(*) FILTER (WHERE reason IN ('search_again', 'offered_by_staff', 'manual_assign')) AS staff_acts,
               bool_or(reason = 'distribution_escalate_logist') AS to_logist,
               bool_or(reason = 'distribution_escalate_admin') AS to_admin
          FROM order_status_history GROUP BY 1) h ON h.order_id = o.id
  LEFT JOIN LATERAL (SELECT min(sent_at) AS first_offer,
                            max(round_number) FILTER (WHERE state = 'ACCEPTED') AS rounds
                       FROM offers WHERE order_id = o.id) f ON true
 WHERE h.searching IS NOT NULL ORDER BY o.id"""
OFFERS = "SELECT state::text, count(*) FROM offers GROUP BY 1 ORDER BY 1"
#: equals: masters of one city with and without a vehicle, for that ranks first
LOADS = """
SELECT m.city_id, m.has_vehicle, count(DISTINCT f.order_id) FROM masters m
  LEFT JOIN offers f ON f.master_id = m.id AND f.responded_at IS NOT NULL AND (f.state = 'ACCEPTED'
        OR f.close_reason = 'withdrawn') GROUP BY m.id ORDER BY 1, 2, 3"""
OPEN = """
SELECT CASE WHEN status = 'DEFERRED' THEN 'deferred: waits for the working window'
            WHEN status IN ('SEARCHING', 'GUARANTEE') AND escalation_reason IS NOT NULL
                 THEN 'searching: with staff, ' || escalation_reason
            WHEN status IN ('SEARCHING', 'GUARANTEE') THEN 'searching: an offer is out'
            WHEN status = 'PAYMENT' THEN 'payment: the commission is not approved yet'
            ELSE lower(status::text) || ': on a master''s hands' END AS why, count(*)
  FROM orders WHERE status NOT IN ('CLOSED', 'CANCELED') GROUP BY 1 ORDER BY 1"""
STATUSES = "SELECT status::text, count(*) FROM orders GROUP BY 1 ORDER BY 1"


@dataclass(frozen=True, slots=True)
class Report:
    """Times in seconds, shares from 0 to 1."""

    orders: int
    closed: int
    canceled: int
    first_offer_p50: float | None
    first_offer_p95: float | None
    assigned_p50: float | None
    assigned_p95: float | None
    assigned: int
    without_staff: float
    rounds: dict[str, int]
    to_logist: int
    to_admin: int
    offers: int
    offers_per_assignment: float | None
    ended: dict[str, int]
    refused: dict[str, int]
    gini_equals: float
    load_p10: float
    load_p90: float
    open: dict[str, int]
    calls: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def make(day: Day) -> Report:
    """The report of a day that is over, from its database."""
    rows, statuses, ended = _rows(ORDERS), dict(_rows(STATUSES)), dict(_rows(OFFERS))
    to_offer = [float(row[1]) for row in rows if row[1] is not None]
    to_master = [float(row[2]) for row in rows if row[2] is not None]
    loads = _rows(LOADS)
    sent = sum(ended.values())
    return Report(
        orders=sum(statuses.values()),
        closed=statuses.get("CLOSED", 0),
        canceled=statuses.get("CANCELED", 0),
        first_offer_p50=_percentile(to_offer, 0.5),
        first_offer_p95=_percentile(to_offer, 0.95),
        assigned_p50=_percentile(to_master, 0.5),
        assigned_p95=_percentile(to_master, 0.95),
        assigned=len(to_master),
        without_staff=_share([bool(row[3] and row[2] is not None) for row in rows]),
        rounds=_counted([row[6] for row in rows if row[6] is not None]),
        to_logist=sum(bool(row[4]) for row in rows),
        to_admin=sum(bool(row[5]) for row in rows),
        offers=sent,
        offers_per_assignment=round(sent / len(to_master), 2) if to_master else None,
        ended={name.lower(): count for name, count in ended.items()},
        refused=dict(sorted(day.refused.items())),
        gini_equals=_among_equals(loads),
        load_p10=_percentile([row[2] for row in loads], 0.1) or 0,
        load_p90=_percentile([row[2] for row in loads], 0.9) or 0,
        open=dict(_rows(OPEN)),
        calls=dict(sorted(day.calls.items())),
    )


def gini(values: Sequence[float]) -> float:
    """0: everybody has the same; towards 1: one has everything."""
    total, n = sum(values), len(values)
    if not total:
        return 0.0
    weighted = sum(place * value for place, value in enumerate(sorted(values), start=1))
    return 2 * weighted / (n * total) - (n + 1) / n


def _among_equals(loads: list[tuple[Any, ...]]) -> float:
    groups: dict[tuple[int, bool], list[float]] = {}
    for city, vehicle, count in loads:
        groups.setdefault((city, vehicle), []).append(count)
    return round(sum(len(group) * gini(group) for group in groups.values()) / max(len(loads), 1), 3)


def _percentile(values: list[float], share: float) -> float | None:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1) if ordered else None


def _share(flags: list[bool]) -> float:
    return round(sum(flags) / len(flags), 3) if flags else 0.0


def _counted(values: list[int]) -> dict[str, int]:
    return {str(value): values.count(value) for value in sorted(set(values))}


def _rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()
