"""The working window as the settings have it."""

from __future__ import annotations

import logging

from django.conf import settings

from fieldservice.runtime import registry
from orders.services.schedule import Window

log = logging.getLogger(__name__)


def load_window() -> Window:
    """Today's window. A start that is not before its end is ignored: the environment's, then the usual one is used."""
    values = registry.read(["working_hours_start", "working_hours_end", "asap_late_threshold"])
    window = Window(values["working_hours_start"], values["working_hours_end"], values["asap_late_threshold"])
    if window.start < window.end:
        return window
    log.warning("working_window_ignored")
    window = Window(settings.WORKDAY_START, settings.WORKDAY_END, settings.ASAP_LATE_THRESHOLD)
    return window if window.start < window.end else Window()
