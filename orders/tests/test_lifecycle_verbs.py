"""The verbs of staff and masters: rights, reasons, versions, and what each leaves behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from fieldservice.lib.actor import COMMAND_LINE, SYSTEM, Actor
from fieldservice.lib.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, StaleError
from fieldservice.outbox.models import Notification
from orders.enums import OrderStatus
from orders.models import Offer, Order, OrderStatusHistory
from orders.services import lifecycle, manual
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import admin_of, as_master, logist_of, staff
from staff.enums import Role
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = pytest.mark.django_db


def told(order: Order) -> list[tuple[int, str, str]]:
    """(master, reason, status) of the messages that the order was taken away."""
    rows = Notification.objects.filter(event="order_withdrawn", payload__order_id=order.pk)
    return [(row.master_id, row.payload["reason"], row.payload["status"]) for row in rows]


class TestMaster:
    def test_the_way_to_work(self):
        order = OrderFactory(assigned=True)
        me = as_master(order.assigned_master)
        lifecycle.depart(order_id=order.pk, actor=me, version=1)
        lifecycle.start_work(order_id=order.pk, actor=me, version=2)
        order.refresh_from_db()
        assert (order.status, order.version) == ("WORKING", 3)
        rows = OrderStatusHistory.objects.order_by("pk")
        assert [(row.to_status, row.reason, row.actor_type) for row in rows] == [
            ("EN_ROUTE", "master_en_route", "MASTER"),
            ("WORKING", "master_working", "MASTER"),
        ]

    def test_a_second_tap_changes_nothing_even_with_the_version_before(self):
        order = OrderFactory(assigned=True)
        me = as_master(order.assigned_master)
        for _tap in range(3):
            assert lifecycle.depart(order_id=order.pk, actor=me, version=1).version == 2
        for _tap in range(3):
            assert lifecycle.start_work(order_id=order.pk, actor=me, version=2).version == 3
        assert OrderStatusHistory.objects.count() == 2

    def test_a_step_out_of_turn_is_refused(self):
        order = OrderFactory(assigned=True)
        me = as_master(order.assigned_master)
        with pytest.raises(ConflictError, match="is «Assigned» now"):
            lifecycle.start_work(order_id=order.pk, actor=me)
        lifecycle.depart(order_id=order.pk, actor=me)
        lifecycle.start_work(order_id=order.pk, actor=me)
        with pytest.raises(ConflictError, match="is «In work» now"):
            lifecycle.depart(order_id=order.pk, actor=me)

    @pytest.mark.parametrize("verb", [lifecycle.depart, lifecycle.start_work])
    def test_another_s_order_is_refused(self, verb):
        order = OrderFactory(assigned=True)
        for actor in (as_master(MasterFactory(city=order.city)), admin_of(order), SYSTEM):
            with pytest.raises(ConflictError) as caught:
                verb(order_id=order.pk, actor=actor)
            assert caught.value.code == "not_yours"

    def test_an_order_that_was_taken_away_is_refused(self):
        order = OrderFactory(assigned=True)
        me = as_master(order.assigned_master)
        lifecycle.return_to_search(order_id=order.pk, actor=admin_of(order), reason="client moved")
        with pytest.raises(ConflictError, match="is not yours any more"):
            lifecycle.depart(order_id=order.pk, actor=me)


VERBS = {
    "activate": lambda order, actor: lifecycle.activate(order_id=order.pk, actor=actor, version=99),
    "return": lambda order, actor: lifecycle.return_to_search(
        order_id=order.pk, actor=actor, reason="a reason", version=99
    ),
    "cancel": lambda order, actor: lifecycle.cancel(order_id=order.pk, actor=actor, reason="a reason", version=99),
    "offer": lambda order, actor: manual.offer(order_id=order.pk, master_id=1, actor=actor, version=99),
    "assign": lambda order, actor: manual.assign(order_id=order.pk, master_id=1, actor=actor, version=99),
    "search_again": lambda order, actor: manual.search_again(order_id=order.pk, actor=actor, version=99),
    "candidates": lambda order, actor: manual.candidates(order_id=order.pk, actor=actor),
}


class TestScope:
    # a logist assigns nowhere: that is refused before
    @pytest.mark.parametrize(
        ("verb", "role"),
        [(verb, Role.CITY_ADMIN) for verb in VERBS] + [(verb, Role.LOGIST) for verb in VERBS if verb != "assign"],
    )
    def test_a_stranger_s_order_does_not_exist(self, verb, role):
        order, mine = OrderFactory(), OrderFactory()
        actor = staff(role, mine.city)
        with pytest.raises(NotFoundError) as theirs:
            VERBS[verb](order, actor)
        with pytest.raises(NotFoundError) as nobodys:
            VERBS[verb](Order(pk=order.pk + 1000), actor)
        # neither the sentence nor the (wrong) version tells the two apart
        assert str(theirs.value).replace(str(order.pk), "N") == str(nobodys.value).replace(str(order.pk + 1000), "N")

    @pytest.mark.parametrize("verb", VERBS)
    def test_without_cities_there_is_nothing(self, verb):
        with pytest.raises(NotFoundError):
            VERBS[verb](OrderFactory(), staff(Role.CITY_ADMIN))

    @pytest.mark.parametrize("verb", VERBS)
    @pytest.mark.parametrize("role", [Role.GLOBAL_ADMIN, Role.CITY_ADMIN])
    def test_an_inactive_member_sees_nothing(self, verb, role):
        order = OrderFactory()
        with pytest.raises(NotFoundError):
            VERBS[verb](order, staff(role, order.city, is_active=False))

    @pytest.mark.parametrize("verb", ["activate", "return", "cancel", "offer", "assign", "search_again"])
    def test_a_master_may_not_do_what_staff_do(self, verb):
        order = OrderFactory(assigned=True)
        with pytest.raises(ForbiddenError, match="Your role does not allow this"):
            VERBS[verb](order, as_master(order.assigned_master))

    def test_a_global_admin_sees_every_city(self):
        order = OrderFactory()
        lifecycle.cancel(order_id=order.pk, actor=staff(Role.GLOBAL_ADMIN), reason="a reason")
        assert Order.objects.get().status == "CANCELED"


class TestVersion:
    def test_a_stale_version_says_who_and_when_in_the_city_s_zone(self):
        order = OrderFactory(assigned=True, city__timezone="Asia/Novosibirsk")
        member = StaffUserFactory(full_name="Анна", role=Role.CITY_ADMIN, cities=[order.city])
        at = datetime(2026, 11, 22, 5, 3, tzinfo=UTC)
        lifecycle.return_to_search(order_id=order.pk, actor=Actor.of_staff(member), reason="client moved", now=at)
        with pytest.raises(StaleError) as caught:
            lifecycle.cancel(order_id=order.pk, actor=admin_of(order), reason="a reason", version=1)
        assert str(caught.value) == f"Order #{order.pk} was changed by Анна at 12:03; reload it."

    def test_a_remark_after_the_change_does_not_take_the_blame(self):
        order = OrderFactory(assigned=True)
        me = order.assigned_master
        lifecycle.depart(order_id=order.pk, actor=as_master(me))
        OrderStatusHistory.objects.create(
            order=order, from_status="EN_ROUTE", to_status="EN_ROUTE", created_at=timezone.now() + timedelta(hours=1)
        )
        with pytest.raises(StaleError, match=f"was changed by {me.full_name} at"):
            lifecycle.cancel(order_id=order.pk, actor=admin_of(order), reason="a reason", version=1)

    def test_the_system_is_called_by_its_name(self):
        order = OrderFactory(status="DEFERRED")
        lifecycle.begin_search(order, actor=SYSTEM, reason="deferred_wakeup", now=timezone.now())
        with pytest.raises(StaleError, match="was changed by System at"):
            lifecycle.cancel(order_id=order.pk, actor=admin_of(order), reason="a reason", version=1)

    def test_an_order_without_history_says_so(self):
        order = OrderFactory(version=3)
        with pytest.raises(StaleError, match="was changed meanwhile; reload it"):
            lifecycle.cancel(order_id=order.pk, actor=admin_of(order), reason="a reason", version=2)

    def test_a_stale_write_writes_nothing(self):
        order = OrderFactory(assigned=True, version=5)
        OfferFactory(order=order, state="ACCEPTED")
        for verb in (lifecycle.cancel, lifecycle.return_to_search):
            with pytest.raises(StaleError):
                verb(order_id=order.pk, actor=admin_of(order), reason="a reason", version=4)
        assert Order.objects.get().status == "ASSIGNED"
        assert not OrderStatusHistory.objects.exists()
        assert not Notification.objects.exists()

    def test_the_present_version_is_good(self):
        order = OrderFactory(version=5)
        assert lifecycle.cancel(order_id=order.pk, actor=admin_of(order), reason="a reason", version=5).version == 6


class TestCancel:
    @pytest.mark.parametrize("role", Role.values)
    @pytest.mark.parametrize("status", ["CREATED", "SEARCHING", "GUARANTEE", "DEFERRED", "ASSIGNED", "EN_ROUTE"])
    def test_every_role_cancels_before_the_work_begins(self, role, status):
        order = OrderFactory(status=status)
        lifecycle.cancel(order_id=order.pk, actor=staff(role, order.city), reason="client refused")
        order.refresh_from_db()
        assert (order.status, order.cancel_reason, order.dispatch_at) == ("CANCELED", "client refused", None)

    @pytest.mark.parametrize("role", Role.values)
    def test_only_admins_cancel_work_in_progress(self, role):
        order = OrderFactory(assigned=True, status="WORKING")
        actor = staff(role, order.city)
        if role == Role.LOGIST:
            with pytest.raises(ForbiddenError, match="The work has begun: only an admin may cancel"):
                lifecycle.cancel(order_id=order.pk, actor=actor, reason="client refused")
            return
        lifecycle.cancel(order_id=order.pk, actor=actor, reason="client refused")
        assert Order.objects.get().status == "CANCELED"

    @pytest.mark.parametrize("status", ["PAYMENT", "CLOSED", "CANCELED"])
    def test_what_is_done_stays_done(self, status):
        order = OrderFactory(assigned=True, status=status)
        with pytest.raises(ConflictError):
            lifecycle.cancel(order_id=order.pk, actor=admin_of(order), reason="client refused")

    @pytest.mark.parametrize("reason", ["", "  ", "no", " a ", "x" * 201])
    def test_a_reason_is_required(self, reason):
        order = OrderFactory()
        with pytest.raises(InvalidError, match="Give a reason of 3 to 200 characters"):
            lifecycle.cancel(order_id=order.pk, actor=admin_of(order), reason=reason)
        assert Order.objects.get().status == "SEARCHING"

    def test_the_master_stays_on_record_and_is_told(self):
        order = OrderFactory(assigned=True, status="WORKING")
        lifecycle.cancel(order_id=order.pk, actor=admin_of(order), reason="client refused")
        order.refresh_from_db()
        assert order.assigned_master is not None
        assert told(order) == [(order.assigned_master_id, "client refused", "CANCELED")]

    def test_live_offers_are_withdrawn_and_their_messages_redrawn(self):
        order = OrderFactory()
        offers = [OfferFactory(order=order), OfferFactory(order=order, state="VIEWED")]
        declined = OfferFactory(order=order, state="DECLINED")
        lifecycle.cancel(order_id=order.pk, actor=admin_of(order), reason="client refused")
        assert {o.pk: (o.state, o.close_reason) for o in Offer.objects.all()} == {
            offers[0].pk: ("CANCELED", "order_canceled"),
            offers[1].pk: ("CANCELED", "order_canceled"),
            declined.pk: ("DECLINED", None),
        }
        redrawn = Notification.objects.filter(event="offer").values_list("master_id", flat=True)
        assert set(redrawn) == {offer.master_id for offer in offers}
        assert told(order) == []

    def test_the_system_cancels_nothing(self):
        order = OrderFactory()
        with pytest.raises(ForbiddenError):
            lifecycle.cancel(order_id=order.pk, actor=COMMAND_LINE, reason="client refused")
        assert Order.objects.get().status == "SEARCHING"


class TestReturn:
    @pytest.mark.parametrize("status", ["ASSIGNED", "EN_ROUTE", "WORKING"])
    @pytest.mark.parametrize(("kind", "back"), [("NORMAL", "SEARCHING"), ("GUARANTEE", "GUARANTEE")])
    def test_a_new_search_begins(self, status, kind, back):
        order = OrderFactory(
            assigned=True, status=status, type=kind, dispatch_round=2, rounds_limit=2, dispatch_at=None
        )
        former, now = order.assigned_master_id, timezone.now()
        lifecycle.return_to_search(order_id=order.pk, actor=logist_of(order), reason="client  moved", now=now)
        order.refresh_from_db()
        assert (order.status, order.assigned_master, order.version) == (back, None, 2)
        assert (order.search_number, order.dispatch_round, order.rounds_limit) == (2, 0, None)
        assert (order.dispatch_at, order.search_started_at) == (now, now)
        assert told(order) == [(former, "client moved", back)]

    def test_the_accepted_offer_is_void(self):
        order = OrderFactory(assigned=True)
        offer = OfferFactory(order=order, master=order.assigned_master, state="ACCEPTED")
        lifecycle.return_to_search(order_id=order.pk, actor=logist_of(order), reason="client moved")
        offer.refresh_from_db()
        assert (offer.state, offer.close_reason) == ("CANCELED", "withdrawn")

    @pytest.mark.parametrize("status", sorted(set(OrderStatus.values) - {"ASSIGNED", "EN_ROUTE", "WORKING"}))
    def test_an_order_without_a_master_at_work_is_refused(self, status):
        order = OrderFactory(status=status)
        with pytest.raises(ConflictError, match=r"has no master to take it from"):
            lifecycle.return_to_search(order_id=order.pk, actor=logist_of(order), reason="client moved")
        assert not OrderStatusHistory.objects.exists()

    def test_a_reason_is_required(self):
        order = OrderFactory(assigned=True)
        with pytest.raises(InvalidError):
            lifecycle.return_to_search(order_id=order.pk, actor=logist_of(order), reason="no")


class TestActivate:
    def test_a_deferred_order_searches_now(self):
        order = OrderFactory(status="DEFERRED", dispatch_at=timezone.now() + timedelta(days=1))
        now = timezone.now()
        lifecycle.activate(order_id=order.pk, actor=logist_of(order), now=now)
        order.refresh_from_db()
        assert (order.status, order.dispatch_at) == ("SEARCHING", now)
        assert OrderStatusHistory.objects.get().reason == "activated_by_admin"

    @pytest.mark.parametrize("status", sorted(set(OrderStatus.values) - {"DEFERRED"}))
    def test_another_is_refused(self, status):
        order = OrderFactory(status=status)
        with pytest.raises(ConflictError, match="is not deferred"):
            lifecycle.activate(order_id=order.pk, actor=logist_of(order))
