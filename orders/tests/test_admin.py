"""The order form and the order page of the web admin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from geo.tests.factories import DistrictFactory
from orders.enums import OrderStatus
from orders.models import Order, OrderStatusHistory
from orders.tests.factories import OrderFactory
from staff.enums import Role
from staff.tests.factories import StaffUserFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)  # 12:00 in Moscow
ADD = "admin:orders_order_add"


@pytest.fixture
def place() -> Any:
    return DistrictFactory()


@pytest.fixture
def logist(client: Client, place: Any) -> Any:
    member = StaffUserFactory(role=Role.LOGIST, cities=[place.city])
    client.force_login(member)
    return member


def answers(place: Any, **changes: Any) -> dict[str, Any]:
    return {
        "client_phone": "8 999 123-45-67", "client_name": "Клиент", "city": place.city_id, "district": place.pk,
        "house": "1", "category": "PLUMBING", "slot": "asap", "description": "Течёт кран",
    } | changes  # fmt: skip


@time_machine.travel(NOON, tick=False)
def test_adding_an_order_goes_through_intake(client: Client, place: Any, logist: Any) -> None:
    response = client.post(reverse(ADD), answers(place))
    assert response.status_code == 302, response.context["adminform"].form.errors
    order = Order.objects.get()
    assert (order.status, order.client_phone, order.version) == (OrderStatus.SEARCHING, "+79991234567", 2)
    assert order.created_by_staff == logist
    assert list(OrderStatusHistory.objects.order_by("id").values_list("to_status", flat=True)) == [
        "CREATED",
        "SEARCHING",
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"client_phone": "123"}, "client_phone"),
        ({"client_phone": ""}, "client_phone"),
        ({"city": ""}, "city"),
        ({"slot": "today:10-13"}, "slot"),
        ({"category": "MAGIC"}, "category"),
        ({"category": ""}, "category"),
        ({"house": "x" * 40}, "house"),
    ],
)
def test_wrong_input_is_answered_beside_the_field_and_writes_nothing(
    client: Client, place: Any, logist: Any, change: dict[str, Any], field: str
) -> None:
    with time_machine.travel(datetime(2026, 3, 10, 12, 0, tzinfo=UTC), tick=False):  # 15:00: the first slot is over
        response = client.post(reverse(ADD), answers(place, **change))
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors
    assert not Order.objects.exists()


def test_a_slot_means_the_day_it_was_picked_for_and_stays_picked(client: Client, place: Any, logist: Any) -> None:
    with time_machine.travel(datetime(2026, 3, 10, 20, 59, tzinfo=UTC), tick=False):  # 23:59 in Moscow
        offered = client.get(reverse("admin:orders_order_slots"), {"city": place.city_id}).json()["slots"]
    name = offered[0][0]
    assert name == "2026-03-11:10-13"
    with time_machine.travel(datetime(2026, 3, 10, 21, 1, tzinfo=UTC), tick=False):
        again = client.post(reverse(ADD), answers(place, slot=name, category="MAGIC"))
        assert f'value="{name}" selected' in again.content.decode()
        assert client.post(reverse(ADD), answers(place, slot=name)).status_code == 302
    assert Order.objects.get().timeslot_start_utc == datetime(2026, 3, 11, 7, tzinfo=UTC)


@time_machine.travel(datetime(2026, 3, 10, 17, 0, tzinfo=UTC), tick=False)  # 20:00
def test_late_asap_asks_for_a_confirmation(client: Client, place: Any, logist: Any) -> None:
    response = client.post(reverse(ADD), answers(place))
    assert "slot" in response.context["adminform"].form.errors
    assert client.post(reverse(ADD), answers(place, confirm_late="on")).status_code == 302
    assert Order.objects.get().status == OrderStatus.DEFERRED


def test_a_stranger_city_cannot_be_chosen(client: Client, place: Any, logist: Any) -> None:
    strange = DistrictFactory()
    response = client.post(reverse(ADD), answers(strange))
    assert response.status_code == 200
    assert "city" in response.context["adminform"].form.errors
    assert not Order.objects.exists()


def test_state_fields_cannot_be_posted(client: Client, place: Any, logist: Any) -> None:
    order = OrderFactory(district=place, description="старое")
    url = reverse("admin:order_edit", args=[order.pk])
    form = {"status": "CLOSED", "total_sum": "1", "version": "9", "assigned_master": "1", "description": "Совсем новое"}
    management = {
        f"{prefix}-{name}": "0"
        for prefix in ("history", "offers", "decisions")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")
    }
    assert client.post(url, form | management).status_code == 302
    order.refresh_from_db()
    assert (order.status, order.version, order.total_sum, order.description) == (
        OrderStatus.SEARCHING,
        1,
        0,
        "Совсем новое",
    )


def test_what_is_edited_is_checked_as_in_a_new_order(client: Client, place: Any, logist: Any) -> None:
    order = OrderFactory(district=place, house="5", description="старое")
    url = reverse("admin:order_edit", args=[order.pk])
    management = {
        f"{prefix}-{name}": "0"
        for prefix in ("history", "offers", "decisions")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")
    }
    form = {"house": "5😀", "apartment": "-", "client_name": "Анна 2", "description": "старое"}
    errors = client.post(url, form | management).context["adminform"].form.errors
    assert set(errors) == {"house", "client_name"}, "what an old order has may stay as it is"
    form |= {"house": " 5к2 ", "client_name": "Анна"}
    assert client.post(url, form | management).status_code == 302
    order.refresh_from_db()
    assert (order.house, order.apartment, order.client_name, order.description) == ("5к2", None, "Анна", "старое")


def test_the_list_costs_few_queries(client: Client, place: Any, django_assert_max_num_queries: Any) -> None:
    client.force_login(StaffUserFactory(role=Role.GLOBAL_ADMIN))
    OrderFactory.create_batch(30, district=place)
    with django_assert_max_num_queries(12):
        assert client.get(reverse("admin:orders_order_changelist")).status_code == 200


def ask_for(client: Client, **query: str) -> set[int]:
    response = client.get(reverse("admin:orders_order_changelist"), query)
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


@pytest.mark.parametrize("typed", ["+79991234567", "8 999 123-45-67", " 8(999)1234567 "])
def test_the_search_knows_a_phone_however_it_is_typed(client: Client, place: Any, logist: Any, typed: str) -> None:
    order = OrderFactory(district=place, client_phone="+79991234567")
    OrderFactory(district=place, client_phone="+79991234568")
    OrderFactory(client_phone="+79991234567")  # of a stranger city
    assert ask_for(client, q=typed) == {order.pk}


def test_the_search_knows_a_number_and_survives_anything(client: Client, place: Any, logist: Any) -> None:
    order, other = OrderFactory.create_batch(2, district=place)
    assert ask_for(client, q=str(order.pk)) == ask_for(client, q=f"#{order.pk}") == {order.pk}
    assert ask_for(client, q=" ") == {order.pk, other.pk}
    for nonsense in ("abc", "-1", "9" * 10, "9" * 5000, "٣", "'", "1e5"):
        assert ask_for(client, q=nonsense) == set(), nonsense
    assert ask_for(client, q="\0") == {order.pk, other.pk}  # no question at all


def test_the_search_goes_through_indexes(client: Client, place: Any, logist: Any) -> None:
    with CaptureQueriesContext(connection) as caught:
        ask_for(client, q="+79991234567")
        ask_for(client, q="77")
    assert "UPPER(" not in str(caught.captured_queries)  # that would read a million rows


@time_machine.travel(NOON, tick=False)
def test_the_same_page_sent_twice_makes_one_order(client: Client, place: Any, logist: Any) -> None:
    page = client.get(reverse(ADD))
    key = page.context["adminform"].form["page_key"].value()
    assert f'value="{key}"' in page.content.decode()
    for _ in range(2):
        assert client.post(reverse(ADD), answers(place, page_key=key)).status_code == 302
    assert Order.objects.count() == 1
    # back in the browser, something else typed: another order
    assert client.post(reverse(ADD), answers(place, page_key=key, house="2")).status_code == 302
    # a new page with the same answers: another order, too
    assert client.post(reverse(ADD), answers(place, page_key="0" * 32)).status_code == 302
    assert Order.objects.count() == 3
