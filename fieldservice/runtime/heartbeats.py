"""Signs of life: one row a process or job, overwritten."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fieldservice.runtime.models import Heartbeat


def beat(name: str, *, now: datetime, **details: Any) -> None:
    """`name` is alive at `now`."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": now, "details": details})
