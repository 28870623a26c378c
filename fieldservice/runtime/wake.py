"""Wakes a Celery task after the commit. Rows are the queue: a lost wake-up costs time until the next tick, no more."""

from __future__ import annotations

import logging
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.pools import producers

log = logging.getLogger(__name__)


def after_commit(task: str, **kwargs: Any) -> None:
    """Start `task` once the running transaction is committed; never fails the caller's own work."""

    def send() -> None:
        # Redis may be down: the order is safe in its table, the tick will find it
        try:
            with producers[_connection()].acquire(block=True, timeout=1) as producer:
                current_app.send_task(task, kwargs=kwargs, expires=60, retry=False, producer=producer)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller's work is done
            log.warning("wake_failed", extra={"task": task, "error": type(error).__name__})

    transaction.on_commit(send, robust=True)


def _connection() -> Any:
    """Impatient, unlike the workers' own: `retry=False` still connects again and again, for seconds."""
    return current_app.connection_for_write(transport_options=settings.WAKE_TRANSPORT_OPTIONS)


def dispatch(city_id: int | None = None) -> None:
    """An order may be ready for an offer. `city_id`: a master there became free, look at its stuck orders, too."""
    after_commit("orders.tasks.nudge", city_id=city_id)
