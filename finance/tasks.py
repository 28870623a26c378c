"""Celery only wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from finance.services import commissions, exports, ledger, reminders


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


@shared_task(time_limit=3600)
def write_exports() -> None:
    """Woken when somebody asks; every minute for what a lost wake-up left."""
    exports.write_queued()


@shared_task
def sweep_exports() -> None:
    """Every minute: expired files, exports whose process died."""
    exports.sweep(now=timezone.now())
