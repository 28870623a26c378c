"""Celery: the worker's application and the beat's timetable."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import task_prerun, worker_process_init
from django.db import connections

from fieldservice.lib import memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fieldservice.settings")
app = Celery("fieldservice")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def timetable() -> dict[str, Any]:
    """Task → period. A task only looks at due rows: running late, twice or at once changes nothing."""
    from fieldservice.runtime.beat import SettingInterval  # noqa: PLC0415 - needs the settings and the models

    return {
        "orders.tasks.dispatch_tick": SettingInterval("distribution_tick_seconds"),
        "orders.tasks.sweep_offers": timedelta(seconds=5),
        "orders.tasks.prune_decision_log": timedelta(hours=1),
        "orders.tasks.wake_geocoder": timedelta(minutes=1),
        "geo.tasks.forget_addresses": timedelta(hours=1),
        "staff.tasks.end_breaks": timedelta(seconds=30),
        "staff.tasks.forget_coverage_changes": timedelta(hours=1),
        "staff.tasks.forget_sessions": timedelta(hours=1),
        "staff.tasks.forget_shift_changes": timedelta(hours=1),
        "staff.tasks.forget_applications": timedelta(hours=1),
        "finance.tasks.mark_overdue": timedelta(minutes=1),
        "finance.tasks.remind": timedelta(minutes=1),
        "finance.tasks.write_exports": timedelta(minutes=1),
        "finance.tasks.sweep_exports": timedelta(minutes=1),
        "fieldservice.watch.tasks.watch": timedelta(minutes=1),
        "finance.tasks.check_ledger": crontab(hour=2, minute=20),
    }


@app.on_after_finalize.connect
def schedule_beat(sender: Celery, **kwargs: object) -> None:
    """Give the beat its timetable. A run that waited for 30 s is dropped: the next one does its work."""
    sender.conf.beat_schedule = {
        name: {"task": name, "schedule": period, "options": {"expires": 30}} for name, period in timetable().items()
    }


@worker_process_init.connect
def set_aside_what_stays(**kwargs: object) -> None:
    """The tasks are loaded."""
    memory.set_aside()


@task_prerun.connect
def look_at_the_connection(**kwargs: object) -> None:
    """A connection that was cut is opened again for this task; Celery itself would look only every hundred tasks."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:  # a task called within somebody's transaction leaves it alone
            connection.close_if_unusable_or_obsolete()
