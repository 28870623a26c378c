"""Screens that tick: a countdown is redrawn every few seconds while it is looked at, as far as the limits leave room.

Kept in memory: after a restart the messages sent unasked are found again (`Spec.standing`), the rest by «Refresh».
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramRetryAfter
from django.utils import timezone, translation

from bots import errors, wire
from bots.db import in_db
from bots.delivery.limits import Limits
from bots.screens import Screen

log = logging.getLogger(__name__)
#: seconds between two looks, between two edits of one message, and edits at one look
ROUND, PERIOD, AT_ONCE = 1.0, 5.0, 5
#: a hung edit must not hold up the answer to a tap for longer
TIMEOUT = 3
MOST = 5_000

#: the screen as it is now, and whether it goes on ticking; None: there is nothing to show any more
Redraw = Callable[[], tuple[Screen, bool] | None]
#: whether another replica has answered in the chat since then: the screen is its own now
Elsewhere = Callable[[int, datetime], bool]


@dataclass(slots=True)
class Ticking:
    """A message that ticks."""

    redraw: Redraw
    language: str
    drawn: float
    since: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A ticking message of before the start."""

    chat_id: int
    message_id: int
    redraw: Redraw
    language: str


class Live:
    """The ticking messages of one bot."""

    def __init__(self, bot: Bot, limits: Limits, *, name: str, elsewhere: Elsewhere | None = None) -> None:
        self.bot, self.limits, self.name, self.elsewhere = bot, limits, name, elsewhere
        self.ticking: dict[tuple[int, int], Ticking] = {}
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    def chat(self, chat_id: int) -> asyncio.Lock:
        """Hold it while a screen of the chat is shown: an edit of ours on its way must not come after yours."""
        if len(self._locks) > MOST:
            self._locks = defaultdict(asyncio.Lock, {key: lock for key, lock in self._locks.items() if lock.locked()})
        return self._locks[chat_id]

    def set(self, chat_id: int, message_id: int | None, redraw: Redraw | None, language: str) -> None:
        """The message shows something new: it ticks from now on, or no more."""
        if message_id is None:
            return
        self.ticking.pop((chat_id, message_id), None)
        if redraw and len(self.ticking) < MOST:
            self.ticking[chat_id, message_id] = Ticking(redraw, language, time.monotonic(), timezone.now())

    async def adopt(self, standing: Callable[[], Iterable[Standing]]) -> None:
        """Let the messages of before the start tick."""
        try:
            for message in await in_db(lambda: list(standing())):
                self.set(message.chat_id, message.message_id, message.redraw, message.language)
        except Exception as error:  # noqa: BLE001 - a countdown that stands still is no reason to die
            log.warning("standing_not_read", extra=errors.facts(error) | {"bot": self.name})

    async def run(self) -> None:
        """Redraw until cancelled."""
        while True:
            await asyncio.sleep(ROUND)
            late = time.monotonic() - PERIOD
            due = sorted((tick.drawn, key) for key, tick in self.ticking.items() if tick.drawn <= late)
            for _drawn, key in due[:AT_ONCE]:
                await self._tick(*key)

    async def _tick(self, chat_id: int, message_id: int) -> None:
        lock = self.chat(chat_id)
        if lock.locked() or not self.limits.has_room(chat_id):
            return
        async with lock:
            if (tick := self.ticking.get((chat_id, message_id))) is None:
                return
            tick.drawn = time.monotonic()
            try:
                await self._draw(chat_id, message_id, tick)
            except Exception as error:  # noqa: BLE001 - one bad screen must not stop the others
                self.ticking.pop((chat_id, message_id), None)
                log.warning("tick_failed", extra=errors.facts(error) | {"bot": self.name})

    def _look(self, chat_id: int, tick: Ticking) -> tuple[Screen, bool] | None:
        if self.elsewhere and self.elsewhere(chat_id, tick.since):
            return None
        return tick.redraw()

    async def _draw(self, chat_id: int, message_id: int, tick: Ticking) -> None:
        with translation.override(tick.language):
            drawn = await in_db(partial(self._look, chat_id, tick))
        if drawn is None:
            self.ticking.pop((chat_id, message_id), None)
            return
        screen, goes_on = drawn
        if not goes_on:
            self.ticking.pop((chat_id, message_id), None)
        self.limits.take(chat_id)
        try:
            await self.bot(screen.put(chat_id, message_id), request_timeout=TIMEOUT)
        except TelegramRetryAfter as error:
            self.limits.chat(chat_id).pause(time.monotonic() + error.retry_after)
        except AiogramError as error:
            if not (wire.is_unchanged(error) or wire.is_passing(error)):
                self.ticking.pop((chat_id, message_id), None)
