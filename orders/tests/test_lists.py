"""The lists of the office, their filters, and the search: scope, days of the city, bounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from fieldservice.lib.errors import InvalidError
from geo.tests.factories import CityFactory, StreetFactory
from orders import lists
from orders.enums import OrderStatus
from orders.lists import Filter
from orders.models import Order
from orders.search import search
from orders.tests.factories import OrderFactory
from staff.enums import Role
from staff.models import StaffUser
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 9, tzinfo=UTC)  # noon in Moscow


def boss() -> StaffUser:
    return StaffUserFactory(role=Role.GLOBAL_ADMIN)


def listed(kind: str, member: StaffUser, chosen: Filter | None = None, now: datetime = NOON) -> set[int]:
    return set(lists.orders(kind, member, chosen or Filter(), now=now).values_list("pk", flat=True))


def test_each_order_is_in_its_lists() -> None:
    waiting = OrderFactory(dist_escalated_logist_at=NOON)
    deferred = OrderFactory(status=OrderStatus.DEFERRED)
    fresh = OrderFactory(closed=True, closed_at=NOON - timedelta(days=13))
    old = OrderFactory(closed=True, closed_at=NOON - timedelta(days=15))
    again = OrderFactory(closed=True, type="GUARANTEE", closed_at=NOON)
    OrderFactory(status=OrderStatus.CANCELED)
    member = boss()
    assert listed("queue", member) == {waiting.pk, deferred.pk}
    assert listed("escalated", member) == {waiting.pk}
    assert listed("guarantee", member) == {fresh.pk}
    assert listed("closed", member) == {fresh.pk, old.pk, again.pk}


def test_a_member_without_cities_sees_nothing_and_a_strange_city_is_no_way_in() -> None:
    order = OrderFactory()
    stranger = StaffUserFactory(cities=[CityFactory()])
    for chosen in (Filter(), Filter(city=order.city_id)):
        assert listed("queue", stranger, chosen) == set()
    assert search(stranger, order.client_phone, now=NOON) == []
    assert search(stranger, f"#{order.pk}", now=NOON) == []


def test_filters() -> None:
    order = OrderFactory(category="PLUMBING", assigned=True)
    OrderFactory()
    canceled = OrderFactory(status=OrderStatus.CANCELED)
    member = boss()
    for chosen in (Filter(city=order.city_id), Filter(category="PLUMBING"), Filter(master=order.assigned_master_id)):
        assert listed("queue", member, chosen) == {order.pk}
    assert listed("queue", member, Filter(status="CANCELED")) == {canceled.pk}


@pytest.mark.parametrize(
    ("zone", "start", "word"),
    [
        ("Asia/Vladivostok", datetime(2026, 11, 22, 23, tzinfo=UTC), "tomorrow"),  # 9:00 on the 23rd there
        ("Europe/Kaliningrad", datetime(2026, 11, 22, 20, tzinfo=UTC), "today"),  # 22:00 there
        ("", datetime(2026, 11, 22, 21, 30, tzinfo=UTC), "tomorrow"),  # TIMEZONE: Moscow
        ("Europe/Moscow", datetime(2026, 11, 21, 20, 59, tzinfo=UTC), "yesterday"),
    ],
)
def test_a_day_is_that_of_the_city(zone: str, start: datetime, word: str) -> None:
    order = OrderFactory(
        city=CityFactory(timezone=zone), district=None, timeslot_start_utc=start,
        timeslot_end_utc=start + timedelta(hours=1),
    )  # fmt: skip
    member = boss()
    assert [day for day in lists.DAYS if order.pk in listed("queue", member, Filter(day=day))] == [word]
    local = {"yesterday": "2026-11-21", "today": "2026-11-22", "tomorrow": "2026-11-23"}[word]
    assert listed("queue", member, Filter(day=local)) == {order.pk}


@pytest.mark.parametrize(
    "kept",
    [
        {"city": "x", "master": None, "category": "GARDEN", "status": 5, "day": "someday"},
        {"day": 7},
        {"city": [], "day": {}},
    ],
)
def test_what_was_remembered_by_another_version_is_dropped(kept: dict[str, Any]) -> None:
    assert Filter.read(kept) == Filter()


def test_counting_stops() -> None:
    OrderFactory.create_batch(3)
    assert lists.count(Order.objects.all()) == 3


class TestSearch:
    """Whatever is typed."""

    @pytest.fixture
    def order(self) -> Order:
        order = OrderFactory(
            client_name="Ёлкина Мария", client_phone="+79990001122", house="12А", created_at=timezone.now(),
            assigned_master=MasterFactory(full_name="Кузнецов Пётр", phone="+79990003344"), status="ASSIGNED",
        )  # fmt: skip
        order.street = StreetFactory(city=order.city, district=order.district, name="улица Большая Садовая")
        order.save()
        OrderFactory(created_at=timezone.now())
        return order

    @pytest.mark.parametrize(
        "text",
        ["{pk}", "#{pk}", "№ {pk}", "8 (999) 000-11-22", "9990001122", "+7 999 000-11-22", "1122", "ёлкина", "МАРИЯ",
         "кузнец", "Кузнецов Пётр", "+79990003344", "Садовая 12а", "большая садовая, д. 12А", "ул. Большая Садовая"],
    )  # fmt: skip
    def test_finds(self, order: Order, text: str) -> None:
        assert search(boss(), text.format(pk=order.pk), now=timezone.now()) == [order.pk]

    @pytest.mark.parametrize("text", ["Садовая 13", "+79990009999", "999999999", "нет такого", "%%%", "___"])
    def test_finds_nothing(self, order: Order, text: str) -> None:
        assert search(boss(), text, now=timezone.now()) == []

    @pytest.mark.parametrize("text", ["", "я", "ab", "\x00", "  "])
    def test_too_little(self, text: str) -> None:
        with pytest.raises(InvalidError):
            search(boss(), text, now=timezone.now())

    def test_names_are_looked_for_in_the_last_months_only(self, order: Order) -> None:
        assert search(boss(), "Ёлкина", now=timezone.now() + timedelta(days=100)) == []
        assert search(boss(), "+79990001122", now=timezone.now() + timedelta(days=100)) == [order.pk]
