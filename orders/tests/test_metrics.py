"""One truthful row per assignment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.dispatch import engine
from orders.models import DistributionMetric, Order
from orders.services import manual, offers
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import admin_of, as_master, logist_of
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db
START = timedelta(minutes=5)


def assigned_by_engine(order: Order, now) -> None:
    """The offer that is out is accepted."""
    offer = order.offers.get(state="SENT")
    offers.accept(offer_id=offer.pk, actor=as_master(offer.master), now=now)


def test_an_automatic_assignment():
    start = timezone.now()
    order = OrderFactory(search_started_at=start)
    MasterFactory.create_batch(3, districts=[order.district])
    engine.tick(now=start + timedelta(seconds=1))
    assigned_by_engine(order, start + timedelta(seconds=90))
    row = DistributionMetric.objects.get()
    assert (row.order, row.round_number, row.candidates_count, row.time_to_assign_seconds) == (order, 1, 3, 90)
    assert (row.was_escalated_to_logist, row.was_escalated_to_admin, row.preferred_master_used) == (False,) * 3
    assert (row.city, row.district, row.category, row.order_type) == (order.city, order.district, "ELECTRICS", "NORMAL")
    assert row.metadata_json == {"manual": False, "search": 1}


def test_the_second_round_counts_as_two():
    start = timezone.now()
    order = OrderFactory(search_started_at=start)
    MasterFactory.create_batch(3, districts=[order.district])
    engine.tick(now=start + timedelta(seconds=1))
    engine.tick(now=start + timedelta(seconds=130))
    assigned_by_engine(order, start + timedelta(seconds=140))
    row = DistributionMetric.objects.get()
    assert (row.round_number, row.candidates_count, row.time_to_assign_seconds) == (2, 2, 140)


def test_an_escalation_is_remembered_although_its_mark_is_gone():
    start = timezone.now()
    order = OrderFactory(search_started_at=start)
    engine.tick(now=start + timedelta(seconds=1))
    engine.tick(now=start + timedelta(minutes=11))
    MasterFactory(districts=[order.district])
    engine.tick(now=start + timedelta(minutes=12))
    assert Order.objects.get().dist_escalated_logist_at is None
    assigned_by_engine(order, start + timedelta(minutes=13))
    row = DistributionMetric.objects.get()
    assert (row.was_escalated_to_logist, row.was_escalated_to_admin) == (True, True)


def test_an_escalation_of_an_earlier_search_does_not_count():
    start = timezone.now()
    order = OrderFactory(search_started_at=start)
    engine.tick(now=start + timedelta(seconds=1))
    manual.search_again(order_id=order.pk, actor=logist_of(order), now=start + timedelta(seconds=60))
    MasterFactory(districts=[order.district])
    engine.tick(now=start + timedelta(seconds=61))
    assigned_by_engine(order, start + timedelta(seconds=70))
    row = DistributionMetric.objects.get()
    assert (row.was_escalated_to_logist, row.time_to_assign_seconds, row.metadata_json["search"]) == (False, 10, 2)


def test_an_assignment_by_hand():
    start = timezone.now()
    order = OrderFactory(search_started_at=start)
    engine.tick(now=start + timedelta(seconds=1))
    master = MasterFactory(districts=[order.district])
    manual.assign(order_id=order.pk, master_id=master.pk, actor=admin_of(order), now=start + START)
    row = DistributionMetric.objects.get()
    assert (row.master, row.round_number, row.candidates_count, row.time_to_assign_seconds) == (master, 0, 0, 300)
    assert (row.was_escalated_to_logist, row.metadata_json["manual"]) == (True, True)


def test_an_accepted_offer_by_hand_is_by_hand():
    order = OrderFactory()
    master = MasterFactory(districts=[order.district])
    offer = manual.offer(order_id=order.pk, master_id=master.pk, actor=logist_of(order))
    offers.accept(offer_id=offer.pk, actor=as_master(master))
    assert DistributionMetric.objects.get().metadata_json["manual"] is True


def test_used_up_rounds_do_not_hide_how_many_candidates_there_were():
    start = timezone.now()
    order = OrderFactory()
    master = MasterFactory(districts=[order.district])
    engine.tick(now=start + timedelta(seconds=1))
    Order.objects.update(dispatch_round=2)
    engine.tick(now=start + timedelta(seconds=130))
    manual.assign(order_id=order.pk, master_id=master.pk, actor=admin_of(order), now=start + START)
    assert DistributionMetric.objects.get().candidates_count == 1


def test_the_preferred_master_is_noted():
    offer = OfferFactory()
    Order.objects.update(preferred_master=offer.master)
    offers.accept(offer_id=offer.pk, actor=as_master(offer.master))
    assert DistributionMetric.objects.get().preferred_master_used is True


def test_an_order_from_an_import_counts_from_its_creation():
    offer = OfferFactory(order__search_started_at=None)
    created = offer.order.created_at
    offers.accept(offer_id=offer.pk, actor=as_master(offer.master), now=created + timedelta(seconds=100))
    assert DistributionMetric.objects.get().time_to_assign_seconds == 100
