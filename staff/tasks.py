"""Celery only wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from staff.services import shifts


@shared_task
def end_breaks() -> None:
    """Every 30 s: breaks that are over."""
    shifts.end_breaks(now=timezone.now())
