"""Celery only wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from fieldservice.watch.look import look


@shared_task
def watch() -> None:
    """Every minute: is everything that should be alive alive?"""
    look(now=timezone.now())
