"""Prepared queries find what the ORM finds, as the ORM would give it, and never more than they were asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import NotSupportedError, OperationalError, connection, transaction
from django.db.models import Count, F, QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldservice import links
from fieldservice.lib import prepared as module
from fieldservice.lib.prepared import fetch, prepared
from geo.tests.factories import CityFactory, DistrictFactory
from orders.enums import OrderStatus
from orders.models import Order
from orders.tests.factories import OrderFactory

pytestmark = pytest.mark.django_db


@prepared
def orders_of(*, city_id: int, since: datetime) -> QuerySet[Order]:
    rows = Order.objects.select_related("city", "district", "street")
    return rows.filter(city_id=city_id, created_at__gte=since, status__in=OrderStatus.SEARCH).order_by("pk")


@prepared
def some(names: tuple[str, ...], start: int, end: int, *, city_id: int) -> QuerySet[Order]:
    return Order.objects.select_related("city").only(*names).filter(city_id=city_id).order_by("-pk")[start:end]


def test_values_change_the_sql_stays(django_assert_num_queries: Any) -> None:
    now = timezone.now()
    first, second = OrderFactory(status=OrderStatus.SEARCHING), OrderFactory(status=OrderStatus.SEARCHING)
    OrderFactory(city=first.city, district=first.district, assigned=True)
    for order in (first, second, first):
        with django_assert_num_queries(1):
            (found,) = orders_of(city_id=order.city_id, since=now - timedelta(hours=1))
            assert (found, found.city, found.district, found.street) == (order, order.city, order.district, None)
        assert {name: value for name, value in vars(found).items() if name != "_state"} == {
            name: value for name, value in vars(Order.objects.get(pk=order.pk)).items() if name != "_state"
        }
    assert orders_of(city_id=first.city_id, since=now + timedelta(hours=1)) == []
    assert orders_of.first(city_id=2**31 - 1, since=now) is None
    assert len(orders_of.plans) == 1


def test_what_was_found_can_be_changed() -> None:
    order = OrderFactory(status=OrderStatus.SEARCHING)
    (found,) = orders_of(city_id=order.city_id, since=order.created_at)
    found.house = "7"
    found.save(update_fields=["house"])
    assert Order.objects.get(pk=order.pk).house == "7"


def test_a_shape_has_sql_of_its_own(monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any) -> None:
    monkeypatch.setattr(module, "SHAPES", 2)
    city = CityFactory()
    made = [OrderFactory(city=city, district=DistrictFactory(city=city)) for _ in range(3)]
    for start in (0, 1, 2):
        (found,) = some(("house", "city__name"), start, start + 1, city_id=city.pk)
        assert found == made[2 - start]
        assert found.get_deferred_fields() >= {"client_phone", "status"}
        with django_assert_num_queries(0):
            assert found.city.name == city.name
        with django_assert_num_queries(1):
            assert found.status == made[2 - start].status
    assert len(some.plans) <= 2


def test_tuples_and_annotations() -> None:
    @prepared
    def count(*, city_id: int) -> Any:
        return Order.objects.filter(city_id=city_id).order_by().values_list("status").annotate(Count("pk"))

    @prepared
    def houses(*, city_id: int) -> QuerySet[Order]:
        return Order.objects.filter(city_id=city_id).annotate(number=F("house"))

    order = OrderFactory(status=OrderStatus.SEARCHING, house="5")
    assert count(city_id=order.city_id) == [("SEARCHING", 1)]
    (found,) = houses(city_id=order.city_id)
    assert found.number == "5"


def test_what_cannot_be_prepared_says_so() -> None:
    @prepared
    def twisted(*, pk: int) -> QuerySet[Order]:
        return Order.objects.filter(pk=pk + 1)

    @prepared
    def more(*, pk: int) -> QuerySet[Order]:
        return Order.objects.filter(pk=pk).prefetch_related("offers")

    @prepared
    def dictionaries(*, pk: int) -> Any:
        return Order.objects.filter(pk=pk).values("pk")

    for query, sentence in ((twisted, "not in the SQL"), (more, "prefetched"), (dictionaries, "not prepared")):
        with pytest.raises(ValueError, match=sentence):
            query(pk=1)
    with pytest.raises(TypeError, match="takes pk"):
        twisted()


def test_labels_are_told_as_django_tells_them() -> None:
    order = OrderFactory.build(status=OrderStatus.SEARCHING, category=None)
    assert order.get_status_display() == str(OrderStatus.SEARCHING.label)
    assert order.get_category_display() is None
    order.status = "UNHEARD"
    assert order.get_status_display() == "UNHEARD"


def plans(needle: str) -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        sql = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE position(%s IN statement) > 0"
        cursor.execute(sql, [needle])
        return list(cursor.fetchall())


def test_the_server_plans_once() -> None:
    order = OrderFactory(status=OrderStatus.SEARCHING)
    for _ in range(9):  # PostgreSQL itself tries five times whether knowing the values makes a better plan
        assert orders_of(city_id=order.city_id, since=order.created_at) == [order]
    ((generic, custom),) = plans("IN ('SEARCHING', 'GUARANTEE')")
    assert generic > 0
    assert generic + custom == 9


def test_behind_a_pooler_of_transactions_nothing_is_left_on_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    order = OrderFactory(status=OrderStatus.SEARCHING)
    settings = links.watched({"ENGINE": "django.db.backends.postgresql", "DISABLE_SERVER_SIDE_CURSORS": True})
    monkeypatch.setattr(connection.connection, "prepare_threshold", settings["OPTIONS"]["prepare_threshold"])
    for _ in range(9):
        assert some(("house", "city__name"), 0, 7, city_id=order.city_id) == [order]
    assert plans("LIMIT 7") == []


def test_django_knows_what_was_executed() -> None:
    with CaptureQueriesContext(connection) as caught:
        assert orders_of(city_id=1, since=timezone.now()) == []
    assert "IN ('SEARCHING', 'GUARANTEE')" in caught.captured_queries[0]["sql"]


@pytest.mark.django_db(transaction=True)
def test_a_column_may_get_another_type_while_the_plan_is_kept() -> None:
    connection.ensure_connection()
    where = {name: value for name, value in connection.get_connection_params().items()
             if name in {"dbname", "user", "password", "host", "port"}}  # fmt: skip
    read = partial(fetch, "SELECT a FROM plan_kept WHERE a > %s", [0])
    with psycopg.connect(**where, autocommit=True) as migration:
        migration.execute("CREATE TABLE plan_kept(a int)")
        try:
            migration.execute("INSERT INTO plan_kept VALUES (7)")
            assert read() == [(7,)]
            migration.execute("ALTER TABLE plan_kept ALTER a TYPE numeric(9, 2)")
            assert read() == [(Decimal(7),)]
            migration.execute("ALTER TABLE plan_kept ALTER a TYPE bigint")
            with pytest.raises(NotSupportedError), transaction.atomic():
                read()
            with transaction.atomic():
                assert read() == [(7,)]
        finally:
            migration.execute("DROP TABLE plan_kept")


def test_constants_stand_in_the_sql_whatever_is_in_them() -> None:
    @prepared
    def named(text: str, *, city_id: int) -> QuerySet[Order]:
        return Order.objects.filter(city_id=city_id, house=text).exclude(apartment__contains=text)

    order = OrderFactory(house="50% 'Б' %s \\ \"", apartment="")
    assert named("50% 'Б' %s \\ \"", city_id=order.city_id) == [order]
    assert named("50%", city_id=order.city_id) == []


def cut() -> None:
    """End our connection as the server does when it stops, and wait until it has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@transaction.atomic
def cut_in_a_transaction(values: dict[str, Any]) -> None:
    cut()
    orders_of(**values)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_cut_costs_nothing_but_in_a_transaction() -> None:
    order = OrderFactory(status=OrderStatus.SEARCHING)
    values = {"city_id": order.city_id, "since": order.created_at}
    for _ in range(2):
        assert orders_of(**values) == [order]
        cut()
    assert orders_of(**values) == [order]
    with pytest.raises(OperationalError):
        cut_in_a_transaction(values)
    assert orders_of(**values) == [order]
