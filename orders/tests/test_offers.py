"""What a master answers to an offer, and what is answered to him."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from fieldservice.lib.actor import SYSTEM
from fieldservice.lib.errors import ConflictError, NotFoundError
from fieldservice.outbox.models import Notification
from fieldservice.runtime.models import Setting
from orders.models import DistributionMetric, Offer, Order, OrderStatusHistory
from orders.services import lifecycle, manual, offers
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import admin_of, as_master, logist_of
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def refusal(offer: Offer, *, now=None, verb=offers.accept) -> ConflictError:
    """The refusal that the offer's master gets; checks that nothing was written."""
    before = list(Order.objects.values()), list(Offer.objects.order_by("pk").values())
    with pytest.raises(ConflictError) as caught:
        verb(offer_id=offer.pk, actor=as_master(offer.master), now=now)
    assert (list(Order.objects.values()), list(Offer.objects.order_by("pk").values())) == before
    return caught.value


def redrawn() -> set[int]:
    """The offers whose messages are to be shown anew."""
    return {row.payload["offer_id"] for row in Notification.objects.filter(event="offer")}


class TestAccept:
    def test_the_master_gets_the_order(self):
        offer, now = OfferFactory(order__dispatch_round=1), timezone.now()
        order = offers.accept(offer_id=offer.pk, actor=as_master(offer.master), now=now)
        order.refresh_from_db()
        offer.refresh_from_db()
        assert (order.status, order.assigned_master, order.version, order.dispatch_at) == (
            "ASSIGNED", offer.master, 2, None
        )  # fmt: skip
        assert (offer.state, offer.responded_at) == ("ACCEPTED", now)
        row = OrderStatusHistory.objects.get()
        assert (row.reason, row.changed_by_master) == ("accepted_by_master", offer.master)
        assert row.context == {"offer_id": offer.pk, "round": 1, "via": "bot"}
        assert DistributionMetric.objects.count() == 1

    @pytest.mark.parametrize("state", ["SENT", "VIEWED"])
    @pytest.mark.parametrize("status", ["SEARCHING", "GUARANTEE"])
    def test_a_live_offer_of_a_searching_order_is_good(self, state, status):
        offer = OfferFactory(state=state, order__status=status)
        assert offers.accept(offer_id=offer.pk, actor=as_master(offer.master)).status == "ASSIGNED"

    def test_the_others_offers_are_withdrawn_and_redrawn(self):
        offer = OfferFactory()
        rival = OfferFactory(order=offer.order)
        offers.accept(offer_id=offer.pk, actor=as_master(offer.master))
        rival.refresh_from_db()
        assert (rival.state, rival.close_reason) == ("CANCELED", "taken")
        assert redrawn() == {rival.pk}

    def test_an_accepted_offer_from_an_import_does_not_stand_in_the_way(self):
        offer = OfferFactory()
        stray = OfferFactory(order=offer.order, state="ACCEPTED")
        order = offers.accept(offer_id=offer.pk, actor=as_master(offer.master))
        stray.refresh_from_db()
        assert (order.assigned_master_id, stray.state) == (offer.master_id, "CANCELED")
        assert OrderStatusHistory.objects.count() == 1

    def test_the_escalation_ends(self):
        order = OrderFactory(dist_escalated_logist_at=timezone.now(), escalation_reason="no_candidates")
        offer = OfferFactory(order=order)
        offers.accept(offer_id=offer.pk, actor=as_master(offer.master))
        order.refresh_from_db()
        assert (order.dist_escalated_logist_at, order.escalation_reason) == (None, None)


