"""An error nobody expected reaches ALERTS, whatever it broke."""

from __future__ import annotations

import logging
import threading

import pytest
from django.db import DatabaseError, connection, transaction

from fieldservice.outbox.models import Notification
from fieldservice.runtime.models import Setting
from fieldservice.watch.error_alerts import THREAD, AlertHandler

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def log():
    logger = logging.getLogger("celery.app.trace.test")
    handler = AlertHandler()
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)


def fail(log: logging.Logger, text: str = "Иванов +7 999 123-45-67") -> None:
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("task_failed")


def alerts() -> list[str]:
    for thread in threading.enumerate():
        if thread.name == THREAD:
            thread.join(10)
    return [row.payload["text"] for row in Notification.objects.filter(event="alert")]


def test_it_is_told_once_an_hour_and_without_its_words(log):
    Setting.objects.create(key="alerts_channel_id", value="-100500")
    fail(log)
    fail(log, "another text at the same place")
    (text,) = alerts()
    assert "ValueError" in text
    assert "test_error_alerts.py:fail" in text
    assert "Иванов" not in text


def test_it_is_told_even_when_the_transaction_is_broken(log):
    Setting.objects.create(key="alerts_channel_id", value="-100500")
    with transaction.atomic():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT no_such_column")
        except DatabaseError:
            log.exception("query_failed")
        transaction.set_rollback(True)
    assert len(alerts()) == 1


def test_who_logs_does_not_wait_for_a_lock_he_holds(log):
    """The thread gives up; the transaction that holds the lock goes on at once."""
    Setting.objects.create(key="alerts_channel_id", value="-100500")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE settings IN ACCESS EXCLUSIVE MODE")
        fail(log)
        assert any(thread.name == THREAD for thread in threading.enumerate())
        assert alerts() == []
    assert alerts() == []


def test_without_a_channel_nothing_is_written_and_nothing_raised(log):
    fail(log)
    assert alerts() == []


def test_a_page_that_fails_alerts(client, monkeypatch):
    from fieldservice.runtime import health

    def broken() -> bool:
        raise RuntimeError("no")

    Setting.objects.create(key="alerts_channel_id", value="-100500")
    monkeypatch.setattr(health, "_database", broken)
    client.raise_request_exception = False
    assert client.get("/readyz").status_code == 500
    (text,) = alerts()
    assert "RuntimeError" in text
