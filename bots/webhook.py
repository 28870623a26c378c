"""Updates by HTTP POST, for several replicas behind one address (`run_master_bot --webhook`).

Telegram hears 200 only when the update was handled; else it brings it again, to whichever replica. `Register` (rows in
PostgreSQL) knows what was handled, so that a repetition does nothing. Telegram itself keeps the order within a chat.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from aiogram import Bot, Dispatcher
from aiogram.exceptions import AiogramError, TelegramUnauthorizedError
from aiogram.methods import GetWebhookInfo, SetWebhook
from aiogram.types import Update
from aiohttp import web
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _
from pydantic import ValidationError

from bots import errors, wire
from bots.db import in_db
from bots.polling import KINDS, chat_of
from fieldservice.runtime import health
from fieldservice.runtime.updates import LEASE, Claim, Register
from fieldservice.watch import alerts

log = logging.getLogger(__name__)
SECRET = "X-Telegram-Bot-Api-Secret-Token"
#: handled side by side; the rest waits here, Telegram's own limit is MOST_CONNECTIONS
AT_ONCE, MOST_CONNECTIONS = 32, 50
#: seconds between two looks at an update that somebody else has in hand, and how long such a look goes on
LOOK, PATIENCE = 0.25, 40.0
#: seconds between two looks at what Telegram thinks of the webhook
CHECK = 60.0
#: seconds the updates in hand have after SIGTERM
FAREWELL = 30.0
#: bytes; the longest update is a message of 4096 characters with its entities
LARGEST = 1024 * 1024
PATIENTLY = (0.1, 0.3, 1, 3, 0)


class Taken(Exception):
    """Another installation has given Telegram its own address: there are two of this bot."""


class NoPort(Exception):
    """The replica cannot listen there."""


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a replica listens, and the address Telegram knows; the proxy leads from one to the other."""

    host: str
    port: int
    url: str
    secret: str

    @property
    def path(self) -> str:
        """The path of the public address: the proxy passes it on as it is."""
        return urlsplit(self.url).path


