"""The menu's figures in one statement: it is the screen people open most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from finance.enums import CommissionStatus
from orders.enums import OfferState, OrderStatus

SQL = """
SELECT (SELECT count(*) FROM offers f JOIN orders o ON o.id = f.order_id
         WHERE f.master_id = %(master)s AND f.state = ANY(%(live)s::offer_state[]) AND f.expires_at > %(now)s
           AND o.status = ANY(%(search)s::order_status[])),
       (SELECT count(*) FROM orders
         WHERE assigned_master_id = %(master)s AND status = ANY(%(active)s::order_status[])),
       count(*) FILTER (WHERE status <> %(reported)s), count(*) FILTER (WHERE status = %(reported)s)
  FROM commissions WHERE master_id = %(master)s AND status = ANY(%(unpaid)s::commission_status[])"""


@dataclass(frozen=True, slots=True)
class Counts:
    """What waits for a master: offers to answer, orders in work, commissions to pay and those being checked."""

    offers: int
    active: int
    unpaid: int
    waiting: int


def count(*, master_id: int, now: datetime) -> Counts:
    """The figures at `now`; what they count is what `orders.selectors` and `finance.selectors` list."""
    params: dict[str, Any] = {
        "master": master_id,
        "now": now,
        "live": list(OfferState.LIVE),
        "search": [str(status) for status in OrderStatus.SEARCH],
        "active": [str(status) for status in OrderStatus.ACTIVE],
        "unpaid": list(CommissionStatus.UNPAID),
        "reported": str(CommissionStatus.REPORTED),
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL, params)
        return Counts(*cursor.fetchone())
