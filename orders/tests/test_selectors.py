"""What a master sees of his offers and orders."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from orders import selectors
from orders.enums import OrderStatus
from orders.tests.factories import OfferFactory, OrderFactory
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db


def test_live_offers_are_those_that_can_be_taken_newest_first():
    master, now = MasterFactory(), timezone.now()

    def offer(**values):
        return OfferFactory(order__city=master.city, master=master, **values)

    older = offer(sent_at=now - timedelta(seconds=60))
    newer = offer(state="VIEWED", sent_at=now)
    offer(sent_at=now - timedelta(seconds=120))
    offer(state="DECLINED")
    offer(order__status="CANCELED")
    OfferFactory()
    assert selectors.live_offers(master_id=master.pk, now=now) == [newer, older]


def test_an_offer_is_its_master_s():
    offer = OfferFactory(state="EXPIRED")
    assert selectors.offer_of(master_id=offer.master_id, offer_id=offer.pk) == offer
    assert selectors.offer_of(master_id=MasterFactory().pk, offer_id=offer.pk) is None


def test_active_orders_are_those_on_his_hands():
    master = MasterFactory()
    orders = {s: OrderFactory(city=master.city, assigned_master=master, status=s) for s in OrderStatus.values}
    OrderFactory(assigned=True)
    found = selectors.active_orders(master_id=master.pk)
    assert found == [orders[status] for status in ("PAYMENT", "WORKING", "EN_ROUTE", "ASSIGNED")]


def test_an_order_is_its_master_s():
    order = OrderFactory(closed=True)
    assert selectors.order_of(master_id=order.assigned_master_id, order_id=order.pk) == order
    assert selectors.order_of(master_id=MasterFactory().pk, order_id=order.pk) is None


def test_nobody_has_no_average():
    assert selectors.average_checks([], now=timezone.now()) == {}
    assert selectors.average_checks([MasterFactory().pk], now=timezone.now()) == {}
