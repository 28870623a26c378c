"""Rewards of those who invited a master: two levels, once, to those who work."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.lib.actor import SYSTEM
from fieldservice.lib.money import round_money
from fieldservice.outbox.models import Notification
from finance.models import Commission, ReferralReward
from finance.services import referrals
from finance.tests.factories import CommissionFactory, ReferralFactory
from staff.models import Master
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db


def paid(master: Master, amount: str = "2500") -> Commission:
    return CommissionFactory(order__city=master.city, order__assigned_master=master, paid_amount=Decimal(amount))


def chain(*masters: Master) -> None:
    """Each was invited by the next."""
    for master, referrer in pairwise(masters):
        ReferralFactory(master=master, referrer=referrer)


def accrued(commission: Commission) -> list[tuple[int, int, Decimal]]:
    """(level, inviter, amount)."""
    referrals.accrue(commission, actor=SYSTEM, now=timezone.now())
    rows = ReferralReward.objects.filter(commission=commission).order_by("level")
    return [(row.level, row.referrer_id, row.amount) for row in rows]


@pytest.mark.parametrize(
    ("amount", "first", "second"),
    [("2500", "250.00", "125.00"), ("750.50", "75.05", "37.53"), ("0.10", "0.01", "0.01")],
)
def test_ten_and_five_percent_of_what_was_paid(amount, first, second):
    master, inviter, elder, _third = masters = MasterFactory.create_batch(4)
    chain(*masters)
    assert accrued(paid(master, amount)) == [(1, inviter.pk, Decimal(first)), (2, elder.pk, Decimal(second))]
    rows = Notification.objects.order_by("pk")
    assert [(row.event, row.master_id, row.payload["amount"]) for row in rows] == [
        ("referral_reward_accrued", inviter.pk, first),
        ("referral_reward_accrued", elder.pk, second),
    ]


def test_a_repeated_accrual_adds_nothing():
    masters = MasterFactory.create_batch(3)
    chain(*masters)
    commission = paid(masters[0])
    assert accrued(commission) == accrued(commission)
    assert (ReferralReward.objects.count(), Notification.objects.count()) == (2, 2)


def test_nobody_invited_him():
    assert accrued(paid(MasterFactory())) == []


@pytest.mark.parametrize("amount", ["0", "0.04"])
def test_nothing_is_no_reward(amount):
    masters = MasterFactory.create_batch(2)
    chain(*masters)
    assert accrued(paid(masters[0], amount)) == []


def test_a_circle_earns_nobody_twice():
    first, second = MasterFactory.create_batch(2)
    chain(first, second, first)
    assert accrued(paid(first)) == [(1, second.pk, Decimal(250))]


def test_himself_is_no_inviter():
    master = MasterFactory()
    ReferralFactory(master=master, referrer=master)
    assert accrued(paid(master)) == []


@pytest.mark.parametrize("values", [{"is_active": False}, {"is_deleted": True}, {"moderation_status": "REJECTED"}])
def test_who_left_earns_nothing_but_his_inviter_does(values):
    master, gone, elder = MasterFactory(), MasterFactory(**values), MasterFactory()
    chain(master, gone, elder)
    assert accrued(paid(master)) == [(2, elder.pk, Decimal(125))]


def test_a_blocked_inviter_earns():
    master, blocked = MasterFactory(), MasterFactory(is_blocked=True)
    chain(master, blocked)
    assert accrued(paid(master)) == [(1, blocked.pk, Decimal(250))]


@given(st.decimals(Decimal("0.01"), Decimal("9999999.99"), places=2), st.sampled_from(list(referrals.LEVELS.values())))
def test_a_reward_is_the_exact_share_half_up(paid_amount, percent):
    exact = Fraction(paid_amount) * Fraction(percent) / 100
    assert round_money(paid_amount * percent / 100) == Decimal(int(exact * 100 + Fraction(1, 2))) / 100
