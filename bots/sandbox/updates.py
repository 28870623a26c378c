"""The queue of updates of one bot: acknowledged by offset, waited for by one poller at a time."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from .errors import JSON, conflict

# What a bot gets without asking is everything but these.
OPT_IN = {"chat_member", "message_reaction", "message_reaction_count"}
POLLER_TAKEN_OVER = "terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_SET = "terminated by setWebhook request"


class UpdateQueue:
    """Pending updates. An update stays until a later offset (or a delivered webhook) acknowledges it."""

    def __init__(self, first_id: int, limit: int = 50_000) -> None:
        self.next_id = first_id
        self.pending: deque[JSON] = deque()
        self.limit = limit
        self.dropped = 0
        self.allowed: set[str] | None = None
        self.poll: asyncio.Future[None] | None = None
        self.last_poll = 0.0
        self.arrived = asyncio.Event()  # for the webhook deliverer

    def put(self, kind: str, body: JSON) -> None:
        """Add an update unless the bot declined this kind; the oldest is dropped when the queue is full."""
        if (kind not in self.allowed) if self.allowed else (kind in OPT_IN):
            return
        self.pending.append({"update_id": self.next_id, kind: body})
        self.next_id += 1
        if len(self.pending) > self.limit:
            self.pending.popleft()
            self.dropped += 1
        self.arrived.set()
        self._wake()

    def acknowledge(self, offset: int) -> None:
        """Forget updates before `offset`; a negative offset keeps only that many of the last ones."""
        if offset < 0:
            while len(self.pending) > -offset:
                self.pending.popleft()
        else:
            while self.pending and self.pending[0]["update_id"] < offset:
                self.pending.popleft()

    def take(self, limit: int) -> list[JSON]:
        """The first updates, still pending."""
        return [self.pending[i] for i in range(min(limit, len(self.pending)))]

    async def get(self, offset: int, limit: int, timeout: float) -> list[JSON]:
        """Long poll. Raises 409 in the older request when a second one arrives."""
        self.interrupt(POLLER_TAKEN_OVER)
        self.acknowledge(offset)
        self.last_poll = time.monotonic()
        if not self.pending and timeout > 0:
            await self._wait(timeout)
        return self.take(limit)

    async def _wait(self, timeout: float) -> None:
        mine = self.poll = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(mine, timeout)
        except TimeoutError:
            pass
        finally:
            if self.poll is mine:
                self.poll = None
            self.last_poll = time.monotonic()

    def _wake(self) -> None:
        if self.poll and not self.poll.done():
            self.poll.set_result(None)

    def release(self) -> None:
        """The server stops: the waiting poll ends with nothing. A 409 would tell the bot of a second copy of it."""
        self._wake()

    def interrupt(self, reason: str) -> None:
        """End the waiting poll, if any, with 409."""
        if self.poll and not self.poll.done():
            self.poll.set_exception(conflict(reason))

    def polling(self) -> bool:
        """True while a poll is open or was within the last 3 s."""
        return self.poll is not None or (self.last_poll > 0 and time.monotonic() - self.last_poll < 3)
