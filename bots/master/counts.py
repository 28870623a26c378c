"""The menu's figures in one statement: it is the screen people open most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from fieldservice.lib.prepared import fetch, literal
from finance.enums import CommissionStatus
from finance.models.commission import TO_CHECK_SQL
from orders.enums import OfferState, OrderStatus

SQL = """
SELECT (SELECT count(*) FROM offers f JOIN orders o ON o.id = f.order_id
         WHERE f.master_id = %(master)s AND f.state IN ({live}) AND f.expires_at > %(now)s AND o.status IN ({search})),
       (SELECT count(*) FROM orders WHERE assigned_master_id = %(master)s AND status IN ({active})),
       count(*) FILTER (WHERE NOT {to_check}), count(*) FILTER (WHERE {to_check})
  FROM commissions WHERE master_id = %(master)s AND status IN ({unpaid})"""


@dataclass(frozen=True, slots=True)
class Counts:
    """What waits for a master: offers to answer, orders in work, commissions to pay and those being checked."""

    offers: int
    active: int
    unpaid: int
    waiting: int


def count(*, master_id: int, now: datetime) -> Counts:
    """The figures at `now`; what they count is what `orders.selectors` and `finance.selectors` list."""
    (found,) = fetch(_sql(), {"master": master_id, "now": now})
    return Counts(*found)


@cache
def _sql() -> str:
    return SQL.format(
        live=literal(OfferState.LIVE), search=literal(OrderStatus.SEARCH), active=literal(OrderStatus.ACTIVE),
        unpaid=literal(CommissionStatus.UNPAID), to_check=TO_CHECK_SQL,
    )  # fmt: skip
