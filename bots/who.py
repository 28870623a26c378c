"""The door: nobody gets in by default."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware, Bot
from aiogram.exceptions import AiogramError
from aiogram.types import Chat, TelegramObject, Update, User
from django.utils import translation
from django.utils.html import escape

from bots import calls, errors, language, wire
from bots.bot import Spec
from bots.throttle import Throttle
from bots.visit import Person

log = logging.getLogger(__name__)
Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class Door(BaseMiddleware):
    """The outer middleware: people in private chats only, throttled, each in their own language.

    Who they are is found out by `enter`, in the database job of the handler: one job an update.
    """

    def __init__(self, spec: Spec, throttle: Throttle | None = None) -> None:
        self.spec, self.throttle = spec, throttle or Throttle()

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        assert isinstance(event, Update)
        user: User | None = data.get("event_from_user")
        chat: Chat | None = data.get("event_chat")
        if user is None or user.is_bot or chat is None or chat.type != "private" or not self.throttle.allows(user.id):
            return None
        with translation.override(language.choose(user.language_code)):
            try:
                return await handler(event, data)
            except Exception as error:  # noqa: BLE001 - a Redis that is away must not be silence
                reply = await errors.crashed(error, bot=self.spec.name)
                await _tell(data["bot"], event, user, reply.toast)
        return None


def enter(spec: Spec, user: User, text: str = "") -> Person:
    """The person behind an update, looked up anew every time. Raises ForbiddenError for strangers. Sync."""
    person = spec.identify(user, text)
    language.remember(user.id, person.language)
    return person


async def _tell(bot: Bot, event: Update, user: User, sentence: str) -> None:
    if event.callback_query:
        await wire.answer(bot, event.callback_query.id, sentence[: errors.ALERT_LIMIT], alert=True)
        return
    try:
        await wire.patient(bot, calls.send(user.id, escape(sentence)))
    except AiogramError as error:
        log.info("person_not_told", extra={"error": type(error).__name__})
