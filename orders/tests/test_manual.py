"""Dispatch by hand: who may be chosen, what needs a confirmation, what is written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from fieldservice.lib.errors import ConflictError, ForbiddenError, NotFoundError, StaleError
from fieldservice.outbox.models import Notification
from fieldservice.runtime.models import Setting
from geo.tests.factories import DistrictFactory
from orders.enums import OrderStatus
from orders.models import Offer, Order, OrderStatusHistory
from orders.services import manual
from orders.tests.counting import nothing_written
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import admin_of, logist_of, staff
from staff.enums import Role
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db


def listed(order: Order) -> dict[str, tuple[str, ...]]:
    """Name → marks, in the order shown."""
    return {c.name: c.marks for c in manual.candidates(order_id=order.pk, actor=logist_of(order))}


class TestCandidates:
    def test_available_ones_come_first_and_marks_say_what_is_wrong(self):
        order = OrderFactory()
        here = {"districts": [order.district]}
        MasterFactory(full_name="Б", **here)
        MasterFactory(full_name="А", **here, shift_status="SHIFT_OFF")
        MasterFactory(full_name="В", **here, shift_status="BREAK")
        MasterFactory(full_name="Г", **here, max_active_orders_override=0)
        MasterFactory(full_name="Д", **here, skills=[])
        MasterFactory(full_name="Е", districts=[DistrictFactory(city=order.city)])
        MasterFactory(full_name="Ж", **here, tg_user_id=None)
        MasterFactory(full_name="З", **here, unreachable_at=timezone.now())
        MasterFactory(full_name="И", **here, shift_status="SHIFT_OFF", skills=[])
        assert list(listed(order).items()) == [
            ("Б", ()),
            ("Е", ("district",)),
            ("А", ("off_shift",)),
            ("В", ("break",)),
            ("Г", ("limit",)),
            ("Д", ("skill",)),
            ("Ж", ("unreachable",)),
            ("З", ("unreachable",)),
            ("И", ("off_shift", "skill")),
        ]

    @pytest.mark.parametrize(
        "values",
        [
            {"moderation_status": "PENDING"},
            {"is_active": False},
            {"is_blocked": True},
            {"is_deleted": True},
        ],
    )
    def test_who_may_not_work_is_not_listed(self, values):
        order = OrderFactory()
        MasterFactory(districts=[order.district], **values)
        MasterFactory(districts=[DistrictFactory()])
        assert listed(order) == {}

    def test_active_orders_fill_the_limit_of_the_settings(self):
        Setting.objects.create(key="max_active_orders", value="1")
        order = OrderFactory()
        master = MasterFactory(full_name="А", districts=[order.district])
        OrderFactory(city=order.city, assigned_master=master, status="CLOSED")
        assert listed(order) == {"А": ()}
        OrderFactory(city=order.city, assigned_master=master, status="PAYMENT")
        assert listed(order) == {"А": ("limit",)}

    def test_marks_are_words_in_the_reader_s_language(self):
        order = OrderFactory()
        MasterFactory(districts=[order.district], shift_status="BREAK", skills=[])
        (found,) = manual.candidates(order_id=order.pk, actor=logist_of(order))
        assert (found.note, found.available) == ("on a break, without the skill", False)
        with translation.override("ru"):
            assert found.note != "on a break, without the skill"

    def test_without_a_district_no_district_is_wrong(self):
        order = OrderFactory(district=None)
        MasterFactory(full_name="А", city=order.city)
        assert listed(order) == {"А": ()}

    def test_the_number_of_queries_does_not_depend_on_the_masters(self, django_assert_num_queries):
        order = OrderFactory()
        actor = logist_of(order)
        for _time in range(2):
            MasterFactory.create_batch(5, districts=[order.district])
            with django_assert_num_queries(9):
                manual.candidates(order_id=order.pk, actor=actor)


class TestOffer:
    def test_it_goes_out_with_the_usual_time_to_answer(self):
        Setting.objects.create(key="distribution_sla_seconds", value="60")
        order = OrderFactory(dispatch_round=2, search_number=3, dist_escalated_logist_at=timezone.now())
        master, now = MasterFactory(districts=[order.district]), timezone.now()
        offer = manual.offer(order_id=order.pk, master_id=master.pk, actor=logist_of(order), now=now)
        assert (offer.state, offer.is_manual, offer.staff_confirmed) == ("SENT", True, False)
        assert (offer.round_number, offer.search_number, offer.sla_seconds) == (2, 3, 60)
        order.refresh_from_db()
        assert (order.dispatch_at, order.dist_escalated_logist_at) == (now + timedelta(seconds=60), None)
        assert Notification.objects.get().payload == {"offer_id": offer.pk}
        assert OrderStatusHistory.objects.get().reason == "offered_by_staff"

    @pytest.mark.parametrize(
        ("values", "why"),
        [
            ({"shift_status": "SHIFT_OFF"}, "off shift"),
            ({"shift_status": "BREAK"}, "on a break"),
            ({"max_active_orders_override": 0}, "at the limit"),
            ({"skills": []}, "without the skill"),
        ],
    )
    def test_a_marked_master_needs_a_confirmation(self, values, why):
        order = OrderFactory()
        master = MasterFactory(full_name="Иванов", districts=[order.district], **values)
        options = {"order_id": order.pk, "master_id": master.pk, "actor": logist_of(order)}
        with nothing_written(), pytest.raises(ConflictError) as caught:
            manual.offer(**options)
        assert (caught.value.code, str(caught.value)) == ("confirm", f"Иванов is {why} now. Offer anyway?")
        assert manual.offer(**options, confirmed=True).staff_confirmed is True

    def test_another_district_needs_none(self):
        order = OrderFactory()
        master = MasterFactory(districts=[DistrictFactory(city=order.city)])
        offer = manual.offer(order_id=order.pk, master_id=master.pk, actor=logist_of(order), confirmed=True)
        assert offer.staff_confirmed is False

    def test_a_second_live_offer_of_the_pair_is_refused(self):
        offer = OfferFactory(master__full_name="Иванов")
        actor = logist_of(offer.order)
        with nothing_written(), pytest.raises(ConflictError, match="Иванов has a live offer of this order already"):
            manual.offer(order_id=offer.order_id, master_id=offer.master_id, actor=actor, confirmed=True)

    def test_several_masters_may_be_asked(self):
        offer = OfferFactory()
        other = MasterFactory(districts=[offer.order.district])
        manual.offer(order_id=offer.order_id, master_id=other.pk, actor=logist_of(offer.order))
        assert Offer.objects.filter(state="SENT").count() == 2

    @pytest.mark.parametrize("ended", ["EXPIRED", "DECLINED", "CANCELED"])
    def test_a_master_may_be_asked_again(self, ended):
        order = OrderFactory()
        master = MasterFactory(districts=[order.district])
        OfferFactory(order=order, master=master, state=ended)
        assert manual.offer(order_id=order.pk, master_id=master.pk, actor=logist_of(order)).state == "SENT"

    def test_a_deferred_order_is_activated(self):
        order = OrderFactory(status="DEFERRED")
        master = MasterFactory(districts=[order.district])
        manual.offer(order_id=order.pk, master_id=master.pk, actor=logist_of(order), version=1)
        order.refresh_from_db()
        assert (order.status, order.version) == ("SEARCHING", 2)

    def test_a_refused_choice_leaves_a_deferred_order_asleep(self):
        order = OrderFactory(status="DEFERRED")
        master, actor = MasterFactory(districts=[order.district], shift_status="SHIFT_OFF"), logist_of(order)
        with nothing_written(), pytest.raises(ConflictError):
            manual.offer(order_id=order.pk, master_id=master.pk, actor=actor)
        order.refresh_from_db()
        assert order.status == "DEFERRED"

    @pytest.mark.parametrize("status", sorted(set(OrderStatus.values) - {"SEARCHING", "GUARANTEE", "DEFERRED"}))
    @pytest.mark.parametrize("verb", [manual.offer, manual.assign])
    def test_an_order_that_needs_no_master_is_refused(self, status, verb):
        order = OrderFactory(status=status)
        master, actor = MasterFactory(districts=[order.district]), admin_of(order)
        with nothing_written(), pytest.raises(ConflictError, match="it needs no master"):
            verb(order_id=order.pk, master_id=master.pk, actor=actor)

    @pytest.mark.parametrize("verb", [manual.offer, manual.assign])
    def test_a_master_of_another_city_or_none_is_refused(self, verb):
        order = OrderFactory()
        for number in (MasterFactory().pk, MasterFactory(city=order.city, is_blocked=True).pk, 4242, 10**30):
            with pytest.raises(NotFoundError, match="cannot work in the order's city now"):
                verb(order_id=order.pk, master_id=number, actor=admin_of(order), confirmed=True)


class TestAssign:
    def test_the_master_gets_it_and_is_told_and_offers_end(self):
        offer = OfferFactory(order__dist_escalated_logist_at=timezone.now())
        order, master = offer.order, MasterFactory(districts=[offer.order.district])
        manual.assign(order_id=order.pk, master_id=master.pk, actor=admin_of(order))
        order.refresh_from_db()
        offer.refresh_from_db()
        assert (order.status, order.assigned_master, order.version, order.dispatch_at) == ("ASSIGNED", master, 2, None)
        assert (offer.state, offer.close_reason, order.dist_escalated_logist_at) == ("CANCELED", "taken", None)
        told = Notification.objects.order_by("pk").values_list("event", "master_id")
        assert set(told) == {("offer", offer.master_id), ("order_assigned", master.pk)}
        assert OrderStatusHistory.objects.get().reason == "manual_assign"

    def test_a_logist_may_not(self):
        order = OrderFactory()
        master, actor = MasterFactory(districts=[order.district]), logist_of(order)
        with nothing_written(), pytest.raises(ForbiddenError):
            manual.assign(order_id=order.pk, master_id=master.pk, actor=actor)

    def test_a_marked_master_needs_a_confirmation_and_offers_stay_till_then(self):
        offer = OfferFactory()
        master = MasterFactory(full_name="Иванов", districts=[offer.order.district], shift_status="SHIFT_OFF")
        options = {"order_id": offer.order_id, "master_id": master.pk, "actor": staff(Role.GLOBAL_ADMIN)}
        with (
            nothing_written(),
            pytest.raises(ConflictError, match=r"Иванов is off shift now\. Assign anyway\?") as caught,
        ):
            manual.assign(**options)
        offer.refresh_from_db()
        assert (caught.value.code, offer.state) == ("confirm", "SENT")
        assert manual.assign(**options, confirmed=True).assigned_master_id == master.pk


class TestSearchAgain:
    def test_everybody_may_be_asked_anew(self):
        offer = OfferFactory(order__dispatch_round=2, order__rounds_limit=2, order__dispatch_at=None)
        now = timezone.now()
        order = manual.search_again(order_id=offer.order_id, actor=logist_of(offer.order), now=now)
        assert (order.search_number, order.dispatch_round, order.rounds_limit) == (2, 0, None)
        order.refresh_from_db()
        assert (order.search_number, order.dispatch_round, order.rounds_limit) == (2, 0, None)
        assert (order.dispatch_at, order.search_started_at, order.status) == (now, now, "SEARCHING")
        offer.refresh_from_db()
        assert (offer.state, offer.close_reason) == ("CANCELED", "withdrawn")

    @pytest.mark.parametrize("status", sorted(set(OrderStatus.values) - {"SEARCHING", "GUARANTEE"}))
    def test_only_a_searching_order_searches_again(self, status):
        order = OrderFactory(status=status)
        actor = logist_of(order)
        with nothing_written(), pytest.raises(ConflictError, match="is not searching for a master now"):
            manual.search_again(order_id=order.pk, actor=actor)

    def test_a_second_tap_does_not_withdraw_what_the_first_one_found(self):
        order = OrderFactory(version=4)
        actor = logist_of(order)
        manual.search_again(order_id=order.pk, actor=actor, version=4, search=1)
        offer = OfferFactory(order=order, search_number=2)
        with pytest.raises(StaleError, match="changed by"):
            manual.search_again(order_id=order.pk, actor=actor, version=4, search=1)
        offer.refresh_from_db()
        assert offer.state == "SENT"


def test_auto_leaves_alone_what_it_cannot_help() -> None:
    order = OrderFactory(dispatch_at=timezone.now() + timedelta(hours=1))
    boss = staff(Role.GLOBAL_ADMIN)
    manual.nudge(order_id=order.pk, actor=boss)
    order.refresh_from_db()
    assert order.dispatch_at is not None
    assert order.dispatch_at <= timezone.now()
    OfferFactory(order=order)
    stuck = OrderFactory(escalation_reason="rounds_exhausted", dist_escalated_logist_at=timezone.now())
    nowhere, closed = OrderFactory(district=None), OrderFactory(closed=True)
    for refused, sentence in (
        (order, "has an offer of this order now"),
        (stuck, "are used up"),
        (nowhere, "has no district"),
        (closed, "it needs no master"),
    ):
        with pytest.raises(ConflictError, match=sentence):
            manual.nudge(order_id=refused.pk, actor=boss)


def test_a_deferred_order_is_activated_by_auto() -> None:
    order = OrderFactory(status=OrderStatus.DEFERRED, dispatch_at=timezone.now() + timedelta(hours=1))
    manual.nudge(order_id=order.pk, actor=staff(Role.GLOBAL_ADMIN))
    order.refresh_from_db()
    assert order.status == OrderStatus.SEARCHING
