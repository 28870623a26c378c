"""Another time for a visit: what a new order would get, live offers withdrawn, the master told, the old time kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, StaleError
from fieldservice.outbox.models import Notification
from geo.tests.factories import CityFactory, DistrictFactory
from orders.dispatch import engine, explain
from orders.enums import OrderStatus
from orders.models import Offer, Order, OrderStatusHistory
from orders.services import correction, lifecycle
from orders.services.options import options
from orders.services.schedule import Slot, TooLateForToday
from orders.tests.counting import nothing_written
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import as_master, logist_of, staff
from staff.enums import Role
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db
MOSCOW = ZoneInfo("Europe/Moscow")
NOON = datetime(2026, 11, 22, 12, tzinfo=MOSCOW)


def at(day: int, start: int, end: int) -> Slot:
    return Slot(datetime(2026, 11, day, start, tzinfo=MOSCOW), datetime(2026, 11, day, end, tzinfo=MOSCOW))


TODAY, TOMORROW = at(22, 16, 19), at(23, 13, 16)


def order_for(slot: Slot, **values) -> Order:
    return OrderFactory(
        **{"timeslot_start_utc": slot.start, "timeslot_end_utc": slot.end, "dispatch_at": None} | values
    )


def move(order: Order, slot: Slot | None, actor: Actor | None = None, **values) -> Order:
    values = {"now": NOON} | values
    correction.reschedule(order_id=order.pk, slot=slot, actor=actor or logist_of(order), **values)
    order.refresh_from_db()
    return order


def slot_of(order: Order) -> Slot:
    assert order.timeslot_start_utc
    assert order.timeslot_end_utc
    return Slot(order.timeslot_start_utc, order.timeslot_end_utc)


class TestDeferred:
    def test_to_another_day_it_wakes_there(self):
        order = move(order_for(TOMORROW, status="DEFERRED"), at(25, 10, 13))
        assert (order.status, order.version, slot_of(order)) == ("DEFERRED", 2, at(25, 10, 13))
        assert order.dispatch_at == NOON.replace(day=25, hour=10)
        row = OrderStatusHistory.objects.get()
        assert (row.from_status, row.to_status, row.reason) == ("DEFERRED", "DEFERRED", "rescheduled")
        assert row.context["slot"][1][0] == at(25, 10, 13).start.isoformat()

    @pytest.mark.parametrize(("kind", "wanted"), [("NORMAL", "SEARCHING"), ("GUARANTEE", "GUARANTEE")])
    def test_to_today_the_search_begins_at_once(self, kind, wanted):
        order = move(order_for(TOMORROW, status="DEFERRED", type=kind), TODAY)
        assert (order.status, order.version, order.dispatch_at) == (wanted, 2, NOON)
        row = OrderStatusHistory.objects.get()
        assert (row.from_status, row.to_status, row.reason) == ("DEFERRED", wanted, "rescheduled")

    def test_before_the_opening_it_waits_for_it(self):
        early = NOON.replace(hour=8)
        order = move(order_for(TOMORROW, status="DEFERRED"), TODAY, now=early)
        assert (order.status, order.dispatch_at) == ("DEFERRED", NOON.replace(hour=10))

    def test_an_imported_one_is_planned_as_well(self):
        assert move(order_for(TODAY, status="CREATED"), TOMORROW).status == "DEFERRED"
        assert move(order_for(TOMORROW, status="CREATED"), TODAY).status == "SEARCHING"


class TestSearching:
    def test_who_was_asked_was_asked_for_another_time(self):
        order = order_for(TODAY, dispatch_round=1, rounds_limit=2, dist_escalated_logist_at=NOON, search_number=3)
        offer = OfferFactory(order=order)
        move(order, at(22, 13, 16))
        offer.refresh_from_db()
        assert (offer.state, offer.close_reason) == ("CANCELED", "withdrawn")
        assert Notification.objects.filter(master=offer.master, edits_key=f"offer:{offer.pk}").count() == 1
        assert (order.status, order.dispatch_at, order.search_number) == ("SEARCHING", NOON, 4)
        assert (order.dispatch_round, order.rounds_limit, order.dist_escalated_logist_at) == (0, None, None)

    def test_a_later_day_is_searched_for_on_its_morning_and_no_sooner(self):
        city = CityFactory(timezone="Europe/Moscow")
        district = DistrictFactory(city=city)
        master = MasterFactory(city=city, districts=[district])
        order = order_for(TODAY, city=city, district=district, dispatch_at=NOON)
        move(order, TOMORROW)
        morning = NOON.replace(day=23, hour=10)
        assert (order.status, order.dispatch_at, order.search_started_at) == ("SEARCHING", morning, morning)
        for hours, asked in ((0, 0), (3, 0), (21.9, 0), (22, 1)):
            engine.tick(now=NOON + timedelta(hours=hours), rng=Random(1))
            assert Offer.objects.filter(order=order, master=master).count() == asked

    def test_a_guarantee_moved_blocks_nobody(self):
        order = order_for(TODAY, status="GUARANTEE", type="GUARANTEE")
        offer = OfferFactory(order=order)
        Order.objects.filter(pk=order.pk).update(preferred_master=offer.master)
        move(order, TOMORROW)
        offer.master.refresh_from_db()
        assert (order.status, offer.master.is_blocked) == ("GUARANTEE", False)


@pytest.mark.parametrize("status", ["ASSIGNED", "EN_ROUTE"])
def test_the_master_keeps_the_order_and_is_told(status):
    order = move(order_for(TODAY, assigned=True, status=status), TOMORROW)
    assert (order.status, order.version, order.dispatch_at, slot_of(order)) == (status, 2, None, TOMORROW)
    told = Notification.objects.get(event="order_changed")
    assert (told.master_id, told.payload) == (order.assigned_master_id, {"order_id": order.pk})


@pytest.mark.parametrize("status", ["WORKING", "PAYMENT", "CLOSED", "CANCELED"])
def test_a_visit_that_has_begun_stays(status):
    order = order_for(TODAY, assigned=True, status=status)
    actor = logist_of(order)
    with nothing_written(), pytest.raises(ConflictError, match="can no longer be changed"):
        move(order, TOMORROW, actor)
    assert "reschedule" not in options(order, actor)


@pytest.mark.parametrize("status", sorted(correction.MOVABLE))
def test_the_button_is_there_where_the_service_agrees(status):
    order = order_for(TODAY, assigned=status in OrderStatus.ACTIVE, status=status)
    assert "reschedule" in options(order, logist_of(order))
    assert slot_of(move(order, TOMORROW)) == TOMORROW


class TestRefused:
    @pytest.mark.parametrize(
        ("slot", "sentence"),
        [(at(22, 7, 9), "over already"), (at(23, 8, 11), "between 10:00 and 20:00"), (at(23, 18, 21), "between"),
         (Slot(NOON + timedelta(days=70), NOON + timedelta(days=70, hours=3)), "60 days")],
    )  # fmt: skip
    def test_a_wrong_slot(self, slot, sentence):
        order = order_for(TODAY)
        actor = logist_of(order)
        with nothing_written(), pytest.raises(InvalidError, match=sentence):
            move(order, slot, actor)

    def test_the_city_has_its_own_clock(self):
        order = order_for(TODAY, city__timezone="Asia/Novosibirsk")
        actor = logist_of(order)
        with pytest.raises(InvalidError, match="between"):
            move(
                order, TOMORROW.__class__(TOMORROW.start + timedelta(hours=4), TOMORROW.end + timedelta(hours=4)), actor
            )

    def test_as_soon_as_possible_in_the_evening_asks_first(self):
        order = order_for(TOMORROW, status="DEFERRED")
        actor, late = logist_of(order), NOON.replace(hour=19, minute=45)
        with pytest.raises(TooLateForToday):
            move(order, None, actor, now=late)
        move(order, None, actor, now=late, confirm_late=True)
        assert (order.status, slot_of(order)) == ("DEFERRED", at(23, 10, 13))

    def test_a_stale_page_is_told_who_moved_it(self):
        order = order_for(TODAY)
        actor = logist_of(order)
        move(order, TOMORROW, actor, version=1)
        with pytest.raises(StaleError, match=r"was changed by .* at 12:00"):
            move(order, at(24, 10, 13), actor, version=1)

    def test_a_stranger_sees_nothing_and_a_master_may_not(self):
        order = order_for(TODAY, assigned=True)
        with pytest.raises(NotFoundError):
            move(order, TOMORROW, staff(Role.LOGIST, CityFactory()))
        with pytest.raises(ForbiddenError):
            move(order, TOMORROW, as_master(order.assigned_master))


def test_the_same_time_again_changes_nothing():
    order = order_for(TODAY)
    offer = OfferFactory(order=order)
    actor = logist_of(order)
    with nothing_written():
        move(order, TODAY, actor)
    offer.refresh_from_db()
    assert offer.state == "SENT"


def test_the_story_tells_both_times():
    order = move(order_for(TODAY, status="DEFERRED"), TOMORROW)
    lines = list(explain.explain(order_id=order.pk, now=NOON).lines())
    assert any("visit moved to another time: today 16:00–19:00 → tomorrow 13:00–16:00" in line for line in lines)


def test_an_acceptance_that_came_first_makes_the_page_stale():
    order = order_for(TODAY)
    lifecycle.assign(order, master_id=MasterFactory(city=order.city).pk, actor=staff(Role.GLOBAL_ADMIN), reason="x",
                     now=NOON)  # fmt: skip
    with pytest.raises(StaleError):
        move(order, TOMORROW, version=1)
