"""Guarantee visits: from what they are made, what they copy, who may make them (spec §7)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from fieldservice.lib.errors import ConflictError, ForbiddenError, NotFoundError, StaleError
from fieldservice.runtime.models import Setting
from fieldservice.tests.racing import codes, racers, winners
from orders.dispatch import engine
from orders.enums import OrderStatus
from orders.models import Order, OrderStatusHistory
from orders.services import guarantee
from orders.tests.counting import nothing_written
from orders.tests.factories import OrderFactory
from orders.tests.people import as_master, logist_of, staff
from staff.enums import Role
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Europe/Moscow"))


def closed(days: float = 1, **values) -> Order:
    """A normal order that was closed some days before NOON."""
    return OrderFactory(**{"closed": True, "closed_at": NOON - timedelta(days=days)} | values)


def visit(source: Order, actor=None, **options) -> Order:
    actor = actor or logist_of(source)
    made = guarantee.create(**{"source_order_id": source.pk, "actor": actor, "now": NOON} | options)
    return Order.objects.get(pk=made.pk)


class TestCreate:
    def test_it_copies_the_place_and_the_client_and_prefers_the_master(self):
        source = closed(apartment="17", address_comment="код", lat=55.7, lon=37.6, category="WINDOWS")
        actor = logist_of(source)
        order = visit(source, actor)
        for name in ("city", "district", "house", "apartment", "address_comment", "client_name", "client_phone",
                     "category", "lat", "lon", "description", "no_district"):  # fmt: skip
            assert getattr(order, name) == getattr(source, name), name
        assert (order.type, order.status, order.preferred_master) == ("GUARANTEE", "GUARANTEE", source.assigned_master)
        assert (order.assigned_master, order.guarantee_source_order) == (None, source)
        assert (order.company_payment, order.total_sum) == (Decimal(2500), 0)
        assert (order.timeslot_start_utc, order.created_by_staff_id) == (None, actor.staff_id)
        first = OrderStatusHistory.objects.order_by("pk").first()
        assert (first.reason, first.context["source_order_id"]) == ("guarantee_created", source.pk)

    def test_staff_may_say_what_is_wrong(self):
        assert visit(closed(), description=" опять\x00 течёт ").description == "опять течёт"

    def test_the_payment_is_a_setting(self):
        Setting.objects.create(key="guarantee_company_payment", value="1800.50")
        assert visit(closed()).company_payment == Decimal("1800.50")

    def test_at_night_it_waits_for_the_morning(self):
        order = visit(closed(), now=NOON.replace(hour=22))
        assert (order.status, order.dispatch_at) == ("DEFERRED", NOON.replace(day=23, hour=10))
        engine.tick(now=NOON.replace(day=23, hour=10))
        order.refresh_from_db()
        assert order.status == "GUARANTEE"

    def test_its_master_is_asked_first(self):
        source = closed()
        MasterFactory(districts=[source.district], has_vehicle=True)
        order = visit(source)
        (decision,) = engine.nudge(now=NOON + timedelta(seconds=1)).decisions
        assert [m.id for m in decision.masters] == [order.preferred_master_id]


class TestRefused:
    @pytest.mark.parametrize("status", sorted(set(OrderStatus.values) - {"CLOSED"}))
    def test_an_order_that_is_not_closed(self, status):
        source = closed(status=status)
        actor = logist_of(source)
        with nothing_written(), pytest.raises(ConflictError, match="made from a closed normal order"):
            visit(source, actor)

    def test_a_guarantee_visit_itself(self):
        source = closed(type="GUARANTEE")
        with pytest.raises(ConflictError, match="made from a closed normal order"):
            visit(source)

    def test_an_order_without_a_master(self):
        source = closed(assigned_master=None)
        with pytest.raises(ConflictError, match="has no master who could come again"):
            visit(source)

    def test_a_second_open_visit(self):
        source = closed()
        first = visit(source)
        actor = logist_of(source)
        with nothing_written(), pytest.raises(ConflictError, match=f"already: #{first.pk}"):
            visit(source, actor)
        Order.objects.filter(pk=first.pk).update(status="CANCELED")
        assert visit(source).pk != first.pk

    def test_a_stale_version(self):
        source = closed()
        with pytest.raises(StaleError):
            visit(source, version=source.version + 1)

    def test_after_two_weeks_only_a_global_admin_may(self):
        assert visit(closed(days=14)).status == "GUARANTEE"
        old = closed(days=14.01)
        with pytest.raises(ConflictError, match="was closed more than 14 days ago: ask a global admin"):
            visit(old, staff(Role.CITY_ADMIN, old.city))
        assert visit(old, staff(Role.GLOBAL_ADMIN)).status == "GUARANTEE"

    def test_the_days_are_a_setting(self):
        Setting.objects.create(key="guarantee_days", value="30")
        assert visit(closed(days=29)).status == "GUARANTEE"

    def test_a_stranger_and_a_master(self):
        source = closed()
        stranger = staff(Role.LOGIST, OrderFactory().city)
        with nothing_written(), pytest.raises(NotFoundError, match=rf"There is no order #{source.pk}\."):
            visit(source, stranger)
        with nothing_written(), pytest.raises(ForbiddenError):
            visit(source, as_master(source.assigned_master))


@pytest.mark.django_db(transaction=True)
def test_two_clerks_at_once_make_one_visit():
    with racers(3) as crew:
        for _round in range(20):
            source = closed()
            actor = logist_of(source)
            results = crew.run(*[lambda source=source, actor=actor: visit(source, actor)] * 3)
            assert (len(winners(results)), codes(results)) == (1, ["conflict"] * 2)
