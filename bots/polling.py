"""Long polling of our own: an update is acknowledged after it was handled, so a crash loses none.

aiogram's loop acknowledges first, and swallows 409 (a second copy of the bot) for ever.
"""

from __future__ import annotations

import asyncio
import logging
import random

from aiogram import Bot, Dispatcher
from aiogram.exceptions import AiogramError, TelegramConflictError, TelegramRetryAfter, TelegramUnauthorizedError
from aiogram.methods import GetUpdates
from aiogram.types import Update

from bots import errors

log = logging.getLogger(__name__)
KINDS = ["message", "callback_query", "my_chat_member"]
#: seconds Telegram holds the request open
LONG = 25
#: while an update is being handled, how long until new ones are looked for
SHORT = 0.25
AT_ONCE = 32
LONGEST_PAUSE = 30.0
FATAL = (TelegramConflictError, TelegramUnauthorizedError)


class Ledger:
    """Which updates are in hand, and up to where Telegram may forget them."""

    def __init__(self) -> None:
        self.open: set[int] = set()
        self.done: set[int] = set()
        self.next_id = 0

    @property
    def offset(self) -> int | None:
        """The first update that is not handled yet; None before the first one."""
        return min(self.open) if self.open else self.next_id or None

    def take(self, updates: list[Update]) -> list[Update]:
        """Those of `updates` that are new; they are in hand from now on."""
        known = self.open | self.done
        fresh = [update for update in updates if update.update_id not in known]
        self.open.update(update.update_id for update in fresh)
        self.next_id = max([self.next_id, *(update.update_id + 1 for update in fresh)])
        return fresh

    def close(self, update_id: int) -> None:
        """The update was handled."""
        self.open.discard(update_id)
        self.done.add(update_id)
        first = self.offset or 0
        self.done = {number for number in self.done if number >= first}


class Poller:
    """Fetches updates and feeds them: in order within a chat, chats side by side, at most AT_ONCE."""

    def __init__(self, bot: Bot, dispatcher: Dispatcher, *, name: str) -> None:
        self.bot, self.dispatcher, self.name = bot, dispatcher, name
        self.ledger = Ledger()
        self.stopping = False
        self.failures = 0
        self._last: dict[int, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._idle = asyncio.Event()
        self._waiting: asyncio.Timeout | None = None

    def stop(self) -> None:
        """Finish the updates in hand, fetch no more."""
        self.stopping = True
        if self._waiting:
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Until `stop()`. Raises TelegramConflictError or TelegramUnauthorizedError after the updates in hand."""
        fatal: AiogramError | None = None
        async with asyncio.TaskGroup() as group:
            while not (self.stopping or fatal):
                try:
                    for update in self.ledger.take(await self._fetch()):
                        self._start(group, update)
                    await self._settle_down()
                except FATAL as error:
                    fatal = error
        if fatal:
            raise fatal
        await self._acknowledge()

    async def _fetch(self) -> list[Update]:
        timeout = 0 if self.ledger.open else LONG
        method = GetUpdates(offset=self.ledger.offset, timeout=timeout, limit=100, allowed_updates=KINDS)
        try:
            async with asyncio.timeout(None) as self._waiting:
                updates = await self.bot(method, request_timeout=timeout + 10)
            self.failures = 0
            return updates
        except TimeoutError:  # stop() ended the wait
            return []
        except FATAL:
            raise
        except AiogramError as error:
            await self._pause(error)
            return []
        finally:
            self._waiting = None

    async def _pause(self, error: AiogramError) -> None:
        """The network or Telegram is down: wait longer each time, never in step with others."""
        if self.stopping:
            return
        self.failures += 1
        wait = min(LONGEST_PAUSE, 0.5 * 2 ** min(self.failures, 8)) * random.uniform(0.5, 1)
        if isinstance(error, TelegramRetryAfter):
            wait = max(wait, error.retry_after)
        log.warning("polling_failed", extra={"bot": self.name, "error": type(error).__name__, "pause": round(wait, 1)})
        try:
            async with asyncio.timeout(wait) as self._waiting:
                await asyncio.Event().wait()
        except TimeoutError:
            return

    async def _settle_down(self) -> None:
        """Wait until all is handled, but not long: one slow person must not stop the others."""
        if self.ledger.open:
            self._idle.clear()
            try:
                async with asyncio.timeout(SHORT):
                    await self._idle.wait()
            except TimeoutError:
                return

    def _start(self, group: asyncio.TaskGroup, update: Update) -> None:
        chat = chat_of(update)
        task = group.create_task(self._handle(update, self._last.get(chat)))
        self._last[chat] = task
        task.add_done_callback(lambda done: self._last.pop(chat) if self._last.get(chat) is done else None)

    async def _handle(self, update: Update, before: asyncio.Task[None] | None) -> None:
        if before:
            await asyncio.wait([before])
        async with self._slots:
            try:
                await self.dispatcher.feed_update(self.bot, update)
            except Exception as error:  # noqa: BLE001 - one bad update must not end the bot
                await errors.crashed(error, bot=self.name)
        self.ledger.close(update.update_id)
        if not self.ledger.open:
            self._idle.set()

    async def _acknowledge(self) -> None:
        """Tell Telegram what was handled, so that the next start does not get it again."""
        method = GetUpdates(offset=self.ledger.offset, timeout=0, limit=1, allowed_updates=KINDS)
        try:
            await self.bot(method, request_timeout=5)
        except AiogramError as error:
            log.info("last_updates_not_acknowledged", extra={"error": type(error).__name__})


def chat_of(update: Update) -> int:
    """Whose turn it is: updates of one chat are handled one after another; 0 for kinds nobody asked for."""
    if update.callback_query:
        return update.callback_query.from_user.id
    event = update.message or update.my_chat_member
    return event.chat.id if event else 0
