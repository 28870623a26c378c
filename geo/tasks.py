"""Celery only wakes: each task calls one service."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from geo.services import geocoder


@shared_task
def forget_addresses() -> None:
    """Every hour: answers of the geocoder are kept for 14 days."""
    geocoder.forget_old(now=timezone.now())
