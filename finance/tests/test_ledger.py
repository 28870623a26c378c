"""The journal is append-only and agrees with the rows; whatever somebody changes behind it is told."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from fieldservice.outbox.models import Notification
from fieldservice.runtime.models import Setting
from finance.models import Commission, JournalEntry, Payout, Referral, ReferralReward
from finance.services import commissions, ledger, payouts
from finance.services.settlement import close_job
from finance.tests.factories import CommissionFactory, ReferralFactory, ReferralRewardFactory
from orders.models import Order
from orders.services.files import FileRef
from orders.tests.factories import HistoryFactory, OrderFactory
from orders.tests.people import as_master, staff
from staff.enums import Role
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = pytest.mark.django_db


def story() -> Commission:
    """Closed, reported, approved; the inviter is paid."""
    order = OrderFactory(assigned=True, status="WORKING")
    ReferralFactory(master=order.assigned_master)
    act = FileRef(file_type="PHOTO", file_id="f", file_unique_id="u")
    commission = close_job(order_id=order.pk, actor=as_master(order.assigned_master), total_sum=Decimal(5000), act=act)
    assert commission is not None
    boss = staff(Role.GLOBAL_ADMIN)
    commissions.report_paid(commission_id=commission.pk, actor=as_master(order.assigned_master))
    commissions.reject(commission_id=commission.pk, actor=boss, reason="not there")
    commissions.approve(commission_id=commission.pk, actor=boss, amount=Decimal(2400), reason="agreed upon")
    payout = payouts.create(actor=boss, reward_ids=[ReferralReward.objects.get().pk])
    payouts.mark_paid(payout_id=payout.pk, actor=boss)
    return commission


def lines() -> list[tuple]:
    fields = ("kind", "debit", "credit", "amount")
    return list(JournalEntry.objects.order_by("pk").values_list(*fields))


def found() -> str:
    return "\n".join(ledger.check().differences)


class TestJournal:
    def test_a_whole_story(self):
        story()
        assert lines() == [
            ("CREATED", "DEBTS", "INCOME", 2500),
            ("REJECTED", "DEBTS", "DEBTS", 0),
            ("APPROVED", "CASH", "DEBTS", 2400),
            ("APPROVED", "DIFFERENCES", "DEBTS", 100),
            ("REWARD", "REWARDS", "REWARDS_DUE", 240),
            ("REWARD_PAID", "REWARDS_DUE", "CASH", 240),
        ]
        report = ledger.check()
        assert report.agrees
        assert {name: int(sum_) for name, sum_ in report.balances.items()} == {
            "DEBTS": 0, "INCOME": -2500, "CASH": 2160, "DIFFERENCES": 100, "REWARDS": 240, "REWARDS_DUE": 0
        }  # fmt: skip

    @pytest.mark.parametrize("statement", ["UPDATE money_journal SET amount = 1", "DELETE FROM money_journal"])
    def test_nothing_in_it_is_changed(self, statement):
        story()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    def test_an_imported_debt_is_taken_over_at_its_first_change(self):
        commission = CommissionFactory()
        assert "it came from elsewhere" in found()
        commissions.approve(commission_id=commission.pk, actor=staff(Role.GLOBAL_ADMIN))
        assert [line[0] for line in lines()] == ["OPENING", "APPROVED"]
        assert found() == ""

    def test_more_than_the_due_is_a_gift(self):
        commission = CommissionFactory()
        actor = staff(Role.GLOBAL_ADMIN)
        commissions.approve(commission_id=commission.pk, actor=actor, amount=Decimal(2600), reason="a tip")
        assert lines()[1:] == [("APPROVED", "CASH", "DEBTS", 2600), ("APPROVED", "DEBTS", "DIFFERENCES", 100)]
        assert found() == ""


class TestDifferences:
    """One change behind the journal's back each; the report names the row."""

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (lambda: Order.objects.update(total_sum=6000), "by the order's sum and the rate it is 3000.00, its row"),
            (lambda: Commission.objects.update(amount=1), "by the order's sum and the rate it is 2500.00, its row"),
            (lambda: Commission.objects.update(paid_amount=1), "1.00 was paid, the journal says 2400.00"),
            (lambda: Commission.objects.update(status="OVERDUE"), "2500.00 is owed, the journal says 0.00"),
            (lambda: Order.objects.update(status="PAYMENT"), "approved, but its order still waits"),
            (lambda: ReferralReward.objects.update(amount=1), "by the paid amount and the percent it is 240.00"),
            (lambda: ReferralReward.objects.update(status="ACCRUED"), "240.00 is owed to the inviter, the journal"),
            (lambda: ReferralReward.objects.update(status="CANCELED"), "0 was paid out, the journal says 240.00"),
            (lambda: Payout.objects.update(total=1), "its rewards are 240.00 together, its row says 1.00"),
            (lambda: Commission.objects.all().delete(), "and there is no commission"),
            (lambda: Commission.objects.all().delete(), "0 was paid, the journal says 2400.00"),
            (lambda: CommissionFactory(), "it came from elsewhere"),
            (lambda: ReferralRewardFactory(), "Reward #"),
        ],
    )
    def test_is_told(self, change, sentence):
        story()
        change()
        assert sentence in found()

    def test_what_v12_never_had_is_none(self):
        """A closed order without the master's act has no commission to miss; a row without a rate none to compare."""
        OrderFactory(closed=True)
        guarantee = OrderFactory(closed=True, type="GUARANTEE")
        HistoryFactory(order=guarantee, to_status="PAYMENT")
        CommissionFactory(rate=None, amount=1)
        ledger.take_over()
        assert found() == ""

    def test_only_the_first_of_many_are_listed_and_all_are_counted(self):
        CommissionFactory.create_batch(25)
        report = ledger.check()
        assert (len(report.differences), report.total) == (20, 25)


