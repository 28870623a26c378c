"""A commission's rarer ways: a false report on a debt, a revoked approval, a corrected sum, a due that changed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from fieldservice.lib.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, StaleError
from fieldservice.outbox.models import Notification
from finance.enums import RewardStatus
from finance.models import Commission, JournalEntry, ReferralReward
from finance.services import commissions, ledger, payouts
from finance.tests.factories import CommissionFactory, ReferralFactory
from orders.models import Order, OrderStatusHistory
from orders.tests.counting import nothing_written
from orders.tests.people import as_master, staff
from staff.enums import Role
from staff.models import AuditLog, Master

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def boss():
    return staff(Role.GLOBAL_ADMIN)


def overdue() -> Commission:
    commission = CommissionFactory(deadline_at=timezone.now() - HOUR)
    assert commissions.mark_overdue(now=timezone.now()) == 1
    commission.refresh_from_db()
    return commission


def agrees() -> None:
    report = ledger.check()
    assert report.differences == ()
    assert sum(report.balances.values()) == 0


class TestFalseReportOnADebt:
    def test_it_is_rejected_and_buys_no_time(self):
        commission = overdue()
        commissions.report_paid(commission_id=commission.pk, actor=as_master(commission.master))
        deadline = commission.deadline_at
        commissions.reject(commission_id=commission.pk, actor=boss(), reason="no such payment")
        commission.refresh_from_db()
        assert (commission.status, commission.paid_reported_at, commission.deadline_at) == ("OVERDUE", None, deadline)
        assert Master.objects.get(pk=commission.master_id).is_blocked
        assert commission.reject_reason == "no such payment"
        row = Notification.objects.get(event="commission_rejected")
        assert (row.master_id, row.payload["reason"]) == (commission.master_id, "no such payment")

    def test_he_may_report_again_and_be_believed(self):
        commission = overdue()
        for _attempt in range(2):
            commissions.report_paid(commission_id=commission.pk, actor=as_master(commission.master))
            commissions.reject(commission_id=commission.pk, actor=boss(), reason="no such payment")
        commissions.report_paid(commission_id=commission.pk, actor=as_master(commission.master))
        commissions.approve(commission_id=commission.pk, actor=boss())
        assert not Master.objects.get(pk=commission.master_id).is_blocked
        assert Commission.objects.get().reject_reason is None
        agrees()

    def test_without_a_report_there_is_nothing_to_reject(self):
        commission = overdue()
        with pytest.raises(ConflictError, match="there is no report to reject"):
            commissions.reject(commission_id=commission.pk, actor=boss(), reason="no such payment")


def test_an_approval_of_another_due_than_the_one_seen_is_refused():
    commission = CommissionFactory()
    actor = boss()
    with nothing_written(), pytest.raises(StaleError, match=rf"Commission #{commission.pk} is 2\D500\D₽ now"):
        commissions.approve(commission_id=commission.pk, actor=actor, seen=Decimal(2000))
    commissions.approve(commission_id=commission.pk, actor=actor, seen=Decimal("2500.00"))


class TestRevoke:
    def approved(self, **values) -> Commission:
        commission = CommissionFactory(**values)
        ReferralFactory(master=commission.master)
        commissions.approve(commission_id=commission.pk, actor=boss())
        commission.refresh_from_db()
        return commission

    def test_the_debt_and_a_new_term_are_back_and_the_rewards_gone(self):
        commission, now = self.approved(), timezone.now()
        commissions.revoke(commission_id=commission.pk, actor=boss(), reason="the bank took it back", now=now)
        commission.refresh_from_db()
        assert (commission.status, commission.is_paid, commission.paid_amount, commission.paid_approved_at) == (
            "WAIT_PAY", False, None, None
        )  # fmt: skip
        assert commission.deadline_at == now + 3 * HOUR
        assert Order.objects.get().status == "CLOSED"
        reward = ReferralReward.objects.get()
        assert (reward.status, reward.cancel_reason) == ("CANCELED", "the bank took it back")
        events = set(Notification.objects.values_list("event", flat=True))
        assert {"commission_revoked", "referral_reward_canceled"} <= events
        assert AuditLog.objects.filter(action="commission_revoked").count() == 1
        agrees()

    def test_a_second_approval_accrues_anew(self):
        commission = self.approved()
        commissions.revoke(commission_id=commission.pk, actor=boss(), reason="a mistake")
        commissions.approve(commission_id=commission.pk, actor=boss(), amount=Decimal(2000), reason="agreed upon")
        reward = ReferralReward.objects.get()
        assert (reward.status, reward.amount, reward.cancel_reason) == ("ACCRUED", 200, None)
        agrees()

    def test_a_reward_that_was_paid_out_stays_paid(self):
        commission = self.approved()
        payout = payouts.create(actor=boss(), reward_ids=[ReferralReward.objects.get().pk])
        actor = boss()
        with pytest.raises(ConflictError, match=rf"is in payout #{payout.pk}"):
            commissions.revoke(commission_id=commission.pk, actor=actor, reason="a mistake")
        assert Commission.objects.get().status == "APPROVED"
        payouts.mark_paid(payout_id=payout.pk, actor=boss())
        commissions.revoke(commission_id=commission.pk, actor=boss(), reason="a mistake")
        commissions.approve(commission_id=commission.pk, actor=boss(), amount=Decimal(2000), reason="agreed upon")
        reward = ReferralReward.objects.get()
        assert (reward.status, reward.amount) == (RewardStatus.PAID, 250)
        agrees()

    @pytest.mark.parametrize("status", ["WAIT_PAY", "REPORTED", "OVERDUE"])
    def test_only_an_approval_can_be_revoked(self, status):
        commission = CommissionFactory(status=status)
        actor = boss()
        with nothing_written(), pytest.raises(ConflictError, match="is not approved"):
            commissions.revoke(commission_id=commission.pk, actor=actor, reason="a mistake")

    def test_the_debt_can_become_overdue_again(self):
        commission, now = self.approved(), timezone.now()
        commissions.revoke(commission_id=commission.pk, actor=boss(), reason="a mistake", now=now)
        assert commissions.mark_overdue(now=now + 4 * HOUR) == 1
        assert Master.objects.get(pk=commission.master_id).is_blocked


class TestCorrectedSum:
    def test_the_due_follows_at_the_same_rate(self):
        commission = CommissionFactory(rate=Decimal("0.40"))
        actor = boss()
        commissions.correct(commission_id=commission.pk, actor=actor, total_sum=Decimal(500), reason="a zero too many")
        commission.refresh_from_db()
        order = Order.objects.get()
        assert (order.total_sum, order.version, commission.amount) == (500, 2, 200)
        row = OrderStatusHistory.objects.get()
        assert (row.from_status, row.to_status, row.reason) == ("PAYMENT", "PAYMENT", "a zero too many")
        assert (row.context["before"], row.context["after"]) == ("5000.00", "500.00")
        told = Notification.objects.get(event="commission_changed")
        assert told.payload == {"commission_id": commission.pk, "reason": "a zero too many", "before": "2000.00"}
        entry = JournalEntry.objects.get(kind="CHANGED")
        assert (entry.debit, entry.credit, entry.amount, entry.staff_id) == ("INCOME", "DEBTS", 1800, actor.staff_id)
        agrees()

    def test_a_row_of_v12_without_a_rate_keeps_its_share(self):
        commission = CommissionFactory(rate=None, amount=2000)
        commissions.correct(commission_id=commission.pk, actor=boss(), total_sum=Decimal(1000), reason="mistyped")
        assert Commission.objects.get().amount == 400

    @pytest.mark.parametrize("total", ["0", "-1", "NaN", "10000000"])
    def test_a_sum_nobody_pays_is_refused(self, total):
        commission = CommissionFactory()
        actor = boss()
        with nothing_written(), pytest.raises(InvalidError) as caught:
            commissions.correct(commission_id=commission.pk, actor=actor, total_sum=Decimal(total), reason="mistyped")
        assert list(caught.value.fields) == ["total_sum"]

    def test_not_the_same_sum_and_not_after_the_approval(self):
        commission = CommissionFactory()
        actor = boss()
        with pytest.raises(InvalidError, match="the sum of the order already"):
            commissions.correct(commission_id=commission.pk, actor=actor, total_sum=Decimal(5000), reason="mistyped")
        commissions.approve(commission_id=commission.pk, actor=actor)
        with pytest.raises(ConflictError, match="revoke the approval first"):
            commissions.correct(commission_id=commission.pk, actor=actor, total_sum=Decimal(500), reason="mistyped")


@pytest.mark.parametrize("verb", ["revoke", "correct"])
def test_strangers_and_logists_may_not(verb):
    commission = CommissionFactory(status="APPROVED" if verb == "revoke" else "WAIT_PAY")
    more = {"total_sum": Decimal(1)} if verb == "correct" else {}
    call = getattr(commissions, verb)
    stranger = staff(Role.CITY_ADMIN, CommissionFactory().order.city)
    logist = staff(Role.LOGIST, commission.order.city)
    with nothing_written(), pytest.raises(NotFoundError):
        call(commission_id=commission.pk, actor=stranger, reason="because", **more)
    with nothing_written(), pytest.raises(ForbiddenError):
        call(commission_id=commission.pk, actor=logist, reason="because", **more)
