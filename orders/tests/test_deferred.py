"""Orders that wait for their time wake at the opening of the local day, in the city's zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fieldservice.runtime.models import Setting
from orders.dispatch import deferred, engine
from orders.models import Order, OrderStatusHistory
from orders.tests.factories import OrderFactory

pytestmark = pytest.mark.django_db


def local(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def waiting(zone: str, slot: str = "", created: str = "2026-11-22 21:00", **values) -> Order:
    """A deferred order from plain SQL: nobody has planned when it wakes."""
    if slot:
        values["timeslot_start_utc"] = local(slot, zone)
        values["timeslot_end_utc"] = local(slot, zone) + timedelta(hours=3)
    at = local(created, zone)
    return OrderFactory(**{"status": "DEFERRED", "city__timezone": zone, "created_at": at, "dispatch_at": at} | values)


ZONES = ["Europe/Kaliningrad", "Europe/Moscow", "Asia/Novosibirsk", "Asia/Vladivostok"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("slot", ["", "2026-11-23 10:00", "2026-11-23 16:00"])
def test_it_wakes_at_ten_and_not_a_minute_before(zone, slot):
    order = waiting(zone, slot)
    report = engine.tick(now=local("2026-11-23 09:59", zone))
    order.refresh_from_db()
    assert (report.woken, order.status, order.dispatch_at) == ([], "DEFERRED", local("2026-11-23 10:00", zone))
    now = local("2026-11-23 10:00", zone)
    report = engine.tick(now=now)
    order.refresh_from_db()
    assert (report.woken, order.status, order.search_started_at) == ([order.pk], "SEARCHING", now)
    assert [str(decision.outcome) for decision in report.decisions] == ["no_candidates"]
    row = OrderStatusHistory.objects.order_by("pk").first()
    assert (row.from_status, row.to_status, row.reason, row.actor_type) == (
        "DEFERRED", "SEARCHING", "deferred_wakeup", "SYSTEM"
    )  # fmt: skip


def test_each_city_has_its_own_morning():
    east, west = waiting("Asia/Vladivostok"), waiting("Europe/Kaliningrad")
    # ten in Vladivostok is two at night in Kaliningrad
    assert engine.tick(now=local("2026-11-23 10:00", "Asia/Vladivostok")).woken == [east.pk]
    assert engine.tick(now=local("2026-11-23 10:00", "Europe/Kaliningrad")).woken == [west.pk]


def test_a_guarantee_visit_wakes_as_one():
    order = waiting("Europe/Moscow", type="GUARANTEE")
    engine.tick(now=local("2026-11-23 10:00", "Europe/Moscow"))
    order.refresh_from_db()
    assert order.status == "GUARANTEE"


def test_the_window_of_the_settings_counts():
    Setting.objects.create(key="working_hours_start", value="08:00")
    order = waiting("Europe/Moscow", "2026-11-23 13:00")
    assert engine.tick(now=local("2026-11-23 08:00", "Europe/Moscow")).woken == [order.pk]


class TestCreated:
    """A row in CREATED came from an import: it is planned as if it had been typed."""

    def test_inside_the_window_it_searches(self):
        order = waiting("Europe/Moscow", created="2026-11-22 12:00", status="CREATED")
        assert engine.tick(now=local("2026-11-22 12:01", "Europe/Moscow")).woken == [order.pk]
        order.refresh_from_db()
        assert order.status == "SEARCHING"

    def test_outside_it_is_deferred(self):
        order = waiting("Europe/Moscow", created="2026-11-22 21:00", status="CREATED")
        assert engine.tick(now=local("2026-11-22 21:01", "Europe/Moscow")).woken == []
        order.refresh_from_db()
        assert (order.status, order.dispatch_at) == ("DEFERRED", local("2026-11-23 10:00", "Europe/Moscow"))
        row = OrderStatusHistory.objects.get()
        assert (row.from_status, row.to_status, row.reason) == ("CREATED", "DEFERRED", "outside_working_hours")


def test_an_order_that_somebody_activated_meanwhile_is_left_alone():
    order = waiting("Europe/Moscow")
    Order.objects.update(status="SEARCHING")
    assert deferred.wake(order.pk, now=local("2026-11-23 10:00", "Europe/Moscow")) is False
    assert not OrderStatusHistory.objects.exists()


def test_what_has_a_plan_is_not_looked_at_before():
    order = waiting("Europe/Moscow", dispatch_at=local("2026-11-23 10:00", "Europe/Moscow"))
    assert deferred.due(now=local("2026-11-23 09:59", "Europe/Moscow")) == []
    assert deferred.due(now=local("2026-11-23 10:00", "Europe/Moscow")) == [order.pk]
