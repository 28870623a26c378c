"""What makes one bot: its name, scope, who may use it, its home screen and commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.types import User
from django.conf import settings

from bots.session import JsonSession
from bots.visit import Person, Reply, Visit


@dataclass(frozen=True, slots=True)
class Spec:
    """One bot. The functions are sync and run in a database thread."""

    #: `master` or `admin`: the outbox, the log and the heartbeat know the bot by it
    name: str
    #: the first word of its addresses
    scope: str
    token: Callable[[], str]
    #: the variable that holds the token
    variable: str
    #: who this is; raises ForbiddenError with a sentence for strangers. The second argument: the text of a message
    identify: Callable[[User, str], Person]
    #: raises ForbiddenError when the person may not do what a route or a step `needs`
    check: Callable[[Visit, str], None]
    #: /start, /menu, /cancel and everything that leads nowhere else
    home: Callable[[Visit], Reply]
    help: Callable[[Visit], Reply]
    #: command → what it does (lazily translated)
    commands: dict[str, Any]
    #: the person blocked the bot (True) or came back (False)
    reachable: Callable[[int, bool], None]
    #: messages of before the start that tick
    standing: Callable[[], list[Any]] = list

    @property
    def process(self) -> str:
        """The process's name in heartbeats: `master_bot`."""
        return f"{self.name}_bot"


def connect(token: str) -> Bot:
    """A client of the Bot API at TELEGRAM_API_URL. It belongs to the running event loop."""
    session = JsonSession(api=TelegramAPIServer.from_base(settings.TELEGRAM_API_URL))
    look = DefaultBotProperties(parse_mode=ParseMode.HTML, link_preview_is_disabled=True)
    return Bot(token, session=session, default=look)
