"""Celery only wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from finance.services import commissions


@shared_task
def mark_overdue() -> None:
    """Every minute: commissions past their deadline."""
    commissions.mark_overdue(now=timezone.now())
