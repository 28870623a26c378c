"""A master's figures: what was done, what it earned, the rate of the next commission and how to get a better one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal
from zoneinfo import ZoneInfo

from django.db import connection

from fieldservice.lib.money import KOPECK, round_money
from fieldservice.runtime import registry
from finance.periods import Period
from orders.selectors import average_checks, counted_orders

#: closed orders of a master: how many, the clients' money, what stays after commissions, the company's money
DONE = """
SELECT count(*), coalesce(sum(o.total_sum), 0),
       coalesce(sum(o.total_sum - CASE WHEN c.status = 'APPROVED' THEN coalesce(c.paid_amount, c.amount)
                                       ELSE coalesce(c.amount, 0) END), 0),
       coalesce(sum(o.company_payment) FILTER (WHERE o.type = 'GUARANTEE'), 0)
  FROM orders o LEFT JOIN commissions c ON c.order_id = o.id AND c.master_id = o.assigned_master_id
 WHERE o.assigned_master_id = %s AND o.status = 'CLOSED' AND coalesce(o.closed_at, o.updated_at) >= %s"""
ANSWERS = """
SELECT count(*) FILTER (WHERE state = 'ACCEPTED'), count(*) FILTER (WHERE state = 'DECLINED'),
       count(*) FILTER (WHERE state = 'EXPIRED' AND close_reason IS DISTINCT FROM 'undeliverable'),
       avg(extract(epoch FROM responded_at - coalesce(delivered_at, sent_at))) FILTER (WHERE state = 'ACCEPTED')
  FROM offers WHERE master_id = %s AND sent_at >= %s"""
EVER = datetime.min.replace(year=2000, tzinfo=ZoneInfo("UTC"))
OFFER_DAYS = 30


@dataclass(frozen=True, slots=True)
class Done:
    """Closed orders of a time."""

    orders: int
    revenue: Decimal
    #: what stays with the master: the clients' money without the commissions, and the company's for guarantee visits
    earned: Decimal


@dataclass(frozen=True, slots=True)
class Rate:
    """The percent of the next commission, and what makes it the better one."""

    percent: int
    average: Decimal | None
    threshold: Decimal
    better_percent: int
    #: the sum of one more order today that reaches the threshold; None: reached, or the better rate is none
    next_sum: Decimal | None


@dataclass(frozen=True, slots=True)
class Answers:
    """Offers of the last 30 days."""

    accepted: int
    declined: int
    expired: int
    seconds: int | None

    @property
    def share(self) -> int | None:
        """Percent accepted of those answered or missed; None without any."""
        asked = self.accepted + self.declined + self.expired
        return round(100 * self.accepted / asked) if asked else None


def done(*, master_id: int, since: datetime = EVER) -> Done:
    """What was closed since then."""
    with connection.cursor() as cursor:
        cursor.execute(DONE, [master_id, since])
        orders, revenue, kept, company = cursor.fetchone()
    return Done(orders, Decimal(revenue), Decimal(kept) + Decimal(company))


def month_start(now: datetime, tz: ZoneInfo) -> datetime:
    """The first moment of the month there."""
    first = now.astimezone(tz).date().replace(day=1)
    return Period(first, first).bounds(tz)[0]


def answers(*, master_id: int, now: datetime) -> Answers:
    """How the master answered."""
    with connection.cursor() as cursor:
        cursor.execute(ANSWERS, [master_id, now - timedelta(days=OFFER_DAYS)])
        accepted, declined, expired, seconds = cursor.fetchone()
    return Answers(accepted, declined, expired, None if seconds is None else int(seconds))


def rate(*, master_id: int, now: datetime) -> Rate:
    """The rate a commission made now would have, by the one definition of the average check."""
    values = registry.read(
        ["commission_percent_default", "commission_percent_high_volume", "commission_high_volume_threshold"]
    )
    usual, better = values["commission_percent_default"], values["commission_percent_high_volume"]
    threshold = Decimal(values["commission_high_volume_threshold"])
    average = average_checks([master_id], now=now).get(master_id)
    reached = round_money(average or Decimal(0)) >= threshold
    return Rate(
        percent=better if reached else usual,
        average=average,
        threshold=threshold,
        better_percent=better,
        next_sum=None if reached or better >= usual else _next_sum(master_id, threshold, now),
    )


def _next_sum(master_id: int, threshold: Decimal, now: datetime) -> Decimal:
    """What the next order must bring so that the average with it reaches the threshold."""
    sums = list(counted_orders(now).filter(assigned_master_id=master_id).values_list("total_sum", flat=True))
    # half a kopeck less is enough: the average is rounded
    needed = (threshold - KOPECK / 2) * (len(sums) + 1) - sum(sums, Decimal(0))
    return max(needed, Decimal(0)).quantize(KOPECK, rounding=ROUND_UP)
