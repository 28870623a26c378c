"""A bot's process: polling or webhook, delivery, heartbeat; leaves in order on SIGTERM, for good on 409."""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramConflictError, TelegramUnauthorizedError
from aiogram.fsm.storage.base import BaseStorage
from aiogram.methods import DeleteWebhook, GetMe, SetMyCommands, TelegramMethod
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
from bots.delivery.seat import Duty
from bots.handlers import dispatcher
from bots.live import Live
from bots.polling import Poller
from bots.webhook import Hook, NoPort, Receiver, Taken
from fieldservice.runtime.updates import Register
from fieldservice.watch import alerts

log = logging.getLogger(__name__)
#: supervisors have RestartPreventExitStatus=78 (EX_CONFIG): a second copy must not come back
CONFLICT, MISCONFIGURED = 78, 2


def main(spec: Spec, hook: Hook | None = None) -> None:
    """Run the bot until it is told to stop; leaves the process with an exit code. Without `hook` it polls."""
    sys.exit(asyncio.run(run(spec, started=_on_signals, hook=hook)))


def _on_signals(stop: Callable[[], None]) -> None:
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop)


async def run(spec: Spec, *, started: Callable[[Callable[[], None]], None], hook: Hook | None = None) -> int:
    """The bot, in the running loop; returns the exit code. `started` is handed the function that stops it."""
    if not spec.token():
        _say(f"{spec.variable}: not set; expected the token BotFather gave for the {spec.name} bot.")
        return MISCONFIGURED
    bot, storage = connect(spec.token()), fsm.storage()
    with workers():
        try:
            parts = _alone(spec, bot, storage) if hook is None else _replica(spec, bot, storage, hook)
            return await _serve(spec, parts, started)
        finally:
            await storage.close()
            await bot.session.close()


@dataclass(frozen=True, slots=True)
class Parts:
    """What a bot's process runs: where updates come from, who delivers, what goes on beside."""

    source: Poller | Receiver
    delivery: Pump | Duty
    beside: Sequence[Coroutine[Any, Any, None]]


def _alone(spec: Spec, bot: Bot, storage: BaseStorage) -> Parts:
    """The one process of the bot, which polls."""
    limits = Limits()
    live = Live(bot, limits, name=spec.name)
    poller = Poller(bot, dispatcher(spec, storage, live), name=spec.name)
    beside = (_introduce(spec, bot, DeleteWebhook()), live.adopt(spec.standing), live.run())
    return Parts(poller, Pump(bot, spec.name, limits, live), beside)


def _replica(spec: Spec, bot: Bot, storage: BaseStorage, hook: Hook) -> Parts:
    """One of several processes of the bot behind one address."""
    limits, register = Limits(), Register(bot=spec.name, holder=secrets.token_hex(8))
    live = Live(bot, limits, name=spec.name, elsewhere=register.is_elsewhere)
    receiver = Receiver(bot, dispatcher(spec, storage, live), name=spec.name, hook=hook, register=register)
    duty = Duty(spec.name, lambda: Pump(bot, spec.name, limits, live), lambda: live.adopt(spec.standing))
    return Parts(receiver, duty, (_introduce(spec, bot), live.run()))


async def _serve(spec: Spec, parts: Parts, started: Callable[[Callable[[], None]], None]) -> int:
    async with asyncio.TaskGroup() as group:
        side = [group.create_task(work) for work in (heartbeat.run(spec.process), *parts.beside)]
        delivery = group.create_task(parts.delivery.run())
        started(parts.source.stop)
        log.info("bot_started", extra={"bot": spec.name})
        code = await _receive(spec, parts.source)
        for task in side:
            task.cancel()
        parts.delivery.stop()
        await delivery
    log.info("bot_stopped", extra={"bot": spec.name, "code": code})
    return code


async def _receive(spec: Spec, source: Poller | Receiver) -> int:
    try:
        await source.run()
        return 0
    except (TelegramConflictError, Taken) as error:
        log.critical("bot_conflict", extra={"bot": spec.name})
        with suppress(DatabaseError):
            await in_db(_tell_taken if isinstance(error, Taken) else _tell_conflict, spec.name)
        return CONFLICT
    except TelegramUnauthorizedError:
        _say(f"{spec.variable}: Telegram does not know this token; get a new one from BotFather.")
        return MISCONFIGURED
    except NoPort as error:
        _say(f"--listen: the address cannot be used ({error}). Is another process there? Choose another port.")
        return MISCONFIGURED


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201


def _tell_conflict(name: str) -> None:
    with translation.override(settings.LANGUAGE_CODE):
        text = _("A second copy of the %(bot)s bot was started (HTTP 409). This one has stopped.") % {"bot": name}
    alerts.announce(text, dedup_key=f"conflict:{name}:{timezone.now():%Y%m%d%H%M}")


def _tell_taken(name: str) -> None:
    with translation.override(settings.LANGUAGE_CODE):
        text = _("The webhook of the %(bot)s bot leads to another address now. This replica has stopped.")
    alerts.announce(text % {"bot": name}, dedup_key=f"taken:{name}:{timezone.now():%Y%m%d%H%M}")


async def _introduce(spec: Spec, bot: Bot, first: TelegramMethod[bool] | None = None) -> None:
    """What comes `first`; the bot's name; the list of commands in every language. Not worth dying for."""
    try:
        if first:
            await wire.patient(bot, first)
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
