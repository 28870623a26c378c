"""Orders from before v1.2 become today's orders, and back (rules: docs/schema.md, "Backfill")."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from orders.enums import Category, OrderStatus
from orders.migrations import _backfill
from orders.tests.chain import DISPATCH, FILLED, STAFF, V11, V12, Chain, database

DAY = date(2025, 9, 20)
MORNING = {"scheduled_date": DAY, "time_slot_start": time(10), "time_slot_end": time(13)}
CITIES = {
    "Новосибирск": "Asia/Novosibirsk",
    "Москва": "Europe/Moscow",
    "Калининград": "Europe/Kaliningrad",
    "Без зоны": None,
    "Пустая зона": "",
    "Выдуманная зона": "Mars/Base",
}
RENAMED = {"DISTRIBUTION": "SEARCHING", "SCHEDULED": "EN_ROUTE", "IN_PROGRESS": "WORKING", "DONE": "PAYMENT"}
LEGACY = [
    "CREATED",
    "DISTRIBUTION",
    "ASSIGNED",
    "SCHEDULED",
    "IN_PROGRESS",
    "DONE",
    "CLOSED",
    "DEFERRED",
    "GUARANTEE",
    "CANCELED",
]
APPS = ("runtime", "outbox", "finance", "orders", "staff", "geo")
REMARK = "Время визита (старая запись): "


def utc(hour: int, day: int = 20) -> datetime:
    return datetime(2025, 9, day, hour, tzinfo=UTC)


@pytest.fixture(scope="module")
def template(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The name of a database that stands at 0001, with the cities."""
    with django_db_blocker.unblock(), database("chain_template") as chain:
        chain.migrate(V11, STAFF)
        for name, zone in CITIES.items():
            chain.insert("cities", name=name, timezone=zone)
        chain.connection.close()
        yield chain.connection.settings_dict["NAME"]


@pytest.fixture
def chain(template: str, django_db_blocker: Any) -> Iterator[Chain]:
    """A database at 0001 for one test."""
    with django_db_blocker.unblock(), database("chain", template) as chain:
        yield chain


@pytest.fixture(scope="module")
def world(template: str, django_db_blocker: Any) -> Iterator[Chain]:
    """Every kind of legacy row, migrated up to today. Only to be read."""
    with (
        django_db_blocker.unblock(),
        database("chain_world", template) as chain,
        override_settings(TIMEZONE="Europe/Moscow"),
    ):
        load_slots(chain)
        load_statuses(chain)
        load_values(chain)
        chain.migrate(DISPATCH)
        yield chain


def add(chain: Chain, name: str, city: str = "Москва", **values: Any) -> int:
    """A legacy order, called `name` in the column client_name."""
    city_id = chain.rows("SELECT id FROM cities WHERE name = %s", city)[0][0]
    return chain.insert("orders", **{"city_id": city_id, "client_name": name} | values)


def load_slots(chain: Chain) -> None:
    for city in CITIES:
        add(chain, f"slot {city}", city, **MORNING)
    add(chain, "nothing", description="Розетка")
    add(chain, "no date", time_slot_start=time(10), time_slot_end=time(13), description="Розетка")
    add(chain, "only a start", scheduled_date=DAY, time_slot_start=time(18), slot_label=" вечером ")
    add(chain, "only an end", "Новосибирск", scheduled_date=DAY, time_slot_end=time(13))
    add(chain, "only a date", scheduled_date=DAY)
    add(chain, "only a label", slot_label="после обеда")
    add(chain, "a label beside the slot", slot_label="10-13", **MORNING)
    # the old check let nothing of the kind in, an import may have
    chain.rows("ALTER TABLE orders DROP CONSTRAINT ck_orders__slot_in_working_window")
    add(chain, "upside down", scheduled_date=DAY, time_slot_start=time(15), time_slot_end=time(12))
    chain.rows("ALTER TABLE orders ADD CONSTRAINT ck_orders__slot_in_working_window CHECK (true)")