class TestRefusal:
    """Each refusal tells the true reason, by sentence and code."""

    @pytest.mark.parametrize("late", [timedelta(0), SECOND])
    def test_time_is_up(self, late):
        offer = OfferFactory()
        error = refusal(offer, now=offer.expires_at + late)
        assert (error.code, str(error)) == (
            "expired", f"Time is up: order #{offer.order_id} went on to other masters."
        )  # fmt: skip

    def test_a_moment_before_the_deadline_is_in_time(self):
        offer = OfferFactory()
        offers.accept(offer_id=offer.pk, actor=as_master(offer.master), now=offer.expires_at - SECOND)

    def test_the_offer_has_expired(self):
        assert refusal(OfferFactory(state="EXPIRED")).code == "expired"

    def test_it_is_his_already(self):
        offer = OfferFactory()
        offers.accept(offer_id=offer.pk, actor=as_master(offer.master))
        error = refusal(offer)
        assert (error.code, str(error)) == ("already_yours", f"Order #{offer.order_id} is already yours.")

    def test_another_master_was_faster(self):
        offer = OfferFactory()
        rival = OfferFactory(order=offer.order)
        offers.accept(offer_id=rival.pk, actor=as_master(rival.master))
        error = refusal(offer)
        assert (error.code, str(error)) == ("taken", f"Order #{offer.order_id} was taken by another master.")

    def test_another_master_has_closed_it_since(self):
        assert refusal(OfferFactory(state="CANCELED", order__closed=True)).code == "taken"

    def test_he_has_closed_it_himself_since(self):
        master = MasterFactory()
        offer = OfferFactory(state="ACCEPTED", master=master, order__closed=True, order__assigned_master=master)
        error = refusal(offer)
        assert (error.code, str(error)) == ("changed", f"Order #{offer.order_id} is closed already: you have done it.")

    def test_he_has_declined(self):
        offer = OfferFactory()
        offers.decline(offer_id=offer.pk, actor=as_master(offer.master))
        error = refusal(offer)
        assert (error.code, str(error)) == ("declined", f"You have declined order #{offer.order_id}.")

    @pytest.mark.parametrize("status", ["CANCELED", "DEFERRED", "CREATED"])
    def test_the_order_is_not_searching(self, status):
        error = refusal(OfferFactory(order__status=status))
        assert (error.code, str(error).partition(" was ")[2]) == ("withdrawn", "withdrawn by the office.")

    def test_the_office_cancelled_the_order(self):
        offer = OfferFactory()
        lifecycle.cancel(order_id=offer.order_id, actor=admin_of(offer.order), reason="client refused")
        assert refusal(offer).code == "withdrawn"

    def test_the_office_took_it_back(self):
        offer = OfferFactory()
        offers.accept(offer_id=offer.pk, actor=as_master(offer.master))
        lifecycle.return_to_search(order_id=offer.order_id, actor=admin_of(offer.order), reason="client moved")
        assert refusal(offer).code == "withdrawn"

    def test_the_office_began_a_new_search(self):
        offer = OfferFactory()
        manual.search_again(order_id=offer.order_id, actor=logist_of(offer.order))
        assert refusal(offer).code == "withdrawn"

    def test_the_office_gave_it_to_another(self):
        offer = OfferFactory()
        other = MasterFactory(city=offer.order.city, districts=[offer.order.district])
        manual.assign(order_id=offer.order_id, master_id=other.pk, actor=admin_of(offer.order))
        assert refusal(offer).code == "taken"

    def test_the_office_gave_it_to_him(self):
        offer = OfferFactory()
        actor = admin_of(offer.order)
        manual.assign(order_id=offer.order_id, master_id=offer.master_id, actor=actor, confirmed=True)
        assert refusal(offer).code == "already_yours"

    @pytest.mark.parametrize(
        ("values", "why"),
        [
            ({"is_blocked": True, "blocked_reason": "commission_overdue"}, "the commission is overdue"),
            ({"is_blocked": True, "blocked_reason": "rude to clients"}, "rude to clients"),
            ({"is_blocked": True}, "blocked by the office"),
            ({"is_active": False}, "your account is switched off"),
            ({"is_deleted": True}, "your account is closed"),
            ({"moderation_status": "PENDING"}, "your application is not approved yet"),
            ({"moderation_status": "REJECTED"}, "your application is not approved yet"),
        ],
    )
    def test_he_may_not_work(self, values, why):
        error = refusal(OfferFactory(**{f"master__{name}": value for name, value in values.items()}))
        assert (error.code, str(error)) == ("blocked", f"You cannot take orders now: {why}.")

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"shift_status": "SHIFT_OFF"}, "Start your shift first, then take the order."),
            ({"shift_status": "BREAK"}, "You are on a break: return to your shift first, then take the order."),
            (
                {"shift_status": "BREAK", "break_until": timezone.now() + timedelta(hours=1)},
                "You are on a break: return to your shift first, then take the order.",
            ),
        ],
    )
    def test_he_is_not_on_shift(self, values, sentence):
        error = refusal(OfferFactory(**{f"master__{name}": value for name, value in values.items()}))
        assert (error.code, str(error)) == ("off_shift", sentence)

    def test_a_break_that_is_over_is_no_obstacle(self):
        offer = OfferFactory(master__shift_status="BREAK", master__break_until=timezone.now() - SECOND)
        offers.accept(offer_id=offer.pk, actor=as_master(offer.master))

    @pytest.mark.parametrize("status", ["ASSIGNED", "EN_ROUTE", "WORKING", "PAYMENT"])
    def test_he_is_at_his_limit(self, status):
        offer = OfferFactory(master__max_active_orders_override=2)
        OrderFactory.create_batch(2, city=offer.order.city, status=status, assigned_master=offer.master)
        error = refusal(offer)
        assert (error.code, str(error)) == ("limit", "You have 2 of 2 active orders: finish one first.")

    def test_done_orders_do_not_count(self):
        offer = OfferFactory(master__max_active_orders_override=1)
        for status in ("CLOSED", "CANCELED"):
            OrderFactory(city=offer.order.city, status=status, assigned_master=offer.master)
        offers.accept(offer_id=offer.pk, actor=as_master(offer.master))

    def test_the_common_limit_is_the_setting(self):
        Setting.objects.create(key="max_active_orders", value="1")
        offer = OfferFactory()
        OrderFactory(assigned=True, city=offer.order.city, assigned_master=offer.master)
        assert str(refusal(offer)) == "You have 1 of 1 active orders: finish one first."

    def test_a_limit_of_zero_is_none(self):
        error = refusal(OfferFactory(master__max_active_orders_override=0))
        assert (error.code, str(error)) == ("limit", "The office has set your limit to 0: you cannot take orders.")

    def test_a_stranger_s_offer_does_not_exist(self):
        offer = OfferFactory()
        for actor in (as_master(MasterFactory(city=offer.order.city)), admin_of(offer.order), SYSTEM):
            for verb in (offers.accept, offers.decline):
                with pytest.raises(NotFoundError, match="There is no such offer"):
                    verb(offer_id=offer.pk, actor=actor)
        with pytest.raises(NotFoundError):
            offers.accept(offer_id=10**30, actor=as_master(offer.master))


