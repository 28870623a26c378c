"""Of several replicas of a bot one delivers: Telegram's limits are those of the token, and edits must keep their order.

The seat is an advisory lock of a connection of its own: a killed process leaves it at once, a lost machine when
PostgreSQL finds its connection dead (`fieldservice/links.py`). Two on the seat for a moment do no harm but to the
limits: rows are leased.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import psycopg
from django.db import connections

from bots.delivery.pump import Pump

log = logging.getLogger(__name__)
#: the first half of the lock's number; the second half is the bot
LOCK = 0x5EA7
NUMBERS = {"master": 1, "admin": 2}
#: seconds between two attempts to sit down, and two looks whether the connection still lives
LOOK = 1.0


class Seat:
    """A thread that waits for the seat and holds it; calls `changed` with whether it has it."""

    def __init__(self, bot: str, changed: Callable[[bool], object]) -> None:
        self.bot, self.changed = bot, changed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"seat-{bot}", daemon=True)

    def start(self) -> None:
        """Begin to wait."""
        self._thread.start()

    def stop(self) -> None:
        """Leave the seat."""
        self._stopping.set()
        self._thread.join(10 * LOOK)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._sit()
            except psycopg.Error as error:
                log.warning("seat_lost", extra={"bot": self.bot, "error": type(error).__name__})
                self._stopping.wait(LOOK)

    def _sit(self) -> None:
        with psycopg.connect(**connections["default"].get_connection_params(), autocommit=True) as connection:
            take = partial(connection.execute, "SELECT pg_try_advisory_lock(%s, %s)", [LOCK, NUMBERS[self.bot]])
            while not (row := take().fetchone()) or not row[0]:
                if self._stopping.wait(LOOK):
                    return
            log.info("seat_taken", extra={"bot": self.bot})
            self.changed(True)
            try:
                while not self._stopping.wait(LOOK):
                    connection.execute("SELECT 1")
            finally:
                self.changed(False)


class Duty:
    """Delivers while this replica has the seat. The counterpart of a Pump that runs alone."""

    def __init__(self, name: str, pump: Callable[[], Pump], begun: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.name, self.pump, self.begun = name, pump, begun
        self.stopping = False
        self._seated = False
        self._changed = asyncio.Event()

    def stop(self) -> None:
        """Claim no more."""
        self.stopping = True
        self._changed.set()

    async def run(self) -> None:
        """Until stopped. `begun` runs each time this replica takes over."""
        loop = asyncio.get_running_loop()
        seat = Seat(self.name, lambda seated: loop.call_soon_threadsafe(self._note, seated))
        seat.start()
        try:
            while not self.stopping:
                await self._until(lambda: self._seated)
                if not self.stopping:
                    await self._deliver()
        finally:
            await asyncio.to_thread(seat.stop)

    async def _deliver(self) -> None:
        pump = self.pump()
        async with asyncio.TaskGroup() as group:
            group.create_task(pump.run())
            group.create_task(self.begun())
            await self._until(lambda: not self._seated)
            pump.stop()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not (self.stopping or condition()):
            self._changed.clear()
            await self._changed.wait()

    def _note(self, seated: bool) -> None:
        self._seated = seated
        self._changed.set()
