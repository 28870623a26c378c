"""What the three exports hold: exact columns in their order, and the SQL that streams them (spec §8).

The server makes the text of each CSV cell: a million rows pass through here without ever being Python objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fieldservice.lib.localtime import zone
from finance.enums import ExportKind
from finance.periods import Period
from geo.models import City

# kinds of cells; INT: as it is
INT, TEXT, MONEY, PLACE, TIME, BOOL, WHOLE = "int", "text", "money", "place", "time", "bool", "whole"
FORMULA = "^\\s*[=+@＝＋－＠-]"
#: kind → the cell in CSV; {x} is the raw expression
CSV = {
    INT: "{x}",
    MONEY: "{x}",
    PLACE: "round({x}::numeric, 6)",
    WHOLE: "trim_scale(nullif({x}, 0))",
    BOOL: "CASE WHEN {x} THEN 'true' ELSE 'false' END",
    TIME: "to_char({x} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
    # what a spreadsheet would take for a formula gets an apostrophe; phones and the lone dash stay what they are
    TEXT: f"CASE WHEN {{x}} ~ '{FORMULA}' AND {{x}} !~ '^(\\+\\d{{{{5,15}}}}|\\s*-\\s*)$' THEN '''' || {{x}} "
    "ELSE nullif({x}, '') END",
}
#: kind → the cell of a workbook, where text is text
XLSX = CSV | {BOOL: "{x}", TEXT: "nullif({x}, '')"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file."""

    name: str
    kind: str
    sql: str


@dataclass(frozen=True, slots=True)
class Table:
    """One export. `source`: everything after FROM; `city` and `created` say which rows belong to a period."""

    name: str
    columns: tuple[Column, ...]
    source: str
    created: str
    number: str

    @property
    def names(self) -> list[str]:
        """The header."""
        return [column.name for column in self.columns]

    def select(self, cells: dict[str, str]) -> str:
        """The rows of a period, oldest first. Parameters: those of `spans`."""
        listed = ", ".join(cells[column.kind].format(x=column.sql) for column in self.columns)
        return f"SELECT {listed} FROM {self.source}{self._where()} ORDER BY {self.created}, {self.number}"

    def count(self) -> str:
        """How many rows that are."""
        return f"SELECT count(*) FROM {self.source}{self._where()}"

    def _where(self) -> str:
        # the outer bounds use the index on created_at, the inner ones are the city's own days
        return (
            f" JOIN unnest(%(cities)s::int[], %(since)s::timestamptz[], %(until)s::timestamptz[])"
            f" AS span(city_id, since, until) ON span.city_id = o.city_id"
            f" WHERE {self.created} >= %(first)s AND {self.created} < %(last)s"
            f" AND {self.created} >= span.since AND {self.created} < span.until"
        )


def spans(period: Period, city_ids: Sequence[int]) -> dict[str, Any]:
    """The period's bounds in each city's own zone. Without cities there is nothing."""
    zones = dict(City.objects.filter(pk__in=list(city_ids)).values_list("pk", "timezone"))
    bounds: list[tuple[int, datetime, datetime]] = [(pk, *period.bounds(zone(name))) for pk, name in zones.items()]
    utc = period.bounds(zone("UTC"))
    return {
        "cities": [pk for pk, _since, _until in bounds],
        "since": [since for _pk, since, _until in bounds],
        "until": [until for _pk, _since, until in bounds],
        "first": min((since for _pk, since, _until in bounds), default=utc[0]),
        "last": max((until for _pk, _since, until in bounds), default=utc[0]),
    }