class TestConfirmedByStaff:
    """The office chose this master although he is off shift or full: shift and limit do not matter."""

    @pytest.mark.parametrize(
        "values", [{"shift_status": "SHIFT_OFF"}, {"shift_status": "BREAK"}, {"max_active_orders_override": 0}]
    )
    def test_shift_and_limit_are_skipped(self, values):
        offer = OfferFactory(staff_confirmed=True, **{f"master__{name}": value for name, value in values.items()})
        offers.accept(offer_id=offer.pk, actor=as_master(offer.master))

    def test_a_block_is_not(self):
        assert refusal(OfferFactory(staff_confirmed=True, master__is_blocked=True)).code == "blocked"


class TestDecline:
    def test_the_order_is_due_at_once(self):
        now = timezone.now()
        offer = OfferFactory(order__dispatch_at=now + timedelta(minutes=2))
        offers.decline(offer_id=offer.pk, actor=as_master(offer.master), now=now)
        offer.refresh_from_db()
        order = Order.objects.get()
        assert (offer.state, offer.responded_at) == ("DECLINED", now)
        assert (order.status, order.dispatch_at, order.version) == ("SEARCHING", now, 1)
        row = OrderStatusHistory.objects.get()
        assert (row.from_status, row.to_status, row.reason) == ("SEARCHING", "SEARCHING", "offer_declined")

    def test_what_is_over_cannot_be_declined(self):
        offer = OfferFactory()
        assert refusal(offer, now=offer.expires_at, verb=offers.decline).code == "expired"
        offers.accept(offer_id=offer.pk, actor=as_master(offer.master))
        assert refusal(offer, verb=offers.decline).code == "already_yours"
        assert Offer.objects.get().state == "ACCEPTED"

    def test_a_second_tap_changes_nothing(self):
        offer = OfferFactory()
        offers.decline(offer_id=offer.pk, actor=as_master(offer.master))
        assert refusal(offer, verb=offers.decline).code == "declined"
        assert OrderStatusHistory.objects.count() == 1
