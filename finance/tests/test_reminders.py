"""Deadlines are told in time and once; reports nobody looks at are told, too."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from fieldservice.outbox.models import Notification
from fieldservice.runtime.models import Setting
from finance.models import Commission
from finance.services import commissions, reminders
from finance.tests.factories import CommissionFactory
from orders.tests.people import as_master, staff
from staff.enums import Role
from staff.tests.factories import StaffUserFactory

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def due_in(minutes: float, **values) -> Commission:
    """A commission of a three-hour term that ends in so many minutes."""
    now = timezone.now()
    deadline = now + minutes * MINUTE
    return CommissionFactory(deadline_at=deadline, created_at=deadline - 3 * HOUR, **values)


def told() -> int:
    return Notification.objects.filter(event="commission_reminder").count()


class TestDeadline:
    def test_sixty_and_fifteen_minutes_before_each_once(self):
        commission = due_in(180)
        deadline = commission.deadline_at
        moments = [deadline - minutes * MINUTE for minutes in range(180, -5, -1)]
        sent = [moment for moment in moments if reminders.remind(now=moment)]
        assert sent == [deadline - 60 * MINUTE, deadline - 15 * MINUTE]
        assert set(Notification.objects.values_list("master_id", "expires_at")) == {(commission.master_id, deadline)}

    def test_a_job_that_was_away_sends_one_not_two(self):
        commission = due_in(180)
        assert reminders.remind(now=commission.deadline_at - 10 * MINUTE) == 1
        assert reminders.remind(now=commission.deadline_at - 9 * MINUTE) == 0

    @pytest.mark.parametrize("status", ["REPORTED", "APPROVED", "OVERDUE"])
    def test_only_who_still_has_to_pay(self, status):
        due_in(10, status=status)
        assert reminders.remind(now=timezone.now()) == 0

    def test_nothing_after_the_deadline(self):
        due_in(-1)
        assert reminders.remind(now=timezone.now()) == 0

    def test_an_offset_longer_than_the_term_is_no_news(self):
        now = timezone.now()
        commission = CommissionFactory(deadline_at=now + 30 * MINUTE, created_at=now)
        assert reminders.remind(now=now + MINUTE) == 0
        assert reminders.remind(now=commission.deadline_at - 15 * MINUTE) == 1

    def test_a_rejection_names_the_new_deadline_itself(self):
        commission, now = due_in(5, status="REPORTED"), timezone.now()
        commissions.reject(commission_id=commission.pk, actor=staff(Role.GLOBAL_ADMIN), reason="not found", now=now)
        assert reminders.remind(now=now + MINUTE) == 0
        assert reminders.remind(now=now + 46 * MINUTE) == 1

    def test_offsets_are_settings(self):
        Setting.objects.create(key="commission_reminder_first_min", value="120")
        Setting.objects.create(key="commission_reminder_last_min", value="0")
        commission = due_in(180)
        assert reminders.remind(now=commission.deadline_at - 121 * MINUTE) == 0
        assert reminders.remind(now=commission.deadline_at - 119 * MINUTE) == 1
        assert reminders.remind(now=commission.deadline_at - 5 * MINUTE) == 0
        Setting.objects.update(value="0")
        due_in(180)
        assert reminders.remind(now=commission.deadline_at - 5 * MINUTE) == 0
        assert told() == 1

    def test_a_commission_made_now_is_reminded_at_its_offsets_only(self):
        from orders.tests.factories import OrderFactory

        order, now = OrderFactory(in_payment=True), timezone.now()
        commission = commissions.create(order, actor=as_master(order.assigned_master), now=now)
        assert reminders.remind(now=now + MINUTE) == 0
        assert reminders.remind(now=commission.deadline_at - 60 * MINUTE) == 1


class TestReports:
    def reported(self, ago: timedelta, **values) -> Commission:
        values = {"status": "REPORTED"} | values
        return CommissionFactory(paid_reported_at=timezone.now() - ago, **values)

    def test_after_three_hours_the_admins_are_told_once(self):
        Setting.objects.create(key="alerts_channel_id", value="-1001")
        boss = StaffUserFactory(role=Role.GLOBAL_ADMIN)
        self.reported(2 * HOUR)
        waits = self.reported(3 * HOUR)
        assert reminders.alert_waiting_reports(now=timezone.now()) == 1
        assert reminders.alert_waiting_reports(now=timezone.now() + MINUTE) == 0
        rows = Notification.objects.filter(event="commission_report_waits")
        assert {(r.staff_id, r.chat_id, r.payload["commission_id"]) for r in rows} == {
            (boss.pk, None, waits.pk), (None, -1001, waits.pk)
        }  # fmt: skip
        assert Commission.objects.get(pk=waits.pk).status == "REPORTED"  # never overdue

    def test_a_debt_reported_as_paid_counts_too(self):
        self.reported(4 * HOUR, status="OVERDUE")
        assert reminders.alert_waiting_reports(now=timezone.now()) == 1

    def test_a_new_report_is_told_anew(self):
        commission, now = self.reported(4 * HOUR), timezone.now()
        assert reminders.alert_waiting_reports(now=now) == 1
        commissions.reject(commission_id=commission.pk, actor=staff(Role.GLOBAL_ADMIN), reason="not found", now=now)
        assert reminders.alert_waiting_reports(now=now) == 0
        commissions.report_paid(commission_id=commission.pk, actor=as_master(commission.master), now=now)
        assert reminders.alert_waiting_reports(now=now + 3 * HOUR) == 1

    def test_an_approved_one_waits_for_nobody(self):
        self.reported(4 * HOUR, status="APPROVED", is_paid=True)
        assert reminders.alert_waiting_reports(now=timezone.now()) == 0
