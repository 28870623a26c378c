"""Signs of life."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fieldservice.runtime import heartbeats
from fieldservice.runtime.models import Heartbeat

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_beat_overwrites_the_one_before():
    heartbeats.beat("master_bot", now=NOW, queue=3)
    heartbeats.beat("master_bot", now=NOW + timedelta(minutes=1))
    row = Heartbeat.objects.get()
    assert (row.name, row.beat_at, row.details) == ("master_bot", NOW + timedelta(minutes=1), {})
