"""Celery only wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from staff.services import coverage, onboarding, shifts
from staff.sessions import SessionStore


@shared_task
def end_breaks() -> None:
    """Every 30 s: breaks that are over, or nearly."""
    shifts.end_breaks(now=timezone.now())
    shifts.remind_breaks(now=timezone.now())


@shared_task
def forget_coverage_changes() -> None:
    """Every hour: the trace that dispatch looks at stays short."""
    coverage.forget_changes()


@shared_task
def forget_applications() -> None:
    """Every hour: applications nobody goes on with."""
    onboarding.drop_idle(now=timezone.now())


@shared_task
def forget_sessions() -> None:
    """Every hour: sessions that are over."""
    SessionStore.clear_expired()


@shared_task
def forget_shift_changes() -> None:
    """Every hour: changes of shifts that are older than anybody asks for."""
    shifts.forget_changes(now=timezone.now())
