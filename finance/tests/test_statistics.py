"""A master's figures, and what the next order must bring for the better rate."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finance import statistics
from finance.tests.factories import CommissionFactory
from orders.models import Order
from orders.tests.factories import OfferFactory, OrderFactory
from staff.models import Master
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db


def closed(master: Master, total: str, **values) -> Order:
    return OrderFactory(closed=True, city=master.city, assigned_master=master, total_sum=Decimal(total), **values)


def rate(master: Master) -> statistics.Rate:
    return statistics.rate(master_id=master.pk, now=timezone.now())


class TestDone:
    def test_what_stays_after_commissions(self):
        master = MasterFactory()
        CommissionFactory(order=closed(master, "5000"), amount=2500, status="APPROVED", paid_amount=Decimal(2400))
        CommissionFactory(order=closed(master, "3000"), amount=1500, status="WAIT_PAY")  # a revoked approval
        closed(master, "1000")
        closed(master, "0", type="GUARANTEE", company_payment=2500)
        OrderFactory(in_payment=True, city=master.city, assigned_master=master)
        closed(MasterFactory(), "9999")
        found = statistics.done(master_id=master.pk)
        assert (found.orders, found.revenue, found.earned) == (4, 9000, 2600 + 1500 + 1000 + 2500)

    def test_since_the_month_began_there(self):
        master = MasterFactory()
        start = statistics.month_start(timezone.now(), ZoneInfo("Asia/Vladivostok"))
        closed(master, "100", closed_at=start)
        closed(master, "200", closed_at=start - timedelta(microseconds=1))
        assert statistics.done(master_id=master.pk, since=start).revenue == 100
        assert start.astimezone(ZoneInfo("Asia/Vladivostok")).strftime("%d %H:%M") == "01 00:00"

    def test_a_newcomer_has_none(self):
        found = statistics.done(master_id=MasterFactory().pk)
        assert (found.orders, found.revenue, found.earned) == (0, 0, 0)


class TestRate:
    def test_a_newcomer_needs_one_good_order(self):
        found = rate(MasterFactory())
        assert (found.percent, found.average, found.next_sum) == (50, None, Decimal("7000.00"))

    def test_reached(self):
        master = MasterFactory()
        closed(master, "7000")
        assert (rate(master).percent, rate(master).next_sum) == (40, None)

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(st.lists(st.decimals("0.01", "9000", places=2), max_size=5))
    def test_the_sum_named_is_enough_and_a_kopeck_less_is_not(self, sums):
        master = MasterFactory()
        for total in sums:
            closed(master, str(total))
        before = rate(master)
        if before.next_sum is None:
            assert before.percent == 40
            return
        order = closed(master, str(before.next_sum))
        assert rate(master).percent == 40
        Order.objects.filter(pk=order.pk).update(total_sum=before.next_sum - Decimal("0.01"))
        assert rate(master).percent == 50


class TestAnswers:
    def test_shares_and_seconds(self):
        master, now = MasterFactory(), timezone.now()
        for state, reason in (("ACCEPTED", None), ("ACCEPTED", None), ("DECLINED", None), ("EXPIRED", "expired"),
                              ("EXPIRED", "undeliverable"), ("CANCELED", "taken"), ("SENT", None)):  # fmt: skip
            OfferFactory(master=master, state=state, close_reason=reason, responded_at=now + timedelta(seconds=30),
                         sent_at=now, delivered_at=now)  # fmt: skip
        OfferFactory(master=master, state="DECLINED", sent_at=now - timedelta(days=31))
        found = statistics.answers(master_id=master.pk, now=now)
        assert (found.accepted, found.declined, found.expired, found.share, found.seconds) == (2, 1, 1, 50, 30)

    def test_nobody_asked(self):
        found = statistics.answers(master_id=MasterFactory().pk, now=timezone.now())
        assert (found.share, found.seconds) == (None, None)
