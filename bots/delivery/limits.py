"""Telegram's sending limits, kept strictly: sliding windows per token, per chat, per group; urgent lanes first.

A leaky bucket with a burst lets burst + rate through in one window. Telegram counts what arrived, and the network
bunches messages up: so the token's messages are spaced evenly, too.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections import deque
from collections.abc import Hashable

#: messages in seconds
PER_TOKEN = (29, 1.0)
#: seconds between two messages of a token, and how much of a delay may be caught up
SPACING = 1 / 29
SLACK = SPACING
#: a timer that rings so much later than it should is no delay of Telegram's
LATE = SPACING / 2
#: one a second, three at once
PER_CHAT = (3, 3.0)
PER_GROUP = (20, 60.0)
CHATS = 5_000


class Window:
    """At most `limit` in any `seconds`."""

    __slots__ = ("paused", "seconds", "times")

    def __init__(self, limit: int, seconds: float) -> None:
        self.seconds = seconds
        self.times: deque[float] = deque(maxlen=limit)
        self.paused = 0.0

    def free(self) -> float:
        """When one more fits; may be long ago."""
        full = len(self.times) == self.times.maxlen
        return max(self.paused, self.times[0] + self.seconds if full else 0.0)

    def wait(self, now: float) -> float:
        """Seconds until one more fits; 0 when it fits now."""
        return max(self.free() - now, 0.0)

    def take(self, now: float) -> None:
        """One went."""
        self.times.append(now)

    def pause(self, until: float) -> None:
        """Nothing goes before `until`."""
        self.paused = max(self.paused, until)

    def is_idle(self, now: float) -> bool:
        """Nothing to remember any more."""
        return now > self.paused and (not self.times or now - self.times[-1] > self.seconds)


class Limits:
    """The limits of one token."""

    def __init__(self) -> None:
        self.token = Window(*PER_TOKEN)
        self.chats: dict[int, Window] = {}
        self._next = 0.0
        self._waiting: list[tuple[int, int, asyncio.Future[None], Hashable]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def chat(self, chat_id: int) -> Window:
        """The window of a chat; groups and channels have negative ids."""
        if len(self.chats) > CHATS:
            self._forget()
        return self.chats.setdefault(chat_id, Window(*(PER_GROUP if chat_id < 0 else PER_CHAT)))

    def has_room(self, chat_id: int) -> bool:
        """Whether a message that is not important could go at once, leaving half of the token's window to others."""
        now, limit = time.monotonic(), self.token.times.maxlen or 1
        recent = sum(at > now - self.token.seconds for at in self.token.times)
        return not self._waiting and recent < limit // 2 and self.token.wait(now) == self.chat(chat_id).wait(now) == 0

    def take(self, chat_id: int) -> None:
        """One goes now."""
        now = time.monotonic()
        self.token.take(now)
        self.chat(chat_id).take(now)

    async def turn(self, lane: int, chat: Hashable = None) -> None:
        """Wait for a place in the token's window; a lower lane goes first."""
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (lane, next(self._order), future, chat))
        self._let_go()
        await future

    def hurry(self, lane: int, chat: Hashable) -> None:
        """Something of `lane` waits behind what this chat has in the queue: that is as urgent now."""
        if any(place[3] == chat and place[0] > lane for place in self._waiting):
            self._waiting = [
                (min(old, lane) if whose == chat else old, order, future, whose)
                for old, order, future, whose in self._waiting
            ]
            heapq.heapify(self._waiting)

    def _let_go(self) -> None:
        while self._waiting:
            now = time.monotonic()
            free = max(self.token.free(), self._next)
            if free > now:
                self._set_timer(free - now)
                return
            _lane, _order, future, _chat = heapq.heappop(self._waiting)
            if not future.done():
                # who was woken a little late keeps his time: each second's delays would add to those of the one before
                self.token.take(free if now - free < LATE else now)
                self._next = max(free, now - SLACK) + SPACING
                future.set_result(None)

    def _set_timer(self, wait: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait, self._let_go)

    def _forget(self) -> None:
        now = time.monotonic()
        self.chats = {chat_id: window for chat_id, window in self.chats.items() if not window.is_idle(now)}
