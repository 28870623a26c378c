"""Signs of life: one row a process or job, overwritten."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db import connection

BEAT = """
INSERT INTO heartbeats(name, beat_at, details) VALUES (%s, %s, %s::jsonb)
ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at, details = excluded.details"""


def beat(name: str, *, now: datetime, **details: Any) -> None:
    """`name` is alive at `now`."""
    with connection.cursor() as cursor:
        cursor.execute(BEAT, [name, now, json.dumps(details)])
