"""Celery only wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from finance.services import commissions, ledger, reminders


@shared_task
def mark_overdue() -> None:
    """Every minute: commissions past their deadline."""
    commissions.mark_overdue(now=timezone.now())


@shared_task
def remind() -> None:
    """Every minute: deadlines that come near, reports that wait."""
    now = timezone.now()
    reminders.remind(now=now)
    reminders.alert_waiting_reports(now=now)


@shared_task
def check_ledger() -> None:
    """Every day: does the money agree?"""
    ledger.check_and_alert(now=timezone.now())
