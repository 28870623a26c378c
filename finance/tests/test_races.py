"""Money under real threads: one outcome, nothing paid twice, nobody blocked for ever."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.utils import timezone

from fieldservice.tests.racing import codes, racers, winners
from finance.models import Commission, JournalEntry, ReferralReward
from finance.services import bulk, commissions, ledger, receipts
from finance.services.settlement import close_job
from finance.tests.factories import CommissionFactory, ReferralFactory
from orders.models import Order, OrderStatusHistory
from orders.services.files import FileRef
from orders.tests.factories import OrderFactory
from orders.tests.people import as_master, staff
from staff.enums import Role
from staff.models import Master
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 20


def test_two_approvers_the_watchdog_and_the_master_at_once():
    boss = staff(Role.GLOBAL_ADMIN)
    with racers(5) as crew:
        for _round in range(ROUNDS):
            commission = CommissionFactory(deadline_at=timezone.now() - timedelta(seconds=1))
            ReferralFactory(master=commission.master)
            approve = partial(commissions.approve, commission_id=commission.pk, actor=boss)
            results = crew.run(
                approve,
                approve,
                partial(commissions.mark_overdue, now=timezone.now()),
                partial(commissions.report_paid, commission_id=commission.pk, actor=as_master(commission.master)),
                partial(commissions.reject, commission_id=commission.pk, actor=boss, reason="not found"),
            )
            assert len(winners(results[:2])) == 1
            assert codes(results[:2]) == ["already_approved"]
            commission.refresh_from_db()
            assert (commission.status, commission.paid_amount) == ("APPROVED", 2500)
            order = Order.objects.get(pk=commission.order_id)
            assert order.status == "CLOSED"
            assert OrderStatusHistory.objects.filter(order=order, to_status="CLOSED").count() == 1
            assert ReferralReward.objects.filter(commission=commission).count() == 1
            assert not Master.objects.get(pk=commission.master_id).is_blocked


def test_two_debts_approved_at_once_lift_the_block():
    boss = staff(Role.GLOBAL_ADMIN)
    with racers(2) as crew:
        for _round in range(ROUNDS):
            master = MasterFactory(is_blocked=True, blocked_reason="commission_overdue")
            orders = OrderFactory.create_batch(2, in_payment=True, city=master.city, assigned_master=master)
            debts = [CommissionFactory(order=order, status="OVERDUE") for order in orders]
            results = crew.run(*[partial(commissions.approve, commission_id=debt.pk, actor=boss) for debt in debts])
            assert len(winners(results)) == 2
            master.refresh_from_db()
            assert not master.is_blocked


def test_two_watchdogs_block_once():
    with racers(3) as crew:
        for _round in range(ROUNDS):
            Commission.objects.update(status="APPROVED")
            CommissionFactory(deadline_at=timezone.now() - timedelta(hours=1))
            results = crew.run(*[partial(commissions.mark_overdue, now=timezone.now())] * 3)
            assert sum(results) == 1


def test_everybody_at_once_leaves_money_that_agrees():
    """Approve, bulk approve, revoke, correct, reject, report, a receipt and the watchdog at once."""
    boss = staff(Role.GLOBAL_ADMIN)
    with racers(8) as crew:
        for number in range(ROUNDS):
            order = OrderFactory(assigned=True, status="WORKING")
            ReferralFactory(master=order.assigned_master)
            act = FileRef(file_type="PHOTO", file_id=f"a{number}", file_unique_id=f"a{number}")
            mine = as_master(order.assigned_master)
            commission = close_job(order_id=order.pk, actor=mine, total_sum=Decimal(5000), act=act)
            receipt = FileRef(file_type="PHOTO", file_id=f"r{number}", file_unique_id=f"r{number}")
            late = timezone.now() + timedelta(days=1)
            one = {"commission_id": commission.pk, "actor": boss}
            results = crew.run(
                partial(commissions.approve, **one, seen=Decimal(2500)),
                partial(bulk.approve, actor=boss, seen=[(commission.pk, Decimal(2500))]),
                partial(commissions.revoke, **one, reason="a mistake"),
                partial(commissions.correct, **one, total_sum=Decimal(4000), reason="mistyped"),
                partial(commissions.reject, **one, reason="not found"),
                partial(commissions.report_paid, commission_id=commission.pk, actor=mine),
                partial(receipts.attach, commission_id=commission.pk, actor=mine, file=receipt),
                partial(commissions.mark_overdue, now=late),
            )
            assert set(codes(results)) <= {"conflict", "already_approved", "stale"}
            commission.refresh_from_db()
            master = Master.objects.get(pk=commission.master_id)
            assert master.is_blocked == (commission.status == "OVERDUE")
            if commission.status != "APPROVED":
                commissions.approve(**one)
    report = ledger.check()
    assert report.differences == ()
    assert sum(report.balances.values()) == 0


def test_a_job_closed_by_three_taps_is_in_the_journal_once():
    with racers(3) as crew:
        for number in range(10):
            order = OrderFactory(assigned=True, status="WORKING")
            act = FileRef(file_type="PHOTO", file_id=f"x{number}", file_unique_id=f"x{number}")
            tap = partial(
                close_job, order_id=order.pk, actor=as_master(order.assigned_master), total_sum=Decimal(5000), act=act
            )
            crew.run(tap, tap, tap)
            assert JournalEntry.objects.filter(order_id=order.pk).count() == 1
