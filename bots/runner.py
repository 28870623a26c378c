"""A bot's process: polling, delivery, heartbeat; leaves in order on SIGTERM, for good on 409."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramConflictError, TelegramUnauthorizedError
from aiogram.fsm.storage.base import BaseStorage
from aiogram.methods import DeleteWebhook, GetMe, SetMyCommands
from aiogram.types import BotCommand
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from bots import fsm, heartbeat, names, wire
from bots.bot import Spec, connect
from bots.db import in_db, workers
from bots.delivery.limits import Limits
from bots.delivery.pump import Pump
from bots.handlers import dispatcher
from bots.live import Live
from bots.polling import Poller
from fieldservice.watch import alerts

log = logging.getLogger(__name__)
#: supervisors have RestartPreventExitStatus=78 (EX_CONFIG): a second copy must not come back
CONFLICT, MISCONFIGURED = 78, 2


def main(spec: Spec) -> None:
    """Run the bot until it is told to stop; leaves the process with an exit code."""
    sys.exit(asyncio.run(run(spec, started=_on_signals)))


def _on_signals(stop: Callable[[], None]) -> None:
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop)


async def run(spec: Spec, *, started: Callable[[Callable[[], None]], None]) -> int:
    """The bot, in the running loop; returns the exit code. `started` is handed the function that stops it."""
    if not spec.token():
        print(f"{spec.variable}: not set; expected the token BotFather gave for the {spec.name} bot.", file=sys.stderr)  # noqa: T201
        return MISCONFIGURED
    bot, storage = connect(spec.token()), fsm.storage()
    with workers():
        try:
            return await _serve(spec, bot, storage, started)
        finally:
            await storage.close()
            await bot.session.close()


async def _serve(spec: Spec, bot: Bot, storage: BaseStorage, started: Callable[[Callable[[], None]], None]) -> int:
    limits = Limits()
    live = Live(bot, limits, name=spec.name)
    pump, poller = Pump(bot, spec.name, limits, live), Poller(bot, dispatcher(spec, storage, live), name=spec.name)
    async with asyncio.TaskGroup() as group:
        works = (heartbeat.run(spec.process), _introduce(spec, bot), live.run(spec.standing))
        side = [group.create_task(work) for work in works]
        delivery = group.create_task(pump.run())
        started(poller.stop)
        log.info("bot_started", extra={"bot": spec.name})
        code = await _poll(spec, poller)
        for task in side:
            task.cancel()
        pump.stop()
        await delivery
    log.info("bot_stopped", extra={"bot": spec.name, "code": code})
    return code


async def _poll(spec: Spec, poller: Poller) -> int:
    try:
        await poller.run()
        return 0
    except TelegramConflictError:
        log.critical("bot_conflict", extra={"bot": spec.name})
        with suppress(DatabaseError):
            await in_db(_tell_conflict, spec.name)
        return CONFLICT
    except TelegramUnauthorizedError:
        print(f"{spec.variable}: Telegram does not know this token; get a new one from BotFather.", file=sys.stderr)  # noqa: T201
        return MISCONFIGURED


def _tell_conflict(name: str) -> None:
    with translation.override(settings.LANGUAGE_CODE):
        text = _("A second copy of the %(bot)s bot was started (HTTP 409). This one has stopped.") % {"bot": name}
    alerts.announce(text, dedup_key=f"conflict:{name}:{timezone.now():%Y%m%d%H%M}")


async def _introduce(spec: Spec, bot: Bot) -> None:
    """Polling instead of a webhook; the bot's name; the list of commands in every language. Not worth dying for."""
    try:
        await wire.patient(bot, DeleteWebhook())
        me = await wire.patient(bot, GetMe())
        await in_db(names.remember, spec.name, me.username or "")
        for code in (None, *(code for code, _name in settings.LANGUAGES)):
            commands = _commands(spec, code or settings.LANGUAGE_CODE)
            await wire.patient(bot, SetMyCommands(commands=commands, language_code=code))
    except AiogramError as error:
        log.warning("introduction_failed", extra={"bot": spec.name, "error": type(error).__name__})


def _commands(spec: Spec, language: str) -> list[BotCommand]:
    with translation.override(language):
        return [BotCommand(command=name, description=str(text)) for name, text in spec.commands.items()]