def load_statuses(chain: Chain) -> None:
    master = chain.insert("masters", full_name="Мастер 1")
    for status in LEGACY:
        order = add(chain, f"status {status}", status=status)
        chain.insert("order_status_history", order_id=order, from_status=None, to_status=status)
        chain.insert(
            "order_status_history",
            order_id=order,
            from_status=status,
            to_status="CLOSED",
            created_at=utc(11),
            actor_type="MASTER",
        )
        chain.insert(
            "order_status_history",
            order_id=order,
            from_status="CLOSED",
            to_status="CLOSED",
            created_at=utc(12),
            reason="autoclose_24h",
        )
        for number, state in enumerate(("EXPIRED", "SENT"), start=1):
            chain.insert(
                "offers",
                order_id=order,
                master_id=master,
                round_number=number,
                state=state,
                sent_at=utc(9),
                expires_at=utc(9) + timedelta(seconds=90),
            )
    chain.insert("orders", city_id=1, client_name="closed without history", status="CLOSED", updated_at=utc(7))


def load_values(chain: Chain) -> None:
    for text in ("electrics", " Plumbing ", "", None, *Category):
        add(chain, f"category {text!s}", category=text)
    district = chain.insert("districts", city_id=2, name="Центр")
    add(
        chain,
        "full",
        district_id=district,
        total_price="1234.56",
        latitude="55.123456",
        longitude="37.654321",
        order_type="GUARANTEE",
        description="Кран",
    )
    staff = chain.insert("staff_users", role="LOGIST")
    file = {"entity_type": "ORDER", "entity_id": 1, "file_type": "PHOTO"}
    chain.insert("attachments", file_id="by staff", uploaded_by_staff_id=staff, **file)
    chain.insert("attachments", file_id="by nobody", **file)


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("slot Новосибирск", utc(3), utc(6)),
        ("slot Москва", utc(7), utc(10)),
        ("slot Калининград", utc(8), utc(11)),
        ("slot Без зоны", utc(7), utc(10)),
        ("slot Пустая зона", utc(7), utc(10)),
        ("slot Выдуманная зона", utc(7), utc(10)),
        ("nothing", None, None),
        ("no date", None, None),
        ("only a start", utc(15), utc(18)),
        ("only an end", utc(3), utc(6)),
        ("only a date", None, None),
        ("only a label", None, None),
        ("upside down", utc(12), utc(15)),
    ],
)
def test_slots_are_converted_in_the_zone_of_the_city(world: Chain, name: str, start: Any, end: Any) -> None:
    order = world.row("orders", client_name=name)
    assert (order["timeslot_start_utc"], order["timeslot_end_utc"]) == (start, end)


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("slot Москва", None),
        ("nothing", "Розетка"),
        ("a label beside the slot", None),
        ("no date", f"Розетка\n{REMARK}с 10:00, до 13:00"),
        ("only a start", f"{REMARK}20.09.2025, с 18:00, вечером"),
        ("only an end", f"{REMARK}20.09.2025, до 13:00"),
        ("only a date", f"{REMARK}20.09.2025"),
        ("only a label", f"{REMARK}после обеда"),
        ("upside down", f"{REMARK}20.09.2025, с 15:00, до 12:00"),
        ("full", "Кран"),
    ],
)
def test_what_two_columns_cannot_hold_is_kept_as_text(world: Chain, name: str, description: Any) -> None:
    assert world.row("orders", client_name=name)["description"] == description


@pytest.mark.parametrize("status", LEGACY)
def test_statuses_are_renamed_in_both_tables(world: Chain, status: str) -> None:
    today = RENAMED.get(status, status)
    order = world.row("orders", client_name=f"status {status}")
    assert order["status"] == today
    history = world.rows(
        "SELECT from_status::text, to_status::text FROM order_status_history WHERE order_id = %s ORDER BY id",
        order["id"],
    )
    assert history == [(None, today), (today, "CLOSED"), ("CLOSED", "CLOSED")]


