"""Delivers the outbox of one bot, inside its process: claim → re-read and render → send → settle (spec §11)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from aiogram import Bot
from django.db import Error as DatabaseError
from django.utils import timezone

from bots import errors
from bots.db import in_db
from bots.delivery import events as events  # registers how every event looks
from bots.delivery import settle
from bots.delivery.bundle import bundle
from bots.delivery.limits import Limits
from bots.delivery.listen import Listener
from bots.delivery.render import Parcel, prepare
from bots.delivery.send import DeliveryError, edit, send, send_document
from bots.live import Live
from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Notification

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
SWEEP = 1.0
#: rows in hand at once: enough to keep 30/s going while some calls hang
AT_ONCE = 64
#: a chat whose limit is used up for longer than this gives its place to others
PATIENCE = 1.0
#: pauses between attempts to write down what happened; together less than the lease
PATIENTLY = (0.1, 0.3, 1, 3, 6, 12, 24, 0)
#: Telegram said "too many" this often in a row, for whatever chat: the whole token is meant
FLOODS = 3
Rows = Sequence[Notification]
Chat = tuple[int | None, int | None, int | None]


class Pump:
    """One bot's delivery. `run()` until `stop()`; rows in hand are finished or released."""

    def __init__(self, bot: Bot, name: str, limits: Limits | None = None, live: Live | None = None) -> None:
        self.bot, self.name, self.live = bot, name, live
        self.limits = limits or Limits()
        self.stopping = False
        self._wake = asyncio.Event()
        self._in_hand: set[int] = set()
        self._chats: defaultdict[Chat, asyncio.Lock] = defaultdict(asyncio.Lock)
        #: the lanes of what a chat has in hand
        self._behind: defaultdict[Chat, list[int]] = defaultdict(list)
        self._held: dict[int, datetime] = {}
        self._floods = 0
        #: the last claim filled every place: there may be more rows due
        self._more = False

    def stop(self) -> None:
        """Claim no more."""
        self.stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Deliver until stopped."""
        loop = asyncio.get_running_loop()
        listener = Listener(outbox.CHANNEL.format(bot=self.name), partial(loop.call_soon_threadsafe, self._wake.set))
        listener.start()
        try:
            async with asyncio.TaskGroup() as group:
                while not self.stopping:
                    await self._round(group)
        finally:
            await asyncio.to_thread(listener.stop)

    async def _round(self, group: asyncio.TaskGroup) -> None:
        self._wake.clear()
        room = AT_ONCE - len(self._in_hand)
        rows = await self._claim(room) if room > 0 else []
        # a row in hand for longer than its lease is claimed again: it is ours already
        for post in bundle([row for row in rows if row.pk not in self._in_hand]):
            self._in_hand.update(row.pk for row in post)
            group.create_task(self._deliver(post))
        self._more = len(rows) >= room
        if room == 0 or not self._more:
            try:
                async with asyncio.timeout(SWEEP):
                    await self._wake.wait()
            except TimeoutError:
                return

    async def _claim(self, room: int) -> list[Notification]:
        try:
            return await in_db(outbox.claim, bot=self.name, limit=room, lease=LEASE, now=timezone.now())
        except DatabaseError as error:
            log.warning("claim_failed", extra={"bot": self.name, "error": type(error).__name__})
            return []

    async def _deliver(self, rows: Rows) -> None:
        """One message. Rows for one chat go one after another: an edit never overtakes what it edits."""
        try:
            async with self._in_line(rows[0]):
                if self.stopping:
                    await self._write(outbox.release, rows)
                else:
                    await self._attempt(rows)
        except DatabaseError as error:  # nothing was sent: once the lease is over the rows are claimed again
            log.warning("delivery_interrupted", extra={"bot": self.name, "error": type(error).__name__})
        except Exception as error:  # noqa: BLE001 - one bad row must not stop the others
            await errors.crashed(error, bot=self.name)
            await self._write(settle.crashed, rows, type(error).__name__, timezone.now())
        finally:
            self._in_hand.difference_update(row.pk for row in rows)
            if self._more:
                self._wake.set()

    @asynccontextmanager
    async def _in_line(self, row: Notification) -> AsyncIterator[None]:
        """One after another within a chat. Whoever an urgent row waits for becomes urgent, too."""
        chat = _chat(row)
        self._behind[chat].append(row.lane)
        self.limits.hurry(row.lane, chat)
        try:
            async with self._lock(chat):
                yield
        finally:
            self._behind[chat].remove(row.lane)
            if not self._behind[chat]:
                del self._behind[chat]

    def _lock(self, chat: Chat) -> asyncio.Lock:
        if len(self._chats) > 10 * AT_ONCE:
            self._chats = defaultdict(asyncio.Lock, {key: lock for key, lock in self._chats.items() if lock.locked()})
        return self._chats[chat]

    async def _attempt(self, rows: Rows) -> None:
        ready = await in_db(prepare, rows, timezone.now())
        for row, nothing in ready.skipped:
            await self._write(settle.skipped, row, nothing, timezone.now())
        await self._write(outbox.release, ready.left)
        if ready.parcel:
            await self._in_turn(ready.rows, ready.parcel)

    async def _in_turn(self, rows: Rows, parcel: Parcel) -> None:
        """Send within the limits; a chat that is full for long is left for later."""
        window = self.limits.chat(parcel.chat_id)
        if (wait := window.wait(time.monotonic())) > PATIENCE:
            await self._write(settle.postponed, rows, self._hold(parcel.chat_id, wait))
            return
        await asyncio.sleep(wait)
        chat = _chat(rows[0])
        await self.limits.turn(min(self._behind[chat]), chat)
        window.take(time.monotonic())
        await self._go(rows, parcel)

    def _hold(self, chat_id: int, wait: float) -> datetime:
        """When rows of a full chat are due again: all at one moment, so that they keep their order."""
        now = timezone.now()
        if (until := self._held.get(chat_id)) is None or until <= now:
            self._held = {chat: at for chat, at in self._held.items() if at > now}
            until = self._held[chat_id] = now + timedelta(seconds=wait)
        return until

    async def _go(self, rows: Rows, parcel: Parcel) -> None:
        try:
            message_id = await self._call(parcel)
        except DeliveryError as error:
            await self._refused(rows, parcel, error)
            return
        self._floods = 0
        first = parcel.message_id is None
        await self._write(settle.sent, rows, parcel.chat_id, message_id, timezone.now(), first=first)
        if self.live and first and parcel.live:
            self.live.set(parcel.chat_id, message_id, parcel.live, parcel.language)

    async def _call(self, parcel: Parcel) -> int:
        if parcel.document:
            return await send_document(self.bot, parcel.screen, parcel.document, chat_id=parcel.chat_id)
        if parcel.message_id is None:
            return await send(self.bot, parcel.screen, chat_id=parcel.chat_id)
        await edit(self.bot, parcel.screen, chat_id=parcel.chat_id, message_id=parcel.message_id)
        return parcel.message_id

    async def _refused(self, rows: Rows, parcel: Parcel, error: DeliveryError) -> None:
        if error.moved_to is not None:
            await self._write(settle.moved, rows, error.moved_to, timezone.now())
            return
        if error.permanent:
            log.warning("message_failed", extra={"bot": self.name, "event": rows[0].event, "error": str(error)})
            await self._write(settle.failed, rows, str(error), timezone.now(), deaf=error.deaf)
            return
        if error.retry_after is not None:
            self._flooded(parcel.chat_id, error.retry_after)
        await self._write(settle.later, rows, str(error), timezone.now(), wait=error.retry_after)

    def _flooded(self, chat_id: int, seconds: float) -> None:
        """Obey `retry_after`: for the chat, and for the whole token when every chat is refused."""
        until = time.monotonic() + seconds
        self.limits.chat(chat_id).pause(until)
        self._floods += 1
        if self._floods >= FLOODS:
            self.limits.token.pause(until)

    async def _write(self, function: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        """Write down what happened, patiently: a row that was sent but not settled would be sent again."""
        for pause in PATIENTLY:
            try:
                await in_db(function, *args, **kwargs)
                return
            except DatabaseError as error:
                log.warning("settle_failed", extra={"bot": self.name, "error": type(error).__name__})
                await asyncio.sleep(pause)


def _chat(row: Notification) -> Chat:
    """Whom the row is for, before anybody knows the number of the chat."""
    return row.master_id, row.staff_id, row.chat_id
