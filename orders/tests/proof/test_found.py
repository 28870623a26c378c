"""What the proofs in this folder have found, each by its smallest story."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from fieldservice.lib.errors import ConflictError
from fieldservice.tests.racing import racers
from orders import tasks
from orders.dispatch import engine
from orders.models import Offer, Order
from orders.services import lifecycle, manual, offers
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import admin_of, as_master
from staff.tests.factories import MasterFactory


@pytest.mark.django_db
def test_whom_the_office_gave_the_order_nobody_took_it_from():
    """Assigned by hand to the master who was being asked, then returned to the search: no other master ever had it."""
    offer = OfferFactory()
    order = {"order_id": offer.order_id, "actor": admin_of(offer.order)}
    manual.assign(**order, master_id=offer.master_id, confirmed=True)
    lifecycle.return_to_search(**order, reason="the client waits")
    with pytest.raises(ConflictError, match="withdrawn by the office"):
        offers.accept(offer_id=offer.pk, actor=as_master(offer.master))


@pytest.mark.django_db
def test_refusing_a_guarantee_visit_counts_before_its_delivery_was_noted():
    """His tap may come before the bot has written down that the message arrived."""
    master = MasterFactory()
    OrderFactory(city=master.city, type="GUARANTEE", status="GUARANTEE", preferred_master=master)
    engine.tick()
    offer = Offer.objects.get()
    assert offer.delivered_at is None
    offers.decline(offer_id=offer.pk, actor=as_master(master))
    master.refresh_from_db()
    assert master.is_blocked


@pytest.mark.django_db(transaction=True)
def test_a_sweep_finds_the_order_whose_offer_a_tick_met_half_expired():
    """Sweep and tick fall on the same second: the tick looks again a second later, but no tick comes for thirty."""
    offer = OfferFactory(sent_at=timezone.now() - timedelta(seconds=121))
    Order.objects.update(dispatch_at=offer.expires_at, dispatch_round=1)
    MasterFactory(districts=[offer.order.district])
    with racers(1) as crew:
        with transaction.atomic():
            assert offers.expire_due(now=timezone.now())
            crew.run(engine.tick)  # sees the offer as live: nothing is committed yet
        Order.objects.update(dispatch_at=timezone.now())  # the second passes
        crew.run(tasks.sweep_offers)
    assert Offer.objects.filter(state="SENT").exists()