def test_the_type_has_the_labels_of_the_seed(world: Chain) -> None:
    labels = world.rows("SELECT unnest(enum_range(NULL::order_status))::text")
    assert [label for (label,) in labels] == list(OrderStatus)
    default = world.rows(
        "SELECT column_default FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'status'"
    )
    assert default == [("'CREATED'::order_status",)]


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("electrics", "ELECTRICS"),
        (" Plumbing ", "PLUMBING"),
        ("", "ELECTRICS"),
        (None, "ELECTRICS"),
        *zip(Category, Category, strict=True),
    ],
)
def test_categories_become_labels(world: Chain, text: str | None, category: str) -> None:
    assert world.row("orders", client_name=f"category {text!s}")["category"] == category


def test_the_other_columns_are_carried_over(world: Chain) -> None:
    full, bare = (world.row("orders", client_name=name) for name in ("full", "nothing"))
    columns = ("total_sum", "lat", "lon", "type", "no_district", "cancel_reason")
    assert [full[column] for column in columns] == [Decimal("1234.56"), 55.123456, 37.654321, "GUARANTEE", False, None]
    assert [bare[column] for column in columns] == [0, None, None, "NORMAL", True, None]
    assert not set(full) & {
        "scheduled_date",
        "time_slot_start",
        "time_slot_end",
        "slot_label",
        "total_price",
        "latitude",
        "longitude",
        "order_type",
    }


def test_dispatch_takes_over_what_waits_and_nothing_else(world: Chain) -> None:
    waiting = {
        name.removeprefix("status ")
        for (name,) in world.rows(
            "SELECT client_name FROM orders WHERE client_name LIKE 'status %%' AND dispatch_at IS NOT NULL"
        )
    }
    assert waiting == {"CREATED", "DISTRIBUTION", "GUARANTEE", "DEFERRED"}
    rounds = dict(world.rows("SELECT client_name, dispatch_round FROM orders WHERE dispatch_round > 0"))
    assert rounds == {"status DISTRIBUTION": 2, "status GUARANTEE": 2}
    fresh = world.rows("INSERT INTO orders (city_id) VALUES (1) RETURNING dispatch_at <= now()")
    assert fresh == [(True,)]


def test_closed_orders_know_when(world: Chain) -> None:
    assert world.row("orders", client_name="status CLOSED")["closed_at"] is not None
    assert world.row("orders", client_name="closed without history")["closed_at"] == utc(7)
    assert world.row("orders", client_name="status DONE")["closed_at"] is None


def test_offers_and_files_get_what_v12_took_for_granted(world: Chain) -> None:
    offers = world.rows("SELECT state::text, delivered_at, sla_seconds FROM offers GROUP BY 1, 2, 3 ORDER BY 1")
    assert offers == [("EXPIRED", None, 120), ("SENT", utc(9), 90)]
    files = world.rows("SELECT file_id, bot FROM attachments ORDER BY 1")
    assert files == [("by nobody", "master"), ("by staff", "admin")]


def test_an_unknown_category_stops_and_changes_nothing(chain: Chain) -> None:
    for category in ("Кровля", "кровля", "roof", "PLUMBING"):
        add(chain, "x", category=category)
    chain.migrate(FILLED)
    sentence = (
        r"^orders\.category has .*'ROOF' in 1 row\(s\), 'КРОВЛЯ' in 2 row\(s\); "
        r"known: ELECTRICS, .*ROADSIDE\. Correct these rows"
    )
    with pytest.raises(CommandError, match=sentence):
        chain.migrate(V12)
    assert {"scheduled_date", "total_price"} <= chain.columns("orders")
    assert chain.applied() == {V11[1], FILLED[1]}
    assert chain.rows("SELECT category FROM orders ORDER BY id")[0] == ("Кровля",)
    chain.rows("UPDATE orders SET category = 'Handyman' WHERE category <> 'PLUMBING'")
    chain.migrate(V12)
    assert chain.rows("SELECT count(*) FROM orders WHERE category = 'HANDYMAN'") == [(3,)]