def _columns(*rows: tuple[str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(*row) for row in rows)


ORDERS = Table(
    "orders",
    _columns(
        ("order_id", INT, "o.id"),
        ("created_at_utc", TIME, "o.created_at"),
        ("closed_at_utc", TIME, "o.closed_at"),
        ("city", TEXT, "c.name"),
        ("district", TEXT, "d.name"),
        ("street", TEXT, "coalesce(s.name, o.street_text)"),
        ("house", TEXT, "o.house"),
        ("lat", PLACE, "o.lat"),
        ("lon", PLACE, "o.lon"),
        ("category", INT, "o.category"),
        ("status", INT, "o.status"),
        ("type", INT, "o.type"),
        ("timeslot_start_utc", TIME, "o.timeslot_start_utc"),
        ("timeslot_end_utc", TIME, "o.timeslot_end_utc"),
        ("late_visit", BOOL, "o.late_visit"),
        ("company_payment", WHOLE, "o.company_payment"),
        ("total_sum", MONEY, "o.total_sum"),
        ("user_name", TEXT, "o.client_name"),
        ("user_phone", TEXT, "o.client_phone"),
        ("master_name", TEXT, "m.full_name"),
        ("master_phone", TEXT, "m.phone"),
        ("cancel_reason", TEXT, "o.cancel_reason"),
    ),
    "orders o JOIN cities c ON c.id = o.city_id LEFT JOIN districts d ON d.id = o.district_id"
    " LEFT JOIN streets s ON s.id = o.street_id LEFT JOIN masters m ON m.id = o.assigned_master_id",
    "o.created_at",
    "o.id",
)
COMMISSIONS = Table(
    "commissions",
    _columns(
        ("commission_id", INT, "k.id"),
        ("order_id", INT, "k.order_id"),
        ("master_id", INT, "k.master_id"),
        ("master_name", TEXT, "m.full_name"),
        ("master_phone", TEXT, "m.phone"),
        ("amount", MONEY, "k.amount"),
        ("rate", MONEY, "k.rate"),
        ("created_at_utc", TIME, "k.created_at"),
        ("deadline_at_utc", TIME, "k.deadline_at"),
        ("paid_reported_at_utc", TIME, "k.paid_reported_at"),
        ("paid_approved_at_utc", TIME, "k.paid_approved_at"),
        ("paid_amount", MONEY, "k.paid_amount"),
        ("is_paid", BOOL, "k.is_paid"),
        (
            "has_checks",
            BOOL,
            "EXISTS (SELECT 1 FROM attachments a WHERE a.entity_type = 'COMMISSION' AND a.entity_id = k.id)",
        ),
        (
            "snapshot_methods",
            TEXT,
            "(SELECT string_agg(way, ',') FROM jsonb_array_elements_text("
            "CASE jsonb_typeof(k.pay_to_snapshot -> 'methods') WHEN 'array' "
            "THEN k.pay_to_snapshot -> 'methods' ELSE '[]' END) way)",
        ),
        # never the whole number, whatever an imported snapshot holds
        ("snapshot_card_number_last4", TEXT, "right(k.pay_to_snapshot ->> 'card_number_last4', 4)"),
        (
            "snapshot_sbp_phone_masked",
            INT,
            "'+7*** *** ** ' || right(k.pay_to_snapshot ->> 'sbp_phone_masked', 2)",
        ),
    ),
    "commissions k JOIN orders o ON o.id = k.order_id JOIN masters m ON m.id = k.master_id",
    "k.created_at",
    "k.id",
)
REWARDS = Table(
    "ref_rewards",
    _columns(
        ("reward_id", INT, "r.id"),
        ("master_id", INT, "r.referrer_id"),
        ("order_id", INT, "k.order_id"),
        ("commission_id", INT, "r.commission_id"),
        ("level", INT, "r.level"),
        ("amount", MONEY, "r.amount"),
        ("created_at_utc", TIME, "r.created_at"),
    ),
    "referral_rewards r JOIN commissions k ON k.id = r.commission_id JOIN orders o ON o.id = k.order_id",
    "r.created_at",
    "r.id",
)
TABLES: dict[str, tuple[Table, ...]] = {
    ExportKind.ORDERS: (ORDERS,),
    ExportKind.COMMISSIONS: (COMMISSIONS,),
    ExportKind.REWARDS: (REWARDS,),
    ExportKind.ALL: (ORDERS, COMMISSIONS, REWARDS),
}
