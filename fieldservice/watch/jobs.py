"""Periodic jobs leave a sign of life when they end well, so that one that does not run is missed."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from celery.schedules import crontab
from celery.signals import task_success
from django.db import DatabaseError
from django.utils import timezone

from fieldservice.runtime import heartbeats

log = logging.getLogger(__name__)
PREFIX = "job:"
SHORTEST = timedelta(minutes=5)
#: a job of every five seconds writes only so often
SELDOM = 20.0
_written: dict[str, float] = {}


def beat_name(task: str) -> str:
    """`orders.tasks.dispatch_tick` → `job:orders.dispatch_tick`; the column takes 64 characters."""
    return (PREFIX + task.replace(".tasks.", "."))[:64]


def patience(plan: Any) -> timedelta:
    """How long a job of the timetable may be silent before it is missed."""
    if isinstance(plan, crontab):
        return timedelta(hours=26)
    period: timedelta = getattr(plan, "run_every", plan)  # a `schedule` of Celery, or a timedelta
    return max(SHORTEST, 3 * period + timedelta(minutes=2))


def missed_after() -> Mapping[str, timedelta]:
    """Name of the sign of life → patience, for every job of the timetable."""
    from fieldservice.celery import timetable  # noqa: PLC0415 - it needs the settings

    return {beat_name(task): patience(plan) for task, plan in timetable().items()}


@task_success.connect
def note(sender: Any = None, **kwargs: object) -> None:
    """A task ended well."""
    name = beat_name(getattr(sender, "name", ""))
    if time.monotonic() - _written.get(name, -SELDOM) < SELDOM or name not in missed_after():
        return
    try:
        heartbeats.beat(name, now=timezone.now())
        _written[name] = time.monotonic()
    except DatabaseError:
        log.warning("job_beat_failed", extra={"job": name})