class TestCommand:
    def test_it_says_what_there_is_and_fails_on_a_difference(self):
        out = StringIO()
        call_command("check_ledger", stdout=out)
        assert "everything agrees" in out.getvalue()
        CommissionFactory()
        out = StringIO()
        with pytest.raises(CommandError, match="1 differences"):
            call_command("check_ledger", stdout=out)
        assert "it came from elsewhere" in out.getvalue()

    def test_imported_rows_are_taken_over_once(self):
        CommissionFactory.create_batch(3)
        CommissionFactory(order=OrderFactory(closed=True), status="APPROVED", paid_amount=2400)
        for status in ("ACCRUED", "PAID", "CANCELED"):
            ReferralRewardFactory(status=status)
        out = StringIO()
        call_command("check_ledger", take_over=True, stdout=out)
        call_command("check_ledger", take_over=True, stdout=out)
        assert "13 opening entries written" in out.getvalue()
        assert "0 opening entries written" in out.getvalue()

    def test_the_daily_run_alerts_once_a_day(self):
        Setting.objects.create(key="alerts_channel_id", value="-1001")
        now = timezone.now()
        assert ledger.check_and_alert(now=now).agrees
        CommissionFactory()
        for _twice in range(2):
            ledger.check_and_alert(now=now)
        row = Notification.objects.get(event="alert")
        assert row.chat_id == -1001
        assert "The money does not agree: 1 differences. Commission #" in row.payload["text"]

    def test_without_a_channel_the_admins_are_told(self):
        boss = StaffUserFactory(role=Role.GLOBAL_ADMIN)
        StaffUserFactory(role=Role.CITY_ADMIN)
        CommissionFactory()
        ledger.check_and_alert(now=timezone.now())
        assert Notification.objects.get(event="alert").staff_id == boss.pk

    def test_the_beat_runs_it(self):
        from fieldservice.celery import timetable
        from finance import tasks

        assert {"finance.tasks.check_ledger", "finance.tasks.remind"} <= set(timetable())
        tasks.check_ledger()
        tasks.remind()


def test_masters_and_their_invitations_may_go_and_the_journal_stays():
    story()
    Referral.objects.all().delete()
    Order.objects.all().delete()
    assert JournalEntry.objects.count() == 6
    assert MasterFactory._meta.model.objects.exists()
