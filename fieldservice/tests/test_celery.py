"""The worker and the beat's timetable."""

from __future__ import annotations

import psycopg
import pytest
from celery.signals import task_prerun
from django.conf import settings
from django.db import connection

from fieldservice.celery import app, timetable
from orders.tasks import sweep_offers


@pytest.mark.django_db(transaction=True)
def test_a_cut_connection_costs_the_worker_no_task() -> None:
    connection.ensure_connection()
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    task_prerun.send(sender=sweep_offers, task_id="1", task=sweep_offers, args=(), kwargs={})
    sweep_offers()


def test_every_task_of_the_timetable_exists() -> None:
    app.loader.import_default_modules()
    assert set(timetable()) <= set(app.tasks)


def test_operations_tell_what_beat_wakes() -> None:
    page = (settings.BASE_DIR / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [task for task in timetable() if f"`{task}`" not in page] == []
