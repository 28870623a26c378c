"""A guarantee visit goes to the master whose work it is; refusing it, or letting it lapse, blocks him (spec §7)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from fieldservice.outbox.models import Notification
from fieldservice.runtime.models import Setting
from fieldservice.tests.racing import codes, racers, winners
from orders.models import Offer, Order
from orders.services import offers
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import as_master
from staff.models import Master
from staff.tests.factories import MasterFactory

LATER = timedelta(minutes=3)


def own_visit(**values) -> Offer:
    """An offer of a guarantee visit to the master whose work it is."""
    master = MasterFactory()
    order = OrderFactory(city=master.city, type="GUARANTEE", status="GUARANTEE", preferred_master=master)
    return OfferFactory(order=order, master=master, **values)


def blocked(offer: Offer) -> tuple[bool, str | None, str]:
    master = Master.objects.get(pk=offer.master_id)
    return master.is_blocked, master.blocked_reason, master.shift_status


BLOCKED = (True, "guarantee_refusal", "SHIFT_OFF")
FREE = (False, None, "SHIFT_ON")


@pytest.mark.django_db
class TestRefusal:
    def test_declining_blocks(self):
        offer, now = own_visit(), timezone.now()
        offers.decline(offer_id=offer.pk, actor=as_master(offer.master), now=now)
        assert blocked(offer) == BLOCKED
        order = Order.objects.get()
        assert (order.status, order.dispatch_at) == ("GUARANTEE", now)

    def test_letting_it_lapse_blocks(self):
        offer = own_visit()
        now = timezone.now() + LATER
        assert [o.pk for o in offers.expire_due(now=now)] == [offer.pk]
        assert blocked(offer) == BLOCKED
        offer.refresh_from_db()
        assert (offer.state, offer.close_reason, offer.responded_at) == ("EXPIRED", "expired", now)
        assert offers.expire_due(now=now) == []

    def test_the_office_and_the_master_are_told(self):
        Setting.objects.create(key="alerts_channel_id", value="-1001")
        offer = own_visit()
        offers.expire_due(now=timezone.now() + LATER)
        told = Notification.objects.exclude(event="offer").values_list("event", "master_id", "chat_id")
        assert set(told) == {("account_blocked", offer.master_id, None), ("guarantee_refused", None, -1001)}

    def test_other_guarantee_offers_of_the_order_lapse_without_a_block(self):
        offer = own_visit()
        other = OfferFactory(order=offer.order)
        assert {o.pk for o in offers.expire_due(now=timezone.now() + LATER)} == {offer.pk, other.pk}
        assert blocked(other) == FREE

    @pytest.mark.parametrize("values", [{"delivered_at": None}, {"is_manual": True}])
    def test_an_offer_he_never_saw_or_that_staff_chose_blocks_nobody(self, values):
        offer = own_visit(**values)
        offers.expire_due(now=timezone.now() + LATER)
        assert blocked(offer) == FREE
        assert Offer.objects.get().state == "EXPIRED"

    def test_an_undeliverable_one_blocks_nobody(self):
        offer = own_visit()
        offers.undeliverable(offer_id=offer.pk)
        assert blocked(offer) == FREE

    def test_an_ordinary_order_blocks_nobody(self):
        offer = OfferFactory()
        offers.decline(offer_id=offer.pk, actor=as_master(offer.master))
        lapsed = OfferFactory(order__preferred_master=offer.master, master=offer.master)
        offers.expire_due(now=timezone.now() + LATER)
        assert blocked(offer) == blocked(lapsed) == FREE


@pytest.mark.django_db(transaction=True)
def test_lapsing_against_taps_of_the_same_master_never_locks_up():
    """The block needs the master's lock, and so do his other answers."""
    with racers(3) as crew:
        for _round in range(20):
            offer = own_visit()
            other = OfferFactory(order__city=offer.order.city, master=offer.master)
            rival = OfferFactory(order=other.order)
            Offer.objects.filter(pk__in=[offer.pk, rival.pk]).update(expires_at=timezone.now())
            now = timezone.now()
            results = crew.run(
                *[lambda now=now: offers.expire_due(now=now)] * 2,
                lambda other=other: offers.accept(offer_id=other.pk, actor=as_master(other.master)),
            )
            assert blocked(offer) == BLOCKED
            assert codes(results) in ([], ["blocked"])
            assert sum(len(found) for found in winners(results[:2])) in (1, 2)
