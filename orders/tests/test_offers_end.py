"""How offers end without an answer: delivered late, undeliverable, expired; and what the database forbids."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from fieldservice.lib.actor import SYSTEM
from fieldservice.outbox.models import Notification
from orders.models import Offer, Order, OrderStatusHistory
from orders.services import offers
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import as_master
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db


def redrawn() -> set[int]:
    """The offers whose messages are to be shown anew."""
    return {row.payload["offer_id"] for row in Notification.objects.filter(event="offer")}


class TestViewed:
    @pytest.mark.parametrize(("state", "after"), [("SENT", "VIEWED"), ("EXPIRED", "EXPIRED"), ("ACCEPTED", "ACCEPTED")])
    def test_only_a_new_offer_becomes_viewed(self, state, after):
        offer = OfferFactory(state=state)
        offers.mark_viewed(offer_id=offer.pk, actor=as_master(offer.master))
        assert Offer.objects.get().state == after

    def test_a_stranger_s_look_does_not_count(self):
        offer = OfferFactory()
        offers.mark_viewed(offer_id=offer.pk, actor=as_master(MasterFactory()))
        offers.mark_viewed(offer_id=offer.pk, actor=SYSTEM)
        assert Offer.objects.get().state == "SENT"


class TestDelivered:
    def test_a_late_delivery_moves_the_deadline_of_offer_and_order(self):
        now = timezone.now()
        offer = OfferFactory(sent_at=now - timedelta(seconds=50), delivered_at=None)
        Order.objects.update(dispatch_at=offer.expires_at)
        offers.mark_delivered(offer_id=offer.pk, now=now)
        offer.refresh_from_db()
        assert (offer.delivered_at, offer.expires_at) == (now, now + timedelta(seconds=120))
        assert Order.objects.get().dispatch_at == now + timedelta(seconds=120)

    def test_a_second_report_moves_nothing(self):
        now = timezone.now()
        offer = OfferFactory(sent_at=now, delivered_at=None)
        offers.mark_delivered(offer_id=offer.pk, now=now)
        offers.mark_delivered(offer_id=offer.pk, now=now + timedelta(seconds=60))
        assert Offer.objects.get().expires_at == now + timedelta(seconds=120)

    @pytest.mark.parametrize("state", ["EXPIRED", "CANCELED", "DECLINED", "ACCEPTED"])
    def test_an_offer_that_is_over_stays_over(self, state):
        offer = OfferFactory(state=state, delivered_at=None)
        offers.mark_delivered(offer_id=offer.pk, now=timezone.now() + timedelta(minutes=1))
        assert (Offer.objects.get().delivered_at, Offer.objects.get().expires_at) == (None, offer.expires_at)

    def test_an_order_that_waits_for_nothing_goes_on_waiting(self):
        offer = OfferFactory(delivered_at=None, order__dispatch_at=None)
        offers.mark_delivered(offer_id=offer.pk)
        assert Order.objects.get().dispatch_at is None

    def test_a_deleted_offer_is_no_error(self):
        offers.mark_delivered(offer_id=4242)
        offers.undeliverable(offer_id=4242)


class TestUndeliverable:
    def test_the_next_master_is_asked_at_once_and_the_round_is_not_used(self):
        now = timezone.now()
        offer = OfferFactory(order__dispatch_round=1, order__dispatch_at=now + timedelta(minutes=2))
        offers.undeliverable(offer_id=offer.pk, now=now)
        offer.refresh_from_db()
        order = Order.objects.get()
        assert (offer.state, offer.close_reason, offer.responded_at) == ("EXPIRED", "undeliverable", now)
        assert (order.dispatch_at, order.dispatch_round) == (now, 0)
        assert offer.master.unreachable_at == now
        assert OrderStatusHistory.objects.get().reason == "offer_undeliverable"

    def test_an_offer_by_hand_used_no_round(self):
        offer = OfferFactory(is_manual=True, order__dispatch_round=1)
        offers.undeliverable(offer_id=offer.pk)
        assert Order.objects.get().dispatch_round == 1

    def test_an_offer_of_an_earlier_search_gives_nothing_back(self):
        offer = OfferFactory(order__search_number=2, order__dispatch_round=1)
        offers.undeliverable(offer_id=offer.pk)
        assert Order.objects.get().dispatch_round == 1

    def test_a_round_of_two_counts_when_one_was_reached(self):
        order = OrderFactory(dispatch_round=2)
        lost, reached = OfferFactory.create_batch(2, order=order, round_number=2)
        offers.undeliverable(offer_id=lost.pk)
        order.refresh_from_db()
        assert order.dispatch_round == 2
        offers.undeliverable(offer_id=reached.pk)
        order.refresh_from_db()
        assert order.dispatch_round == 1

    @pytest.mark.parametrize("state", ["EXPIRED", "CANCELED", "DECLINED", "ACCEPTED"])
    def test_an_offer_that_is_over_stays_as_it_is(self, state):
        offer = OfferFactory(state=state)
        offers.undeliverable(offer_id=offer.pk)
        assert Offer.objects.get().state == state
        assert offer.master.unreachable_at is None


class TestExpiry:
    def test_overdue_offers_end_and_their_messages_say_so(self):
        now = timezone.now()
        over = OfferFactory(sent_at=now - timedelta(seconds=120))
        viewed = OfferFactory(sent_at=now - timedelta(seconds=121), state="VIEWED")
        live = OfferFactory(sent_at=now - timedelta(seconds=119))
        assert {offer.pk for offer in offers.expire_due(now=now)} == {over.pk, viewed.pk}
        assert {o.pk: (o.state, o.close_reason) for o in Offer.objects.all()} == {
            over.pk: ("EXPIRED", "expired"),
            viewed.pk: ("EXPIRED", "expired"),
            live.pk: ("SENT", None),
        }
        assert redrawn() == {over.pk, viewed.pk}

    def test_a_second_look_finds_nothing(self):
        now = timezone.now() + timedelta(hours=1)
        OfferFactory()
        assert len(offers.expire_due(now=now)) == 1
        assert offers.expire_due(now=now) == []

    def test_an_offer_without_a_deadline_has_its_sla(self):
        now = timezone.now()
        OfferFactory(sent_at=now - timedelta(seconds=120), expires_at=None)
        OfferFactory(sent_at=now - timedelta(seconds=119), expires_at=None)
        assert len(offers.expire_due(now=now)) == 1

    def test_closed_offers_are_left_alone(self):
        for state in ("ACCEPTED", "DECLINED", "CANCELED"):
            OfferFactory(state=state)
        assert offers.expire_due(now=timezone.now() + timedelta(hours=1)) == []


class TestUniqueness:
    @pytest.mark.parametrize("first", ["EXPIRED", "DECLINED", "CANCELED"])
    def test_a_second_offer_is_possible_after_the_first_one_ended(self, first):
        offer = OfferFactory(state=first)
        OfferFactory(order=offer.order, master=offer.master)

    @pytest.mark.parametrize("first", ["SENT", "VIEWED", "ACCEPTED"])
    @pytest.mark.parametrize("second", ["SENT", "VIEWED", "ACCEPTED"])
    def test_two_live_offers_of_a_pair_are_impossible(self, first, second):
        offer = OfferFactory(state=first)
        with (
            pytest.raises(IntegrityError, match=r"uq_offers__order_master|uix_offers__order_accepted_once"),
            transaction.atomic(),
        ):
            OfferFactory(order=offer.order, master=offer.master, state=second)

    def test_one_order_has_one_accepted_offer(self):
        offer = OfferFactory(state="ACCEPTED")
        with pytest.raises(IntegrityError, match="uix_offers__order_accepted_once"), transaction.atomic():
            OfferFactory(order=offer.order, state="ACCEPTED")
