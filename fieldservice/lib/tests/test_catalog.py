"""The database after all migrations has exactly the tables, columns, names and types it must have."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.db import connection

from fieldservice.lib.tests import catalog

pytestmark = pytest.mark.django_db

ENUMS = {
    "order_status": [
        "CREATED",
        "SEARCHING",
        "ASSIGNED",
        "EN_ROUTE",
        "WORKING",
        "PAYMENT",
        "CLOSED",
        "DEFERRED",
        "GUARANTEE",
        "CANCELED",
    ],
    "order_type": ["NORMAL", "GUARANTEE"],
    "order_category": ["ELECTRICS", "PLUMBING", "APPLIANCES", "WINDOWS", "HANDYMAN", "ROADSIDE"],
    "actor_type": ["SYSTEM", "ADMIN", "MASTER", "AUTO_DISTRIBUTION"],
    "offer_state": ["SENT", "VIEWED", "ACCEPTED", "DECLINED", "EXPIRED", "CANCELED"],
    "attachment_entity": ["ORDER", "OFFER", "COMMISSION", "MASTER"],
    "attachment_file_type": ["PHOTO", "DOCUMENT", "AUDIO", "VIDEO", "OTHER"],
    "commission_status": ["WAIT_PAY", "REPORTED", "APPROVED", "OVERDUE"],
    "referral_reward_status": ["ACCRUED", "PAID", "CANCELED"],
    "staff_role": ["GLOBAL_ADMIN", "CITY_ADMIN", "LOGIST"],
    "moderation_status": ["PENDING", "APPROVED", "REJECTED"],
    "shift_status": ["SHIFT_OFF", "SHIFT_ON", "BREAK"],
    "payout_method": ["CARD", "SBP", "YOOMONEY", "BANK_ACCOUNT", "CASH"],
}

# What the old system had to give in an INSERT, nothing more; {name}: the id of the row made before under that name.
OLD_ROWS = [
    ("city", "cities", {"name": "Город"}),
    ("district", "districts", {"city_id": "{city}", "name": "Район"}),
    ("street", "streets", {"city_id": "{city}", "name": "улица"}),
    ("", "geocache", {"query": "Город, улица 1"}),
    ("skill", "skills", {"code": "HAND", "name": "Универсал"}),
    ("staff", "staff_users", {"role": "LOGIST"}),
    ("", "staff_cities", {"staff_user_id": "{staff}", "city_id": "{city}"}),
    ("code", "staff_access_codes", {"code": "AAAA1111", "role": "CITY_ADMIN"}),
    ("", "staff_access_code_cities", {"access_code_id": "{code}", "city_id": "{city}"}),
    ("master", "masters", {"full_name": ""}),
    ("inviter", "masters", {"full_name": "Мастер 2"}),
    ("", "master_skills", {"master_id": "{master}", "skill_id": "{skill}"}),
    ("", "master_districts", {"master_id": "{master}", "district_id": "{district}"}),
    ("invite", "master_invite_codes", {"code": "AAAAAA"}),
    ("", "admin_audit_log", {"action": "approve"}),
    ("order", "orders", {"city_id": "{city}"}),
    ("", "order_status_history", {"order_id": "{order}", "to_status": "SEARCHING"}),
    ("", "offers", {"order_id": "{order}", "master_id": "{master}", "state": "SENT"}),
    ("", "attachments", {"entity_type": "ORDER", "entity_id": "{order}", "file_type": "PHOTO", "file_id": "abc"}),
    (
        "",
        "distribution_metrics",
        {"order_id": "{order}", "city_id": "{city}", "round_number": 1, "candidates_count": 3},
    ),
    (
        "due",
        "commissions",
        {
            "order_id": "{order}",
            "master_id": "{master}",
            "amount": "500",
            "status": "WAIT_PAY",
            "deadline_at": "2025-10-01 12:00Z",
        },
    ),
    ("", "commission_deadline_notifications", {"commission_id": "{due}", "hours_before": 1}),
    ("", "referrals", {"master_id": "{master}", "referrer_id": "{inviter}"}),
    (
        "",
        "referral_rewards",
        {
            "referrer_id": "{inviter}",
            "referred_master_id": "{master}",
            "commission_id": "{due}",
            "level": 1,
            "percent": "10",
            "amount": "50",
            "status": "ACCRUED",
        },
    ),
    ("", "settings", {"key": "support_contact", "value": "@help"}),
    ("", "notifications_outbox", {"master_id": "{master}", "event": "moderation_approved"}),
]


def test_enum_types_have_their_labels_in_order():
    assert catalog.enums() == ENUMS


@pytest.mark.parametrize("table", sorted(catalog.expected()))
def test_table_is_as_described(table):
    want, have = catalog.expected()[table], catalog.actual()[table]
    missing, surplus = "\n  ".join(sorted(want - have)), "\n  ".join(sorted(have - want))
    assert want == have, (
        f"{table} misses\n  {missing or '–'}\nand has besides\n  {surplus or '–'}\n"
        "(a new column or index: describe it in docs/schema.md and in fieldservice/lib/tests/schema.txt)"
    )


def test_every_table_of_ours_is_described():
    ours = [m for m in apps.get_models() if re.match(r"(geo|staff|orders|finance|bots|fieldservice)\b", m.__module__)]
    assert {m._meta.db_table for m in ours} == set(catalog.expected())


def test_docs_name_whatever_is_not_of_the_old_system(settings):
    text = (settings.BASE_DIR / "docs" / "schema.md").read_text(encoding="utf-8")
    assert sorted(name for name in catalog.ours() if f"`{name}`" not in text) == []


def test_the_names_of_the_operations_notes_are_exact():
    names = {line.partition(":")[0] for lines in catalog.actual().values() for line in lines if ":" in line}
    assert {
        "pk_orders",
        "ck_orders__timeslot_range",
        "ix_orders__status_city_timeslot_start",
        "uq_offers__order_master",
        "uix_offers__order_accepted_once",
    } <= names


def test_old_rows_give_all_the_old_columns_without_a_default():
    """Otherwise the next test would prove nothing."""
    given = {table: set(values) for _, table, values in OLD_ROWS}
    for table, lines in catalog.expected().items():
        needed = {line.split()[0] for line in lines if ": " not in line and " null" not in line and " = " not in line}
        assert needed <= given.get(table, needed), table
    assert set(catalog.expected()) - set(given) == {
        "bot_updates", "coverage_changes", "dispatch_batches", "dispatch_decisions", "dispatch_traces", "exports",
        "geocoder_usage", "heartbeats", "master_drafts", "master_shift_changes", "money_journal", "order_ratings",
        "owner_requisites", "referral_payouts", "staff_sessions",
    }  # fmt: skip


def test_a_row_of_the_old_system_is_a_valid_row():
    ids: dict[str, int] = {}
    with connection.cursor() as cursor:
        for name, table, values in OLD_ROWS:
            filled = [ids[v[1:-1]] if isinstance(v, str) and v.startswith("{") else v for v in values.values()]
            marks = ", ".join(["%s"] * len(filled))
            cursor.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks}) RETURNING *", filled)
            row = dict(zip([column.name for column in cursor.description], cursor.fetchone(), strict=True))
            ids[name] = row.get("id", 0)
    models = {m._meta.db_table: m for m in apps.get_models()}
    for _, table, _values in OLD_ROWS:
        assert [str(row) for row in models[table]._default_manager.all()], table
