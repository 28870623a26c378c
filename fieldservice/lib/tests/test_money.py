"""Sums: read, rounded, shown; against exact fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.lib.errors import InvalidError
from fieldservice.lib.money import check_sum, parse_sum, round_money, show_money

pytestmark = pytest.mark.usefixtures("english")

AMOUNTS = st.decimals(0, 99_999_999, places=2)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("3500", "3500.00"),
        ("3 500", "3500.00"),
        ("3\u00a0500,50", "3500.50"),
        ("4999.99", "4999.99"),
        ("3500.5 ₽", "3500.50"),
        ("3500 руб.", "3500.00"),
        ("3500 руб", "3500.00"),
        ("3500р", "3500.00"),
        ("3500 Р.", "3500.00"),
        ("0.01", "0.01"),
        ("0001", "1.00"),
        ("9999999,99", "9999999.99"),
    ],
)
def test_a_sum_is_read_as_people_type_it(typed, value):
    assert str(parse_sum(typed)) == value


@pytest.mark.parametrize(
    "typed",
    ["", "0", "0.00", "-5", "+5", "1e3", "NaN", "Infinity", "10000000", "1.234", "1,2,3", "3.500.00", "сто", "5 $",
     "٣٥٠٠", "\x00", "₽", "9" * 5000],
)  # fmt: skip
def test_anything_else_is_refused_with_an_example(typed):
    with pytest.raises(InvalidError, match=r"from 0.01 to 9 999 999.99, for example 3500 or 3500,50"):
        parse_sum(typed)


@pytest.mark.parametrize(
    "value", ["0", "-1", "0.004", "10000000", "1E+30", "1E-30", "NaN", "sNaN", "Infinity", "-Infinity"]
)
def test_a_sum_nobody_can_pay_is_refused_whatever_its_kind(value):
    with pytest.raises(InvalidError):
        check_sum(Decimal(value))


def test_a_sum_is_checked_and_rounded():
    assert check_sum(Decimal("0.005")) == Decimal("0.01")
    assert check_sum(Decimal("9999999.99")) == Decimal("9999999.99")


@pytest.mark.parametrize(
    ("value", "rounded"), [("37.525", "37.53"), ("0.005", "0.01"), ("0.0049", "0.00"), ("2.5", "2.50")]
)
def test_rounding_is_half_up(value, rounded):
    assert str(round_money(Decimal(value))) == rounded


@given(AMOUNTS, st.integers(0, 100))
def test_a_percentage_is_rounded_exactly_half_up(amount, percent):
    exact = Fraction(amount) * percent / 100
    kopecks = (exact * 100 + Fraction(1, 2)).__floor__()
    assert round_money(amount * percent / 100) == Decimal(kopecks) / 100


@given(AMOUNTS.filter(lambda amount: 0 < amount <= 9_999_999))
def test_what_is_shown_can_be_typed_back(amount):
    assert parse_sum(show_money(amount)) == amount


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("3500.5", "3\u00a0500,50\u00a0₽"),
        ("2500", "2\u00a0500\u00a0₽"),
        ("0", "0\u00a0₽"),
        ("1234567.899", "1\u00a0234\u00a0567,90\u00a0₽"),
        ("-250", "−250\u00a0₽"),
        ("-0.001", "0\u00a0₽"),
    ],
)
def test_a_sum_is_shown_in_groups(value, shown):
    assert show_money(Decimal(value)) == shown
