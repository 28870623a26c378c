from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from bots.master.counts import Counts, count
from finance.enums import CommissionStatus
from finance.selectors import commissions_of, totals_of
from finance.tests.factories import CommissionFactory
from orders.enums import OfferState
from orders.selectors import active_orders, live_offers
from orders.tests.factories import OfferFactory, OrderFactory
from staff.tests.factories import MasterFactory


@pytest.mark.django_db
def test_the_menu_counts_what_the_lists_show() -> None:
    master, now = MasterFactory(), timezone.now()
    OfferFactory(master=master)
    OfferFactory(master=master, state=OfferState.VIEWED)
    OfferFactory(master=master, expires_at=now - timedelta(seconds=1))
    OfferFactory(master=master, state=OfferState.DECLINED)
    OfferFactory(master=master, order__status="DEFERRED")
    OrderFactory(city=master.city, assigned=True, assigned_master=master)
    OrderFactory(city=master.city, closed=True, assigned_master=master)
    for status in CommissionStatus:
        order = OrderFactory(city=master.city, in_payment=True, assigned_master=master)
        CommissionFactory(order=order, status=status)
    late = OrderFactory(city=master.city, in_payment=True, assigned_master=master)
    CommissionFactory(order=late, status=CommissionStatus.OVERDUE, paid_reported_at=now)
    CommissionFactory()
    counts = count(master_id=master.pk, now=now)
    assert counts == Counts(offers=2, active=6, unpaid=2, waiting=2)
    assert counts.offers == len(live_offers(master_id=master.pk, now=now))
    assert counts.active == len(active_orders(master_id=master.pk))
    assert counts.waiting == totals_of(master.pk).to_check
    owed = commissions_of(master.pk).filter(status__in=CommissionStatus.UNPAID)
    assert counts.unpaid + counts.waiting == owed.count()
