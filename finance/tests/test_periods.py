"""Periods: local days, both ends included."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.lib.errors import InvalidError
from finance.periods import PRESETS, Period, parse, preset


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("today", "2025-03-01", "2025-03-01"),
        ("yesterday", "2025-02-28", "2025-02-28"),
        ("week", "2025-02-23", "2025-03-01"),
        ("month", "2025-03-01", "2025-03-01"),
        ("last_month", "2025-02-01", "2025-02-28"),
    ],
)
def test_presets(name, first, last):
    assert preset(name, today=date(2025, 3, 1)) == Period(date.fromisoformat(first), date.fromisoformat(last))
    assert set(PRESETS) == {"today", "yesterday", "week", "month", "last_month"}


def test_the_last_month_of_january_is_december():
    assert preset("last_month", today=date(2025, 1, 15)) == Period(date(2024, 12, 1), date(2024, 12, 31))


@pytest.mark.parametrize(
    "text",
    ["2025-10-01 2025-10-31", "01.10.2025 31.10.2025", " 01.10.2025  –  31.10.2025 ", "2025-10-01 — 2025-10-31"],
)
def test_people_type_two_dates(text):
    assert parse(text) == Period(date(2025, 10, 1), date(2025, 10, 31))


def test_one_date_is_one_day():
    assert parse("05.10.2025") == Period(date(2025, 10, 5), date(2025, 10, 5))
    assert str(parse("05.10.2025")) == "05.10.2025"
    assert str(parse("05.10.2025 06.10.2025")) == "05.10.2025 – 06.10.2025"


@pytest.mark.parametrize(
    "text",
    ["", "all", "2025-10-01 31.10.2025", "2025-13-01 2025-13-02", "31.02.2025 01.03.2025", "1 2 3", "٠١.١٠.٢٠٢٥",
     "2025-10-01 2025-10-02 2025-10-03", "01.10.25 31.10.25"],
)  # fmt: skip
def test_anything_else_is_told_what_is_expected(text):
    with pytest.raises(InvalidError, match=r"for example 01\.10\.2025 31\.10\.2025"):
        parse(text)


def test_a_period_that_ends_before_it_begins():
    with pytest.raises(InvalidError, match="ends before it begins"):
        parse("31.10.2025 01.10.2025")
    with pytest.raises(InvalidError, match="A year from 2000"):
        parse("01.10.1025 01.10.2025")
    with pytest.raises(InvalidError, match="no such period"):
        preset("decade", today=date(2025, 1, 1))


def test_bounds_are_midnights_of_the_zone():
    since, until = Period(date(2025, 10, 1), date(2025, 10, 2)).bounds(ZoneInfo("Asia/Novosibirsk"))
    assert since == datetime(2025, 9, 30, 17, tzinfo=UTC)
    assert until == datetime(2025, 10, 2, 17, tzinfo=UTC)


@given(st.dates(date(2000, 1, 1), date(2100, 12, 30)), st.sampled_from(["Europe/Moscow", "Asia/Vladivostok", "UTC"]))
def test_neighbouring_days_share_no_moment_and_leave_none_out(day, name):
    tz = ZoneInfo(name)
    assert Period(day, day).bounds(tz)[1] == Period(day + timedelta(days=1), day + timedelta(days=1)).bounds(tz)[0]
