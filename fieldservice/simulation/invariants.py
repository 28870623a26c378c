"""What must hold at every minute of every day, whatever people do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from fieldservice.runtime import registry
from finance.services import ledger

SETTINGS = ("offers_per_round", "max_active_orders", "escalate_to_admin_after_min", "distribution_tick_seconds")
#: each row is a sentence about something that must not be
MINUTELY = """
SELECT format('order %%s has %%s live offers of the engine at once', order_id, count(*))
  FROM offers WHERE state IN ('SENT', 'VIEWED') AND NOT is_manual
 GROUP BY order_id HAVING count(*) > %(offers_per_round)s
UNION ALL
SELECT format('offer %%s is live, but its order %%s is %%s', f.id, o.id, o.status)
  FROM offers f JOIN orders o ON o.id = f.order_id
 WHERE f.state IN ('SENT', 'VIEWED') AND o.status NOT IN ('SEARCHING', 'GUARANTEE')
UNION ALL
SELECT format('master %%s has %%s orders and offers, his limit is %%s', m.id, load.n, own.most)
  FROM (SELECT master_id, sum(n) AS n FROM (
            SELECT o.assigned_master_id AS master_id, 1 AS n FROM orders o
             WHERE o.status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT') AND EXISTS
                   (SELECT FROM offers f WHERE f.order_id = o.id AND f.state = 'ACCEPTED')
            UNION ALL SELECT master_id, 1 FROM offers WHERE state IN ('SENT', 'VIEWED') AND NOT is_manual) both_kinds
         GROUP BY 1) load
  JOIN masters m ON m.id = load.master_id,
       LATERAL (SELECT coalesce(m.max_active_orders_override, %(max_active_orders)s) AS most) own
 WHERE load.n > own.most
UNION ALL
SELECT format('offer %%s should have ended at %%s', id, expires_at) FROM offers
 WHERE state IN ('SENT', 'VIEWED') AND coalesce(expires_at, sent_at) < %(late)s
UNION ALL
SELECT format('order %%s (%%s) should have been looked at by %%s', id, status, dispatch_at) FROM orders
 WHERE status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED') AND dispatch_at < %(late)s
UNION ALL
SELECT format('order %%s searches, but nobody was told and nothing is planned', id) FROM orders
 WHERE status IN ('SEARCHING', 'GUARANTEE') AND dispatch_at IS NULL AND dist_escalated_logist_at IS NULL
UNION ALL
SELECT format('order %%s is with logists since %%s, admins were not told', id, dist_escalated_logist_at) FROM orders
 WHERE status IN ('SEARCHING', 'GUARANTEE') AND dist_escalated_admin_at IS NULL
   AND dist_escalated_logist_at < %(late)s - make_interval(mins => %(escalate_to_admin_after_min)s)
UNION ALL
SELECT format('order %%s is %%s, its master is %%s', id, status, coalesce(assigned_master_id::text, 'nobody'))
  FROM orders
 WHERE (status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT', 'CLOSED')) <> (assigned_master_id IS NOT NULL)
   AND status <> 'CANCELED'
UNION ALL
SELECT format('commission %%s was due at %%s', id, deadline_at) FROM commissions
 WHERE status = 'WAIT_PAY' AND deadline_at < %(late)s
UNION ALL
SELECT format('master %%s is on a break that ended at %%s', id, break_until) FROM masters
 WHERE shift_status = 'BREAK' AND break_until < %(late)s"""
#: the history tells the whole story: looked at once, at the end
BOOKS = """
SELECT format('order %s is %s, its history ends with %s', o.id, o.status, h.last)
  FROM orders o JOIN (SELECT order_id, (array_agg(to_status ORDER BY id DESC))[1] AS last
                        FROM order_status_history GROUP BY 1) h ON h.order_id = o.id
 WHERE h.last <> o.status
UNION ALL
SELECT format('order %s has version %s after %s transitions', o.id, o.version, h.n)
  FROM orders o JOIN (SELECT order_id, count(*) FILTER (WHERE from_status IS DISTINCT FROM to_status) AS n
                        FROM order_status_history GROUP BY 1) h ON h.order_id = o.id
 WHERE o.version <> h.n
UNION ALL
SELECT format('order %s has %s commissions, its status is %s', o.id, count(c.id), o.status)
  FROM orders o LEFT JOIN commissions c ON c.order_id = o.id
 WHERE o.status IN ('PAYMENT', 'CLOSED') AND o.type = 'NORMAL' GROUP BY o.id HAVING count(c.id) <> 1"""


class InvariantBroken(AssertionError):
    """Which rule, which row, and when."""


def check(now: datetime) -> None:
    """Raises InvariantBroken with the virtual time and every broken rule."""
    values = registry.read(SETTINGS)
    patience = max(60, values["distribution_tick_seconds"] + 30)  # some things only the tick looks at
    found = _rows(MINUTELY, values | {"late": now - timedelta(seconds=patience)})
    if found:
        raise InvariantBroken(f"At {now:%H:%M:%S} UTC: " + "; ".join(found[:10]))


def check_books() -> None:
    """At the end: history, versions, commissions and the journal agree with the orders. Raises InvariantBroken."""
    found = [*_rows(BOOKS, None), *ledger.check().differences]
    if found:
        raise InvariantBroken("At the end: " + "; ".join(found[:10]))


def _rows(statement: str, values: dict[str, Any] | None) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()]
