"""Signs of life: a row for the watchers, a line in the LOGS channel."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from bots.db import in_db
from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Lane
from fieldservice.runtime import heartbeats, registry
from fieldservice.watch.look import look

log = logging.getLogger(__name__)


async def run(process: str) -> None:
    """Beat until cancelled; a database that is away costs beats, nothing else."""
    while True:
        try:
            await in_db(beat, process, settings.HEARTBEAT_SECONDS)
            await in_db(partial(look, now=timezone.now()))  # the beat may have stopped, and could not tell
        except DatabaseError as error:
            log.warning("heartbeat_failed", extra={"beat": process, "error": type(error).__name__})
        await asyncio.sleep(settings.HEARTBEAT_SECONDS)


def beat(process: str, period: int) -> None:
    """One beat. The line for the channel is worth nothing when it is late: it expires after one period."""
    now = timezone.now()
    heartbeats.beat(process, now=now)
    if channel := registry.get("logs_channel_id"):
        outbox.enqueue(
            outbox.Message(
                event="alive",
                payload={"name": process},
                chat_id=channel,
                lane=Lane.CHANNEL,
                expires_at=now + timedelta(seconds=period),
                dedup_key=f"alive:{process}:{int(now.timestamp()) // period}",
            )
        )
