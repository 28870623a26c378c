"""One rounding, half up to the kopeck, proven against whole numbers: for every amount, by every rate in use.

The default run takes every amount to 1,000.00; `-m slow` every amount to 100,000.00 (forty million roundings).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection

from fieldservice.lib.money import round_money
from fieldservice.runtime import registry
from finance.services.referrals import LEVELS

KOPECKS = 10_000_000
PERCENTS = (50, 40, *(int(percent) for percent in LEVELS.values()))


def test_the_rates_are_those_in_use():
    keys = ("commission_percent_default", "commission_percent_high_volume")
    assert [registry.KEYS[key].default() for key in keys] == [50, 40]
    assert {Decimal(percent) for percent in PERCENTS[2:]} == set(LEVELS.values()) == {10, 5}


def exact(kopecks: int, percent: int) -> int:
    """Half up, in whole kopecks, by the definition: the greatest whole number not above share + 1/2."""
    return (Fraction(kopecks * percent, 100) + Fraction(1, 2)).__floor__()


def wrong(percent: int, kopecks: range) -> list[int]:
    """The amounts whose share is not the exact one; both ways in which the services write the rate."""
    hundred, rate = Decimal(100), Decimal(percent) / 100
    found = []
    for count in kopecks:
        amount = Decimal(count).scaleb(-2)
        want = Decimal((count * percent + 50) // 100).scaleb(-2)
        if round_money(amount * percent / hundred) != want or round_money(amount * rate) != want:
            found.append(count)
    return found


@pytest.mark.parametrize("percent", PERCENTS)
def test_every_amount_to_a_thousand(percent):
    assert wrong(percent, range(100_001)) == []
    # the whole-number formula of `wrong` is the rational definition
    assert all(exact(count, percent) == (count * percent + 50) // 100 for count in range(20_001))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("percent", PERCENTS)
def test_every_amount_to_a_hundred_thousand(percent):
    assert wrong(percent, range(KOPECKS + 1)) == []


@pytest.mark.django_db
@pytest.mark.parametrize("top", [200_000, pytest.param(KOPECKS, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
@pytest.mark.parametrize("percent", PERCENTS)
def test_the_database_rounds_the_same(percent, top):
    """`check_ledger` computes in SQL."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM generate_series(0, %s) k
                WHERE round(k::numeric / 100 * %s::numeric / 100, 2) * 100 <> (k::bigint * %s + 50) / 100
                   OR round(round(k::numeric / 100, 2) * round(%s::numeric / 100, 2), 2) * 100
                      <> (k::bigint * %s + 50) / 100""",
            [top, percent, percent, percent, percent],
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("percent", PERCENTS)
def test_a_share_is_never_more_than_the_amount_nor_negative(percent):
    for count in range(0, 100_001, 7):
        amount = Decimal(count).scaleb(-2)
        assert 0 <= round_money(amount * percent / 100) <= amount or amount == Decimal("0.01")
