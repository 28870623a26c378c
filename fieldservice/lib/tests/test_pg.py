"""Native ENUM fields in queries, and the operations that change ENUM types under tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection, transaction
from django.db.models import Case, CharField, Count, F, Q, Value, When
from django.db.models.functions import Cast
from django.db.utils import DataError, IntegrityError

from fieldservice.lib.pg import CreateEnum, LongIndex, NamePrimaryKey, PgEnumField, RecreateEnum, named_fk
from fieldservice.lib.pg.checks import check_enum_labels
from orders.enums import OrderStatus
from orders.models import Order, OrderStatusHistory
from orders.tests.factories import HistoryFactory, OrderFactory

pytestmark = pytest.mark.django_db

OLD, NEW = ["RED", "AMBER", "GREEN"], ["STOP", "AMBER", "GO", "DARK"]
SWAP = RecreateEnum("lamp", OLD, NEW, {"RED": "STOP", "GREEN": "GO"}, {"STOP": "RED", "GO": "GREEN", "DARK": "RED"})


def sql(query: str, *params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall() if cursor.description else []


def run(operation: Any, direction: str = "forwards") -> None:
    """The operation alone, inside the transaction of the test."""
    with connection.schema_editor(atomic=False) as editor:
        getattr(operation, f"database_{direction}")("lib", editor, None, None)


# --- the field -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask",
    [
        lambda: Order.objects.filter(status="LOST").exists(),
        lambda: Order.objects.filter(status__in=["SEARCHING", "LOST"]).exists(),
        lambda: Order.objects.exclude(status="searching").exists(),
        lambda: Order.objects.filter(status="").exists(),
        lambda: Order.objects.filter(Q(pk=1) | Q(history__to_status="LOST")).exists(),
    ],
)
def test_a_question_with_a_wrong_label_is_refused_before_the_server(ask: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="is not a label of order_status"):
        ask()
    assert Order.objects.count() == 0, "the transaction still works"


@pytest.mark.parametrize("write", [lambda: Order.objects.update(status=""), lambda: OrderFactory(status="LOST")])
def test_a_wrong_label_is_never_written(write: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="is not a label of order_status"), transaction.atomic():
        write()
    assert Order.objects.count() == 0


def test_filters_orders_and_groups() -> None:
    for status in ("CLOSED", "SEARCHING", "CREATED", "SEARCHING"):
        OrderFactory(status=status)
    assert Order.objects.filter(status__in=OrderStatus.SEARCH).count() == 2
    assert Order.objects.filter(~Q(status=OrderStatus.CLOSED)).count() == 3
    assert [o.status for o in Order.objects.order_by("status")] == ["CREATED", "SEARCHING", "SEARCHING", "CLOSED"]
    counts = dict(Order.objects.values_list("status").annotate(n=Count("pk")).order_by())
    assert counts == {"CREATED": 1, "SEARCHING": 2, "CLOSED": 1}
    assert set(Order.objects.annotate(text=Cast("status", CharField())).values_list("text", flat=True)) == set(counts)


def test_updates_by_expressions() -> None:
    searching, closed = OrderFactory(), OrderFactory(status="CLOSED")
    Order.objects.update(status=Case(When(status="SEARCHING", then=Value("ASSIGNED")), default=Value("CANCELED")))
    searching.refresh_from_db()
    closed.refresh_from_db()
    assert (searching.status, closed.status) == ("ASSIGNED", "CANCELED")
    searching.status, closed.status = OrderStatus.WORKING, OrderStatus.CREATED
    Order.objects.bulk_update([searching, closed], ["status"])
    assert sorted(Order.objects.values_list("status", flat=True)) == ["CREATED", "WORKING"]
    history = HistoryFactory(order=searching, from_status=None)
    OrderStatusHistory.objects.update(from_status=F("to_status"))
    history.refresh_from_db()
    assert history.from_status == "SEARCHING"


def test_null_and_the_default_of_the_database() -> None:
    assert HistoryFactory(from_status=None).from_status is None
    sql("INSERT INTO orders (city_id) SELECT id FROM cities LIMIT 1")
    assert Order.objects.latest("id").status == "CREATED"


def test_the_field_survives_its_description() -> None:
    field = PgEnumField(enum_type="order_status", choices=OrderStatus.choices)
    _, _, args, kwargs = field.deconstruct()
    assert PgEnumField(*args, **kwargs).db_type(connection) == "order_status"


# --- types ---------------------------------------------------------------------------------------------------------


def test_a_type_is_made_over_an_orphan_but_never_under_a_table() -> None:
    run(CreateEnum("lamp", OLD))
    run(CreateEnum("lamp", NEW))
    assert sql("SELECT enum_range(NULL::lamp)::text") == [("{STOP,AMBER,GO,DARK}",)]
    sql("CREATE TABLE street (lamp lamp)")
    sql("SAVEPOINT before")
    with pytest.raises(Exception, match="other objects depend on it"):
        run(CreateEnum("lamp", OLD))
    sql("ROLLBACK TO before")
    sql("DROP TABLE street")
    run(CreateEnum("lamp", NEW), "backwards")
    assert sql("SELECT to_regtype('lamp') IS NULL") == [(True,)]


@pytest.fixture
def lamps() -> None:
    """Two tables on one type, with everything that can stand in the way of another type."""
    run(CreateEnum("lamp", OLD))
    sql("""
        CREATE TABLE street (id serial PRIMARY KEY, lamp lamp NOT NULL DEFAULT 'RED', was lamp, "Mixed Case" lamp);
        CREATE TABLE lane (lamp lamp UNIQUE, CONSTRAINT ck_lane CHECK (lamp <> 'AMBER'));
        CREATE INDEX ix_partial ON street (id) WHERE lamp IN ('RED', 'GREEN');
        CREATE INDEX ix_both ON street (id) WHERE lamp = 'RED' AND was = 'RED';
        CREATE INDEX ix_expression ON street ((lamp = 'GREEN'));
        CREATE INDEX ix_plain ON street (lamp, was);
        CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER tr_lamp BEFORE UPDATE OF lamp ON street FOR EACH ROW EXECUTE FUNCTION nothing();
        CREATE TRIGGER tr_when BEFORE UPDATE ON street FOR EACH ROW WHEN (NEW.lamp = 'RED') EXECUTE FUNCTION nothing();
        INSERT INTO street (lamp, was, "Mixed Case") VALUES ('RED', NULL, 'GREEN'), ('AMBER', 'GREEN', NULL);
        INSERT INTO lane VALUES ('RED'), ('GREEN'), (NULL)""")


def names() -> set[str]:
    """Indexes, checks and triggers of the two tables."""
    return {
        name
        for (name,) in sql("""
        SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid IN ('street'::regclass, 'lane'::regclass)
        UNION SELECT conname FROM pg_constraint WHERE conrelid = 'lane'::regclass AND contype = 'c'
        UNION SELECT tgname FROM pg_trigger WHERE tgrelid = 'street'::regclass""")
    }


def test_labels_are_renamed_in_every_table(lamps: None) -> None:
    before = names()
    run(SWAP)
    assert sql('SELECT lamp::text, was::text, "Mixed Case"::text FROM street ORDER BY id') == [
        ("STOP", None, "GO"),
        ("AMBER", "GO", None),
    ]
    assert {lamp for (lamp,) in sql("SELECT lamp::text FROM lane")} == {"STOP", "GO", None}
    assert sql("SELECT enum_range(NULL::lamp)::text") == [("{STOP,AMBER,GO,DARK}",)]
    assert sql("INSERT INTO street DEFAULT VALUES RETURNING lamp::text") == [("STOP",)]
    assert sql("SELECT to_regtype('lamp__old') IS NULL") == [(True,)]
    assert names() == before


def test_conditions_speak_the_new_labels(lamps: None) -> None:
    run(SWAP)
    ends = {
        name: definition.partition("WHERE ")[2]
        for name, definition in sql(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
            "WHERE indrelid = 'street'::regclass AND indpred IS NOT NULL"
        )
    }
    assert ends == {
        "ix_partial": "(lamp = ANY (ARRAY['STOP'::lamp, 'GO'::lamp]))",
        "ix_both": "((lamp = 'STOP'::lamp) AND (was = 'STOP'::lamp))",
    }
    assert "(lamp = 'GO'::lamp)" in sql("SELECT pg_get_indexdef('ix_expression'::regclass)")[0][0]
    assert "'AMBER'::lamp" in sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'ck_lane'")[0][0]
    assert "'STOP'::lamp" in sql("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'tr_when'")[0][0]


def test_a_condition_on_a_dropped_label_is_an_error() -> None:
    """Not a silent change of what the index or check means."""
    run(CreateEnum("lamp", OLD))
    sql("CREATE TABLE street (lamp lamp, CONSTRAINT ck_street CHECK (lamp <> 'RED'))")
    with pytest.raises(DataError, match="RED"):
        run(RecreateEnum("lamp", OLD, ["AMBER", "GREEN"]))


def test_it_goes_back(lamps: None) -> None:
    before = names()
    run(SWAP)
    sql("INSERT INTO street (lamp) VALUES ('DARK')")
    run(SWAP, "backwards")
    assert [lamp for (lamp,) in sql("SELECT lamp::text FROM street ORDER BY id")] == ["RED", "AMBER", "RED"]
    assert sql("INSERT INTO street DEFAULT VALUES RETURNING lamp::text") == [("RED",)]
    assert names() == before


def test_a_row_without_a_place_stops_with_a_sentence(lamps: None) -> None:
    smaller = RecreateEnum("lamp", OLD, ["STOP", "AMBER"], {"RED": "STOP"})
    with pytest.raises(CommandError, match=r"^street\.was has .*: 'GREEN' in 1 row\(s\); known: RED, STOP, AMBER\. "):
        run(smaller)


def test_a_generated_column_stops_it() -> None:
    run(CreateEnum("lamp", OLD))
    sql("CREATE TABLE street (lamp lamp, bright boolean GENERATED ALWAYS AS (lamp = 'GREEN') STORED)")
    with pytest.raises(ValueError, match=r"street\.bright is generated from lamp: drop it first"):
        run(SWAP)


def test_rows_of_the_same_transaction_are_no_obstacle() -> None:
    run(CreateEnum("lamp", OLD))
    sql(
        "CREATE TABLE town (id int PRIMARY KEY); CREATE TABLE street (lamp lamp, "
        "town int REFERENCES town DEFERRABLE INITIALLY DEFERRED); "
        "INSERT INTO street VALUES ('GREEN', 1); INSERT INTO town VALUES (1)"
    )
    run(SWAP)
    assert sql("SELECT lamp::text FROM street") == [("GO",)]


def test_the_check_tells_a_forgotten_label() -> None:
    assert check_enum_labels(None, ["default"]) == []
    sql("ALTER TYPE order_type ADD VALUE 'WARRANTY'")
    (warning,) = check_enum_labels(None, ["default"])
    assert warning.obj == Order._meta.get_field("type")
    assert "'WARRANTY'" in warning.msg
    assert check_enum_labels(None, None) == []


# --- names ---------------------------------------------------------------------------------------------------------


def test_the_primary_key_gets_its_name_and_gives_it_back() -> None:
    sql("CREATE TABLE street (id int PRIMARY KEY)")
    key = "SELECT conname FROM pg_constraint WHERE conrelid = 'street'::regclass AND contype = 'p'"
    run(NamePrimaryKey("street"))
    assert sql(key) == [("pk_street",)]
    run(NamePrimaryKey("street"), "backwards")
    assert sql(key) == [("street_pkey",)]


def test_long_names_have_an_end() -> None:
    LongIndex(fields=["city"], name="ix_" + "x" * 60)
    assert LongIndex(fields=["city"], name="ix_" + "x" * 61).max_name_length == 63


def test_foreign_keys_act_in_the_database() -> None:
    order = OrderFactory(assigned=True)
    HistoryFactory(order=order)
    sql("SAVEPOINT before")
    with pytest.raises(IntegrityError, match="fk_orders__city_id__cities"):
        sql("DELETE FROM cities WHERE id = %s", order.city_id)
    sql("ROLLBACK TO before")
    sql("DELETE FROM masters WHERE id = %s", order.assigned_master_id)
    order.refresh_from_db()
    assert order.assigned_master is None
    sql("DELETE FROM orders WHERE id = %s", order.pk)
    assert not OrderStatusHistory.objects.exists()


def test_a_foreign_key_is_itself_again_after_its_description() -> None:
    key = named_fk("orders", "city_id", "cities", "RESTRICT")
    _, args, kwargs = key.deconstruct()
    assert type(key)(*args, **kwargs) == key
    assert (key.field, key.name) == ("city", "fk_orders__city_id__cities")
    assert named_fk("masters", "verified_by", "staff_users", "SET NULL").field == "verified_by"
    assert key != named_fk("orders", "city_id", "cities", "CASCADE")
