"""A beat interval that follows a setting: a change takes effect at the next look, without a restart."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from celery.schedules import schedule
from django.db import DatabaseError, close_old_connections

from fieldservice.runtime import registry

log = logging.getLogger(__name__)


class SettingInterval(schedule):
    """Every `registry.get(key)` seconds; while the database is away, the last known period goes on."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(run_every=timedelta(seconds=registry.KEYS[key].default()))

    def is_due(self, last_run_at: datetime) -> Any:
        try:
            self.run_every = timedelta(seconds=registry.get(self.key))
        except DatabaseError:
            log.warning("beat_setting_unread", extra={"key": self.key})
            close_old_connections()  # nobody else does it in the beat: a connection that was cut would stay cut
        return super().is_due(last_run_at)
