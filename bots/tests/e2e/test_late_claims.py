"""«I paid» after the deadline: the commission stays overdue, and everybody sees that its payment waits for a check."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from bots.sandbox import SandboxClient
from bots.tests.e2e.scene import master, member
from finance.services import commissions
from finance.tests.factories import CommissionFactory
from orders.tests.factories import OrderFactory
from orders.tests.people import staff
from staff.enums import Role

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]


def test_a_late_payment_is_among_those_to_check(telegram: SandboxClient) -> None:
    worker = master(telegram)
    order = OrderFactory(in_payment=True, city=worker.row.city, assigned_master=worker.row)
    commission = CommissionFactory(order=order, deadline_at=timezone.now() - timedelta(minutes=1))
    assert commissions.mark_overdue(now=timezone.now()) == 1
    worker.chat.sees("you are blocked")
    worker.chat.presses("Open commission")
    worker.chat.presses("I paid")
    worker.chat.presses("Yes, I paid")
    worker.chat.sees("Overdue, payment reported")
    worker.chat.presses("Menu")
    shown = worker.chat.sees("Payments being checked: 1")
    assert "Commissions to pay" not in shown.text
    assert "The office is checking your payment" in shown.text
    worker.chat.presses("Finance (1)")
    shown = worker.chat.sees("Being checked: 2\xa0500\xa0₽")
    assert "To pay: " not in shown.text
    assert "Overdue, payment reported" in shown.text

    boss = member(telegram, Role.GLOBAL_ADMIN)
    boss.chat.sends("/menu")
    boss.chat.sees("Payments to check: 1")
    boss.chat.presses("Commissions (1)")
    boss.chat.presses("Reported (1)")
    shown = boss.chat.sees("Overdue, payment reported")
    assert f"#{commission.pk}" in shown.text
    assert "💸 Payment reported: " in shown.text
    assert "Reported, to be checked: 2\xa0500\xa0₽" in shown.text
    boss.chat.presses("Overdue (1)")
    assert "💸 Payment reported: " in boss.chat.sees("Overdue, payment reported", fresh=True).text
    boss.chat.presses("Approve many")
    boss.chat.presses("Back")

    commissions.reject(commission_id=commission.pk, actor=staff(Role.GLOBAL_ADMIN), reason="no such payment")
    boss.chat.presses("Menu")
    boss.chat.presses("Commissions (0)")
    boss.chat.presses("Reported (0)")


def test_another_sum_is_told_with_its_reason(telegram: SandboxClient) -> None:
    worker = master(telegram)
    order = OrderFactory(in_payment=True, city=worker.row.city, assigned_master=worker.row)
    commission = CommissionFactory(order=order)
    commissions.approve(
        commission_id=commission.pk, actor=staff(Role.GLOBAL_ADMIN), amount=Decimal(2400), reason="agreed upon"
    )
    shown = worker.chat.sees("is approved").text
    assert "Accepted: 2\xa0400\xa0₽ instead of 2\xa0500\xa0₽." in shown
    assert "Why: agreed upon" in shown
