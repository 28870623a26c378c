"""Commissions by age: the days are those of the order's city, and the groups add up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finance import ages
from finance.enums import CommissionStatus
from finance.models import Commission
from finance.tests.factories import CommissionFactory
from geo.tests.factories import CityFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)  # 21:30 in Moscow, 01:30 of the 23rd in Novosibirsk


def made(moment: datetime, zone: str | None = "Europe/Moscow", **fields: object) -> Commission:
    row = CommissionFactory(order__city=CityFactory(timezone=zone), **fields)
    Commission.objects.filter(pk=row.pk).update(created_at=moment)
    return row


def letters(paid: bool = False) -> dict[int, str]:
    rows = Commission.objects.all()
    return {
        row.pk: letter for letter in ages.NAMES for row in ages.within(rows, letter, paid=paid, now=NOW)
    }  # fmt: skip


def test_every_moment_has_one_period_of_the_citys_own_days() -> None:
    cases = {
        datetime(2026, 11, 21, 21, 0, tzinfo=UTC): "t",  # midnight in Moscow
        datetime(2026, 11, 21, 20, 59, tzinfo=UTC): "y",
        datetime(2026, 11, 20, 20, 59, tzinfo=UTC): "w",
        datetime(2026, 11, 15, 21, 0, tzinfo=UTC): "w",
        datetime(2026, 11, 15, 20, 59, tzinfo=UTC): "m",
        datetime(2026, 10, 23, 21, 0, tzinfo=UTC): "m",
        datetime(2026, 10, 23, 20, 59, tzinfo=UTC): "o",
        NOW - timedelta(days=400): "o",
    }
    wanted = {made(moment).pk: letter for moment, letter in cases.items()}
    wanted[made(datetime(2026, 11, 22, 16, 59, tzinfo=UTC), "Asia/Novosibirsk").pk] = "y"
    wanted[made(datetime(2026, 11, 22, 17, 0, tzinfo=UTC), "Asia/Novosibirsk").pk] = "t"
    wanted[made(datetime(2026, 11, 22, 16, 59, tzinfo=UTC), None).pk] = "t"  # the installation's zone
    assert letters() == wanted
    groups = ages.groups(Commission.objects.all(), paid=False, now=NOW)
    assert {group.letter: group.count for group in groups} == {
        letter: list(wanted.values()).count(letter) for letter in ages.NAMES
    }


def test_sums_and_empty_periods() -> None:
    for amount in ("100.50", "200"):
        made(NOW, amount=Decimal(amount))
    with CaptureQueriesContext(connection) as queries:
        (group,) = ages.groups(Commission.objects.all(), paid=False, now=NOW)
    assert (group.letter, group.count, group.total) == ("t", 2, Decimal("300.50"))
    assert len(queries) == 2


def test_paid_ones_by_the_day_of_the_approval() -> None:
    fields = {"status": CommissionStatus.APPROVED, "is_paid": True}
    today = made(NOW - timedelta(days=90), paid_approved_at=NOW, paid_amount=Decimal(70), **fields)
    old = made(NOW, paid_approved_at=NOW - timedelta(days=60), paid_amount=Decimal(80), **fields)
    assert letters(paid=True) == {today.pk: "t", old.pk: "o"}
    groups = ages.groups(Commission.objects.all(), paid=True, now=NOW)
    assert [(group.letter, group.total) for group in groups] == [("t", Decimal(70)), ("o", None)]
