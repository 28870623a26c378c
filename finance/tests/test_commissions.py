"""A commission's way: reported, approved, rejected, overdue; every state against every step."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from fieldservice.lib.actor import COMMAND_LINE, Actor
from fieldservice.lib.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from fieldservice.outbox.models import Notification
from fieldservice.runtime.models import Setting
from finance.models import Commission, ReferralReward
from finance.services import commissions
from finance.tests.factories import CommissionFactory, ReferralFactory
from orders.models import Order, OrderStatusHistory
from orders.tests.counting import nothing_written
from orders.tests.factories import OrderFactory
from orders.tests.people import as_master, staff
from staff.enums import Role
from staff.models import AuditLog, Master
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def admin(commission: Commission) -> Actor:
    return staff(Role.CITY_ADMIN, commission.order.city)


def overdue(**values) -> Commission:
    """A commission past its deadline whose master is blocked for it."""
    commission = CommissionFactory(deadline_at=timezone.now() - HOUR, **values)
    assert commissions.mark_overdue(now=timezone.now()) == 1
    commission.refresh_from_db()
    return commission


def master_of(commission: Commission) -> Master:
    return Master.objects.get(pk=commission.master_id)


def told(event: str) -> list[tuple[int | None, int | None, int | None]]:
    """(master, staff member, channel) of the messages."""
    rows = Notification.objects.filter(event=event).order_by("pk")
    return [(row.master_id, row.staff_id, row.chat_id) for row in rows]


class TestReport:
    def test_admins_of_the_city_are_told(self):
        commission, now = CommissionFactory(), timezone.now()
        boss = StaffUserFactory(role=Role.GLOBAL_ADMIN)
        mine = StaffUserFactory(role=Role.CITY_ADMIN, cities=[commission.order.city])
        StaffUserFactory(role=Role.CITY_ADMIN)
        StaffUserFactory(role=Role.LOGIST, cities=[commission.order.city])
        StaffUserFactory(role=Role.GLOBAL_ADMIN, tg_user_id=None)
        StaffUserFactory(role=Role.GLOBAL_ADMIN, is_active=False)
        commissions.report_paid(commission_id=commission.pk, actor=as_master(commission.master), now=now)
        commission.refresh_from_db()
        assert (commission.status, commission.paid_reported_at) == ("REPORTED", now)
        assert sorted(told("commission_reported")) == [(None, boss.pk, None), (None, mine.pk, None)]

    def test_a_second_report_changes_nothing(self):
        commission, now = CommissionFactory(), timezone.now()
        for later in range(3):
            commissions.report_paid(
                commission_id=commission.pk, actor=as_master(commission.master), now=now + later * HOUR
            )
        commission.refresh_from_db()
        assert commission.paid_reported_at == now

    def test_an_overdue_one_stays_overdue_and_the_report_is_noted(self):
        commission = overdue()
        commissions.report_paid(commission_id=commission.pk, actor=as_master(commission.master))
        commission.refresh_from_db()
        assert (commission.status, commission.paid_reported_at is not None) == ("OVERDUE", True)
        assert master_of(commission).is_blocked

    def test_an_approved_one_needs_no_report(self):
        commission = CommissionFactory(status="APPROVED")
        with pytest.raises(ConflictError, match="is approved already: nothing to pay"):
            commissions.report_paid(commission_id=commission.pk, actor=as_master(commission.master))

    def test_another_s_commission_does_not_exist(self):
        commission = CommissionFactory()
        for actor in (as_master(MasterFactory()), admin(commission), COMMAND_LINE):
            with pytest.raises(NotFoundError, match=rf"There is no commission #{commission.pk}\."):
                commissions.report_paid(commission_id=commission.pk, actor=actor)


class TestApprove:
    @pytest.mark.parametrize("status", ["WAIT_PAY", "REPORTED", "OVERDUE"])
    def test_the_order_is_closed_and_the_master_told(self, status):
        commission = CommissionFactory(status=status, payment_reference="x")
        actor, now = admin(commission), timezone.now()
        commissions.approve(commission_id=commission.pk, actor=actor, now=now)
        commission.refresh_from_db()
        assert (commission.status, commission.is_paid, commission.paid_amount) == ("APPROVED", True, 2500)
        assert (commission.paid_approved_at, commission.approved_by_staff_id) == (now, actor.staff_id)
        assert (commission.amount_reason, commission.payment_reference) == (None, None)
        order = Order.objects.get()
        assert (order.status, order.closed_at, order.version) == ("CLOSED", now, 2)
        row = OrderStatusHistory.objects.get()
        assert (row.reason, row.changed_by_staff_id) == ("commission_paid", actor.staff_id)
        assert told("commission_approved") == [(commission.master_id, None, None)]

    def test_a_second_approval_is_refused(self):
        commission = CommissionFactory()
        actor = admin(commission)
        commissions.approve(commission_id=commission.pk, actor=actor)
        with nothing_written(), pytest.raises(ConflictError) as caught:
            commissions.approve(commission_id=commission.pk, actor=actor, amount=Decimal(1), reason="a mistake")
        assert caught.value.code == "already_approved"
        assert Commission.objects.get().paid_amount == 2500

    @pytest.mark.parametrize("amount", ["2500", "2500.00", "2500.004"])
    def test_the_due_needs_no_reason(self, amount):
        commission = CommissionFactory()
        commissions.approve(commission_id=commission.pk, actor=admin(commission), amount=Decimal(amount))
        assert (Commission.objects.get().paid_amount, Commission.objects.get().amount_reason) == (2500, None)

    def test_another_amount_needs_a_reason(self):
        commission = CommissionFactory()
        actor = admin(commission)
        for reason in ("", "no", "x" * 201):
            with nothing_written(), pytest.raises(InvalidError, match="Give a reason of 3 to 200 characters"):
                commissions.approve(commission_id=commission.pk, actor=actor, amount=Decimal(2000), reason=reason)
        commissions.approve(
            commission_id=commission.pk, actor=actor, amount=Decimal("2000.005"), reason=" agreed  upon "
        )
        commission.refresh_from_db()
        assert (commission.amount, commission.paid_amount, commission.amount_reason) == (
            2500, Decimal("2000.01"), "agreed upon"
        )  # fmt: skip

    @pytest.mark.parametrize("amount", ["0", "-1", "10000000", "1E+30", "NaN", "Infinity"])
    def test_an_amount_nobody_can_pay_is_refused(self, amount):
        commission = CommissionFactory()
        actor = admin(commission)
        with nothing_written(), pytest.raises(InvalidError) as caught:
            commissions.approve(commission_id=commission.pk, actor=actor, amount=Decimal(amount), reason="agreed")
        assert list(caught.value.fields) == ["amount"]

    def test_a_due_of_nothing_can_be_approved(self):
        commission = CommissionFactory(amount=0)
        commissions.approve(commission_id=commission.pk, actor=admin(commission))
        assert Commission.objects.get().paid_amount == 0

    @pytest.mark.parametrize("status", ["CLOSED", "CANCELED", "SEARCHING"])
    def test_an_order_that_v12_moved_on_stays_where_it_is(self, status):
        commission = CommissionFactory()
        Order.objects.update(status=status)
        commissions.approve(commission_id=commission.pk, actor=admin(commission))
        assert (Commission.objects.get().status, Order.objects.get().status) == ("APPROVED", status)


class TestRights:
    VERBS = {
        "approve": lambda pk, actor: commissions.approve(commission_id=pk, actor=actor),
        "reject": lambda pk, actor: commissions.reject(commission_id=pk, actor=actor, reason="not found"),
    }

    @pytest.mark.parametrize("verb", VERBS)
    def test_logists_and_masters_may_not(self, verb):
        commission = CommissionFactory(status="REPORTED")
        for actor in (staff(Role.LOGIST, commission.order.city), as_master(commission.master)):
            with nothing_written(), pytest.raises(ForbiddenError):
                self.VERBS[verb](commission.pk, actor)

    @pytest.mark.parametrize("verb", VERBS)
    def test_a_stranger_s_commission_is_like_none(self, verb):
        commission = CommissionFactory(status="REPORTED")
        actor = staff(Role.CITY_ADMIN, OrderFactory().city)
        for number in (commission.pk, 4242):
            with nothing_written(), pytest.raises(NotFoundError, match=rf"There is no commission #{number}\."):
                self.VERBS[verb](number, actor)

    @pytest.mark.parametrize("verb", VERBS)
    def test_a_global_admin_may_everywhere(self, verb):
        commission = CommissionFactory(status="REPORTED")
        self.VERBS[verb](commission.pk, staff(Role.GLOBAL_ADMIN))


class TestReject:
    def test_it_waits_for_payment_again_with_an_hour_at_least(self):
        now = timezone.now()
        commission = CommissionFactory(status="REPORTED", paid_reported_at=now, deadline_at=now + timedelta(minutes=5))
        commissions.reject(commission_id=commission.pk, actor=admin(commission), reason="not  found", now=now)
        commission.refresh_from_db()
        assert (commission.status, commission.paid_reported_at, commission.deadline_at) == (
            "WAIT_PAY",
            None,
            now + HOUR,
        )
        row = Notification.objects.get(event="commission_rejected")
        assert (row.master, row.payload) == (
            commission.master, {"commission_id": commission.pk, "reason": "not found"}
        )  # fmt: skip

    def test_a_longer_deadline_stays(self):
        commission = CommissionFactory(status="REPORTED")
        commissions.reject(commission_id=commission.pk, actor=admin(commission), reason="not found")
        assert Commission.objects.get().deadline_at == commission.deadline_at

    def test_a_long_reason_is_told_in_full(self):
        commission = CommissionFactory(status="REPORTED")
        commissions.reject(commission_id=commission.pk, actor=admin(commission), reason="x" * 200)
        assert len(Notification.objects.get().payload["reason"]) == 200
        assert len(Commission.objects.get().payment_reference) == 120

    @pytest.mark.parametrize("status", ["WAIT_PAY", "APPROVED", "OVERDUE"])
    def test_without_a_report_there_is_nothing_to_reject(self, status):
        commission = CommissionFactory(status=status)
        actor = admin(commission)
        with nothing_written(), pytest.raises(ConflictError, match="there is no report to reject"):
            commissions.reject(commission_id=commission.pk, actor=actor, reason="not found")

    def test_a_reason_is_required(self):
        commission = CommissionFactory(status="REPORTED")
        actor = admin(commission)
        with nothing_written(), pytest.raises(InvalidError):
            commissions.reject(commission_id=commission.pk, actor=actor, reason="no")


class TestOverdue:
    def test_the_master_is_blocked_and_everybody_told(self):
        Setting.objects.create(key="alerts_channel_id", value="-1001")
        boss = StaffUserFactory(role=Role.GLOBAL_ADMIN)
        commission, now = CommissionFactory(deadline_at=timezone.now() - HOUR), timezone.now()
        assert commissions.mark_overdue(now=now) == 1
        commission.refresh_from_db()
        assert (commission.status, commission.blocked_applied, commission.blocked_at) == ("OVERDUE", True, now)
        master = master_of(commission)
        assert (master.is_blocked, master.blocked_reason, master.shift_status) == (
            True,
            "commission_overdue",
            "SHIFT_OFF",
        )
        assert told("commission_overdue") == [(commission.master_id, None, None)]
        assert told("account_blocked") == []  # one message, not two
        assert set(told("commission_overdue_alert")) == {(None, None, -1001), (None, boss.pk, None)}
        assert AuditLog.objects.get().action == "block_master"
        assert Order.objects.get().status == "PAYMENT"

    def test_a_second_run_finds_nothing(self):
        overdue()
        assert commissions.mark_overdue(now=timezone.now() + HOUR) == 0
        assert len(told("commission_overdue")) == 1

    @pytest.mark.parametrize("status", ["REPORTED", "APPROVED", "OVERDUE"])
    def test_only_what_waits_for_payment_becomes_overdue(self, status):
        CommissionFactory(status=status, deadline_at=timezone.now() - HOUR)
        assert commissions.mark_overdue(now=timezone.now()) == 0

    def test_the_deadline_itself_is_in_time(self):
        commission = CommissionFactory()
        assert commissions.mark_overdue(now=commission.deadline_at) == 0
        assert commissions.mark_overdue(now=commission.deadline_at + timedelta(microseconds=1)) == 1

    def test_one_bad_row_does_not_save_the_others(self):
        bad, good = CommissionFactory.create_batch(2, deadline_at=timezone.now() - HOUR)
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE OR REPLACE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'poison'; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER poison BEFORE UPDATE ON commissions FOR EACH ROW WHEN (NEW.id = {bad.pk}) "
                "EXECUTE FUNCTION poison()"
            )
        assert commissions.mark_overdue(now=timezone.now()) == 1
        assert dict(Commission.objects.values_list("pk", "status")) == {bad.pk: "WAIT_PAY", good.pk: "OVERDUE"}


class TestUnblock:
    def test_paying_the_only_debt_lifts_the_block(self):
        commission = overdue()
        commissions.approve(commission_id=commission.pk, actor=admin(commission))
        master = master_of(commission)
        assert (master.is_blocked, master.blocked_reason, master.shift_status) == (False, None, "SHIFT_OFF")
        assert told("account_unblocked") == [(commission.master_id, None, None)]

    def test_another_debt_keeps_it(self):
        master = MasterFactory()
        debts = [
            overdue(order=OrderFactory(in_payment=True, city=master.city, assigned_master=master)) for _ in range(2)
        ]
        commissions.approve(commission_id=debts[0].pk, actor=admin(debts[0]))
        assert master_of(debts[0]).is_blocked
        commissions.approve(commission_id=debts[1].pk, actor=admin(debts[1]))
        assert not master_of(debts[1]).is_blocked

    def test_a_block_for_another_reason_stays(self):
        commission = overdue()
        Master.objects.update(blocked_reason="rude to clients")
        commissions.approve(commission_id=commission.pk, actor=admin(commission))
        assert master_of(commission).blocked_reason == "rude to clients"

    def test_without_a_block_nothing_is_lifted(self):
        commission = CommissionFactory()
        commissions.approve(commission_id=commission.pk, actor=admin(commission))
        assert told("account_unblocked") == []


def test_rewards_come_with_the_approval():
    commission = CommissionFactory()
    inviter = ReferralFactory(master=commission.master).referrer
    commissions.approve(
        commission_id=commission.pk, actor=admin(commission), amount=Decimal(1000), reason="agreed upon"
    )
    reward = ReferralReward.objects.get()
    assert (reward.referrer, reward.amount) == (inviter, 100)
