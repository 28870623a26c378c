"""What waits for a check: payments reported in time, and those of overdue commissions until they are rejected."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from finance.enums import CommissionStatus
from finance.models import Commission, JournalEntry
from finance.models.commission import TO_CHECK
from finance.selectors import totals
from finance.services import bulk, commissions
from finance.tests.factories import CommissionFactory
from orders.tests.people import staff
from staff.enums import Role
from staff.tests.factories import StaffUserFactory

pytestmark = pytest.mark.django_db


def late(**values: object) -> Commission:
    """An overdue commission whose payment is reported."""
    return CommissionFactory(status="OVERDUE", **{"paid_reported_at": timezone.now()} | values)


def test_the_row_and_the_query_agree():
    for status in CommissionStatus:
        for moment in (None, timezone.now()):
            CommissionFactory(status=status, paid_reported_at=moment)
    waiting = set(Commission.objects.filter(TO_CHECK).values_list("pk", flat=True))
    assert waiting == {row.pk for row in Commission.objects.all() if row.waits_for_check}
    assert len(waiting) == 3
    found = totals(Commission.objects.all())
    assert (found.to_check, found.sum_to_check) == (3, 7500)
    assert found.count("OVERDUE") == 2


def test_a_rejected_one_waits_no_more():
    commission = late()
    commissions.reject(commission_id=commission.pk, actor=staff(Role.GLOBAL_ADMIN), reason="no such payment")
    assert not Commission.objects.filter(TO_CHECK).exists()


def test_approving_many_takes_late_ones_along():
    commission, boss = late(), StaffUserFactory(role=Role.GLOBAL_ADMIN)
    CommissionFactory(status="OVERDUE")
    rows = bulk.reported(member=boss, days=1, now=timezone.now() + timedelta(minutes=1)).rows
    assert rows == (commission,)


def test_the_web_list_of_payments_to_check(client: Client):
    in_time, claimed = CommissionFactory(status="REPORTED"), late()
    CommissionFactory(status="OVERDUE")
    client.force_login(StaffUserFactory(role=Role.GLOBAL_ADMIN))
    page = client.get(
        reverse("admin:finance_commission_changelist"), {"check": "waits"}, headers={"Accept-Language": "en"}
    )
    assert set(page.context["cl"].result_list) == {in_time, claimed}
    assert "Overdue, payment reported" in page.content.decode()


def test_the_journal_shows_roubles(client: Client):
    commission = CommissionFactory()
    commissions.approve(commission_id=commission.pk, actor=staff(Role.GLOBAL_ADMIN))
    client.force_login(StaffUserFactory(role=Role.GLOBAL_ADMIN))
    shown = client.get(reverse("admin:finance_journalentry_changelist")).content.decode()
    assert "2\u00a0500\u00a0₽" in shown
    entry = JournalEntry.objects.latest("pk")
    shown = client.get(reverse("admin:finance_journalentry_change", args=[entry.pk])).content.decode()
    assert "2\u00a0500\u00a0₽" in shown


def test_only_a_reported_payment_can_be_rejected(client: Client):
    silent, claimed = CommissionFactory(status="OVERDUE"), late()
    client.force_login(StaffUserFactory(role=Role.GLOBAL_ADMIN))
    for commission, offered in ((silent, False), (claimed, True)):
        shown = client.get(reverse("admin:finance_commission_change", args=[commission.pk])).content.decode()
        assert (f"/{commission.pk}/reject" in shown) is offered
        assert f"/{commission.pk}/approve" in shown