def test_an_unknown_status_stops_and_changes_nothing(chain: Chain) -> None:
    order = add(chain, "x")
    chain.rows("ALTER TYPE order_status ADD VALUE 'LOST'")
    for _ in range(2):
        chain.insert("order_status_history", order_id=order, to_status="LOST")
    with pytest.raises(CommandError, match=r"^order_status_history\.to_status has .*'LOST' in 2 row\(s\); known: "):
        chain.migrate(V12)
    assert "scheduled_date" in chain.columns("orders")
    assert chain.row("orders", id=order)["category"] is None
    assert chain.applied() == {V11[1], FILLED[1]}


def test_the_check_and_the_names_of_the_seed(chain: Chain) -> None:
    chain.migrate(DISPATCH)
    for start, end in ((utc(3), None), (None, utc(3)), (utc(3), utc(3)), (utc(4), utc(3))):
        with pytest.raises(Exception, match="ck_orders__timeslot_range"):
            add(chain, "x", timeslot_start_utc=start, timeslot_end_utc=end)
    add(chain, "x", timeslot_start_utc=utc(3), timeslot_end_utc=utc(4))
    names = {name for (name,) in chain.rows("SELECT conname FROM pg_constraint UNION SELECT relname FROM pg_class")}
    assert {
        "ck_orders__timeslot_range",
        "pk_orders",
        "ix_orders__status_city_timeslot_start",
        "uq_offers__order_master",
        "uix_offers__order_accepted_once",
    } <= names


def test_back_to_the_old_tables_and_forth_again(chain: Chain) -> None:
    add(
        chain,
        "nsk",
        "Новосибирск",
        status="DONE",
        category="PLUMBING",
        total_price=700,
        latitude="55.1",
        longitude=82,
        order_type="GUARANTEE",
        **MORNING,
    )
    before = chain.row("orders", client_name="nsk")
    chain.migrate(DISPATCH)
    city_id = before["city_id"]
    chain.insert("orders", city_id=city_id, client_name="late", timeslot_start_utc=utc(12), timeslot_end_utc=utc(15))
    after = chain.row("orders", client_name="nsk")
    chain.migrate(V11)
    assert chain.row("orders", client_name="nsk") == before
    # 19:00–22:00 is outside the old window: the old check could not hold it
    assert chain.row("orders", client_name="late")["time_slot_start"] is None
    chain.migrate(DISPATCH)
    assert chain.row("orders", client_name="nsk") == after | {"dispatch_at": None}


def test_one_step_back_keeps_what_the_old_columns_still_hold(chain: Chain) -> None:
    add(chain, "start", scheduled_date=DAY, time_slot_start=time(11))
    before = chain.row("orders", client_name="start")
    chain.migrate(FILLED)
    chain.migrate(V11)
    remark = f"{REMARK}20.09.2025, с 11:00"
    assert chain.row("orders", client_name="start") == before | {"description": remark}
    chain.migrate(FILLED)
    assert chain.row("orders", client_name="start")["description"] == remark, "said once"


def test_zero_leaves_no_tables_and_no_types(chain: Chain) -> None:
    leaves = [leaf for leaf in chain.leaves() if leaf[0] in APPS]
    chain.migrate(*leaves)
    assert {"orders", "order_category", "commission_status"} <= chain.tables_and_types()
    chain.migrate(*[(app, None) for app in APPS])
    assert not [name for name in chain.tables_and_types() if not name.startswith(("django_", "auth_"))]


def test_the_last_step_does_not_rewrite_the_orders(chain: Chain) -> None:
    files = "SELECT relname, relfilenode FROM pg_class WHERE relname IN ('orders', 'offers', 'attachments') ORDER BY 1"
    chain.migrate(V12)
    before = chain.rows(files)
    chain.migrate(DISPATCH)
    assert chain.rows(files) == before


@pytest.mark.django_db
@pytest.mark.parametrize(("configured", "used"), [("Asia/Omsk", "Asia/Omsk"), ("Mars/Base", "UTC"), ("", "UTC")])
def test_the_zone_of_a_city_without_one(settings: Any, configured: str, used: str) -> None:
    settings.TIMEZONE = configured
    with connection.cursor() as cursor:
        assert _backfill.fallback_zone(cursor) == used


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    out = StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, stdout=out)
    except SystemExit:
        pytest.fail(f"run makemigrations:\n{out.getvalue()}")
