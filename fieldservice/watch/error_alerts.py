"""Unexpected errors of the web admin and of the worker reach ALERTS, too; those of the bots do it themselves."""

from __future__ import annotations

import logging
import secrets
import threading
import time
import traceback
from pathlib import Path
from types import TracebackType

from django.conf import settings
from django.db import connections
from django.utils import timezone

log = logging.getLogger(__name__)
HOUR = 3600.0
#: logger → what the alert calls it; loggers that are not here tell nobody
SOURCES = {"django.request": "web admin", "celery.app.trace": "worker", "dispatch": "dispatch"}
#: a process that ends waits for its last alert, but not long
PATIENCE = "SET statement_timeout = '3s'"
THREAD = "alert"
CHANNEL = "SELECT value FROM settings WHERE key = 'alerts_channel_id'"
ENQUEUE = """
INSERT INTO notifications_outbox(bot, chat_id, event, payload, lane, dedup_key)
VALUES ('admin', %s, 'alert', jsonb_build_object('text', %s::text), %s, %s) ON CONFLICT DO NOTHING"""


class AlertHandler(logging.Handler):
    """Writes a row for ALERTS on a connection of its own: the error may have broken the one in use.

    In a thread of its own, too: whoever logs must not wait for a lock that he himself may hold.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._told: dict[tuple[str, str], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Once an hour for the same error at the same place; never raises."""
        if not record.exc_info or not record.exc_info[1]:
            return
        error, stack = record.exc_info[1], record.exc_info[2]
        key = (type(error).__name__, place(stack))
        if time.monotonic() - self._told.get(key, -HOUR) < HOUR:
            return
        self._told[key] = time.monotonic()
        threading.Thread(target=_write, args=(SOURCES.get(record.name, record.name), *key), name=THREAD).start()


def place(stack: TracebackType | None) -> str:
    """`offers.py:accept`: the innermost function of ours."""
    home = str(settings.BASE_DIR)
    frames = traceback.extract_tb(stack)
    ours = [frame for frame in frames if home in frame.filename and "site-packages" not in frame.filename]
    frame = (ours or list(frames) or [traceback.FrameSummary("?", 0, "?")])[-1]
    return f"{Path(frame.filename).name}:{frame.name}"


def _write(source: str, kind: str, where: str) -> None:
    try:
        _enqueue(source, kind, where)
    except Exception:  # noqa: BLE001 - the database itself may be what failed
        log.warning("alert_not_written", extra={"error": kind})


def _enqueue(source: str, kind: str, where: str) -> None:
    from fieldservice.outbox.models import Lane  # noqa: PLC0415 - logging is set up before the models
    from fieldservice.watch import alerts  # noqa: PLC0415

    connection = connections.create_connection("default")
    try:
        with connection.cursor() as cursor:
            cursor.execute(PATIENCE)
            cursor.execute(CHANNEL)
            row = cursor.fetchone()
            channel = int(row[0]) if row and row[0].strip() else settings.ALERTS_CHANNEL_ID
            if channel:
                text = alerts.error_text(source, kind, where, secrets.token_hex(3))
                key = alerts.error_key(source, kind, where, timezone.now())
                cursor.execute(ENQUEUE, [channel, text, Lane.CHANNEL.value, key])
                cursor.execute("NOTIFY outbox_admin")
    finally:
        connection.close()