class Receiver:
    """One replica: takes updates, feeds them, answers. The counterpart of Poller."""

    def __init__(self, bot: Bot, dispatcher: Dispatcher, *, name: str, hook: Hook, register: Register) -> None:
        self.bot, self.dispatcher, self.name, self.hook, self.register = bot, dispatcher, name, hook, register
        self.stopping = False
        self._stopped = asyncio.Event()
        self._slots = asyncio.Semaphore(AT_ONCE)
        #: requests without the secret since the last line about them, and until when there is none
        self._refused, self._silent_until = 0, 0.0

    def stop(self) -> None:
        """Finish the updates in hand, take no more."""
        self.stopping = True
        self._stopped.set()

    async def run(self) -> None:
        """Until `stop()`. Raises NoPort, TelegramUnauthorizedError or Taken, after the updates in hand."""
        app = web.Application(client_max_size=LARGEST)
        app.add_routes([web.get("/healthz", _healthz), web.get("/readyz", self._readyz)])
        app.router.add_post(self.hook.path, self._receive)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=FAREWELL)
        await runner.setup()
        try:
            await self._listen(runner)
            await self._announce()
            while not self.stopping:
                await self._pause(CHECK)
                await self._look_after()
        finally:
            self.stopping = True
            await runner.cleanup()  # closes the door first, then waits for the updates in hand

    async def _listen(self, runner: web.AppRunner) -> None:
        try:
            await web.TCPSite(runner, self.hook.host, self.hook.port).start()
        except OSError as error:
            raise NoPort(error.strerror) from error
        facts = {"bot": self.name, "host": self.hook.host, "port": self.hook.port, "replica": self.register.holder}
        log.info("webhook_listens", extra=facts)

    # -- what Telegram knows ------------------------------------------------------------------------------------------

    async def _announce(self) -> None:
        """Tell Telegram the address, until it listens."""
        method = SetWebhook(
            url=self.hook.url,
            secret_token=self.hook.secret,
            allowed_updates=KINDS,
            max_connections=MOST_CONNECTIONS,
        )
        while not self.stopping:
            try:
                await wire.patient(self.bot, method)
                return
            except TelegramUnauthorizedError:
                raise
            except AiogramError as error:
                log.warning("webhook_not_set", extra={"bot": self.name, "error": wire.reason(error)})
                await self._pause(5)

    async def _look_after(self) -> None:
        """A webhook that was removed is set again; one of somebody else ends this replica, as a 409 ends polling."""
        if self.stopping:
            return
        with suppress(DatabaseError):
            await in_db(self.register.prune)
        try:
            known = await self.bot(GetWebhookInfo(), request_timeout=wire.TIMEOUT)
        except TelegramUnauthorizedError:
            raise
        except AiogramError as error:
            log.info("webhook_not_checked", extra={"bot": self.name, "error": type(error).__name__})
            return
        if known.url and known.url != self.hook.url:
            raise Taken
        if not known.url:
            log.warning("webhook_was_gone", extra={"bot": self.name})
            await self._announce()
        elif known.last_error_date and datetime.now(UTC).timestamp() - known.last_error_date.timestamp() < CHECK:
            log.warning("webhook_fails", extra={"bot": self.name, "error": known.last_error_message})
            await self._alert(known.last_error_message or "")

    async def _alert(self, error: str) -> None:
        with suppress(DatabaseError):
            await in_db(tell_failing, self.name, error, datetime.now(UTC))

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()

    # -- requests -----------------------------------------------------------------------------------------------------

    async def _readyz(self, request: web.Request) -> web.Response:
        parts = {name: "ok" if ok else "down" for name, ok in (await in_db(health.parts)).items()}
        if self.stopping:
            parts["bot"] = "stopping"
        fine = set(parts.values()) == {"ok"}
        return web.json_response(parts, status=200 if fine else 503)

    async def _receive(self, request: web.Request) -> web.Response:
        if not _is_telegram(request.headers.get(SECRET, ""), self.hook.secret):
            self._note_refused(request)
            return web.Response(status=403)
        try:
            raw = json.loads(await request.read())
            update_id = int(raw["update_id"])
        except (ValueError, KeyError, TypeError):
            return web.Response(status=400)
        try:
            update = Update.model_validate(raw, context={"bot": self.bot})
        except ValidationError as error:
            # newer than this program: brought again and again it would hold up what comes behind it
            log.error(
                "update_not_understood", extra={"bot": self.name, "update": update_id, "errors": len(error.errors())}
            )
            return web.Response()
        return web.Response(status=200 if await self._once(update) else 503)

    def _note_refused(self, request: web.Request) -> None:
        """Once a minute: a stranger must not be able to fill the log."""
        now = asyncio.get_running_loop().time()
        self._refused += 1
        if now >= self._silent_until:
            facts = {"bot": self.name, "peer": request.remote, "count": self._refused}
            log.warning("webhook_refused", extra=facts)
            self._silent_until, self._refused = now + CHECK, 0

    async def _once(self, update: Update) -> bool:
        """See to it that the update is handled, here or elsewhere; False: Telegram shall bring it again."""
        limit = asyncio.get_running_loop().time() + PATIENCE
        try:
            while True:
                chat = chat_of(update)
                claim = await in_db(self.register.claim, update_id=update.update_id, chat_id=chat)
                if claim is Claim.DONE:
                    return True
                if claim is Claim.MINE:
                    return await self._handle(update)
                if self.stopping or asyncio.get_running_loop().time() > limit:
                    return False
                await self._pause(LOOK)
        except DatabaseError as error:
            log.warning("update_not_claimed", extra={"bot": self.name, "error": type(error).__name__})
            return False

    async def _handle(self, update: Update) -> bool:
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(self._keep(update.update_id))
            async with self._slots:
                try:
                    await self.dispatcher.feed_update(self.bot, update)
                except Exception as error:  # noqa: BLE001 - one bad update must not come again for ever
                    await errors.crashed(error, bot=self.name)
            keeper.cancel()
        return await self._write_down(update.update_id)

    async def _keep(self, update_id: int) -> None:
        """While it is handled, nobody else takes it."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            with suppress(DatabaseError):
                await in_db(self.register.renew, update_id=update_id)

    async def _write_down(self, update_id: int) -> bool:
        for pause in PATIENTLY:
            try:
                await in_db(self.register.done, update_id=update_id)
                return True
            except DatabaseError as error:
                log.warning("update_not_settled", extra={"bot": self.name, "error": type(error).__name__})
                await asyncio.sleep(pause)
        return False


def tell_failing(name: str, error: str, now: datetime) -> None:
    """ALERTS hears once an hour that Telegram cannot deliver. Sync."""
    with translation.override(settings.LANGUAGE_CODE):
        text = _("Telegram cannot reach the webhook of the %(bot)s bot: %(error)s") % {"bot": name, "error": error}
    alerts.announce(text, dedup_key=f"webhook:{name}:{now:%Y%m%d%H}")


def _is_telegram(given: str, secret: str) -> bool:
    """In constant time. Headers may hold any byte; an empty secret opens nothing."""
    return bool(secret) and hmac.compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode())


async def _healthz(request: web.Request) -> web.Response:
    return web.Response(text="ok\n")
