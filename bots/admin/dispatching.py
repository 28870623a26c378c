"""Dispatch, asked to look at once, so that the next screen already shows the first offer."""

from __future__ import annotations

import logging

from django.db import DatabaseError

from orders.dispatch import engine

log = logging.getLogger(__name__)


def serve() -> None:
    """Serve what is due now. Not worth failing for: the worker was woken, too, and the tick comes in any case."""
    try:
        engine.nudge()
    except DatabaseError as error:
        log.warning("nudge_failed", extra={"error": type(error).__name__})
