"""Celery: the worker's application and the beat's timetable."""

from __future__ import annotations

import os
from datetime import timedelta

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fieldservice.settings")
app = Celery("fieldservice")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_configure.connect
def schedule_beat(sender: Celery, **kwargs: object) -> None:
    """The timetable. A task only looks at due rows: running late, twice or at once changes nothing."""
    every = {
        "orders.tasks.dispatch_tick": timedelta(seconds=settings.DISTRIBUTION_TICK_SECONDS),
        "orders.tasks.sweep_offers": timedelta(seconds=5),
        "staff.tasks.end_breaks": timedelta(seconds=30),
        "finance.tasks.mark_overdue": timedelta(minutes=1),
    }
    sender.conf.beat_schedule = {
        # a tick that waited longer than its period is useless: the next one does its work
        name: {"task": name, "schedule": period, "options": {"expires": period.total_seconds()}}
        for name, period in every.items()
    }
