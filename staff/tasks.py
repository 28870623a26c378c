"""Celery only wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from staff.services import coverage, shifts


@shared_task
def end_breaks() -> None:
    """Every 30 s: breaks that are over."""
    shifts.end_breaks(now=timezone.now())


@shared_task
def forget_coverage_changes() -> None:
    """Every hour: the trace that dispatch looks at stays short."""
    coverage.forget_changes()
