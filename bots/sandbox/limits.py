"""The sending limits of the real server, off by default: per bot, per chat, per group."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from .errors import too_many_requests

MAX_CHATS = 20_000


@dataclass
class RateLimits:
    """Sliding windows. None switches a limit off.

    `per_bot`: messages a second over all chats; `per_chat`: seconds between messages of one chat after a burst of
    `chat_burst`; `per_group`: messages a minute in a group or channel. The peaks seen are kept either way.
    """

    per_bot: int | None = None
    per_chat: float | None = None
    per_group: int | None = None
    chat_burst: int = 3
    sent: dict[int, deque[float]] = field(default_factory=dict)
    chats: OrderedDict[tuple[int, int], deque[float]] = field(default_factory=OrderedDict)
    peaks: dict[str, int] = field(default_factory=dict)

    @classmethod
    def real(cls) -> RateLimits:
        """30/s per bot, 1/s per chat with a small burst, 20/min per group."""
        return cls(per_bot=30, per_chat=1.0, per_group=20)

    def check(self, bot_id: int, chat_id: int, messages: int = 1) -> None:
        """Count a send of `messages`. Raises 429 with the seconds to wait; a refused send is not counted."""
        now = time.monotonic()
        sent = self.sent.setdefault(bot_id, deque(maxlen=1000))
        chat = self._chat(bot_id, chat_id)
        wait = max(
            _wait(sent, now, 1.0, self.per_bot, messages),
            _wait(chat, now, 60.0, self.per_group if chat_id < 0 else None, messages),
            self._chat_wait(chat, now),
        )
        if wait > 0:
            raise too_many_requests(max(1, math.ceil(wait)))
        sent.extend([now] * messages)
        chat.extend([now] * messages)
        self._peak("per_bot_second", sum(1 for at in sent if now - at < 1))
        self._peak("per_chat_second", sum(1 for at in chat if now - at < 1))
        if chat_id < 0:
            self._peak("per_group_minute", sum(1 for at in chat if now - at < 60))

    def forget(self) -> None:
        """Start counting anew."""
        self.sent.clear()
        self.chats.clear()
        self.peaks.clear()

    def _chat(self, bot_id: int, chat_id: int) -> deque[float]:
        chat = self.chats.setdefault((bot_id, chat_id), deque(maxlen=60))
        if len(self.chats) > MAX_CHATS:
            self.chats.popitem(last=False)
        return chat

    def _chat_wait(self, chat: deque[float], now: float) -> float:
        """A chat takes a burst, then one message per `per_chat` seconds."""
        if self.per_chat is None:
            return 0.0
        return _wait(chat, now, self.per_chat * self.chat_burst, self.chat_burst, 1)

    def _peak(self, name: str, value: int) -> None:
        self.peaks[name] = max(self.peaks.get(name, 0), value)


def _wait(times: deque[float], now: float, window: float, limit: int | None, more: int) -> float:
    """Seconds until `more` messages fit into the window; 0 when they fit now (or are the first ones)."""
    if limit is None:
        return 0.0
    recent = [at for at in times if now - at < window]
    excess = len(recent) + more - limit
    if excess <= 0 or not recent:
        return 0.0
    return window - (now - recent[min(excess, len(recent)) - 1])
