"""The door: an outer middleware that lets nobody in by default."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware, Bot
from aiogram.exceptions import AiogramError
from aiogram.methods import SendMessage
from aiogram.types import Chat, TelegramObject, Update, User
from django.utils import translation

from bots import errors, language, wire
from bots.bot import Spec
from bots.db import in_db
from bots.throttle import Throttle
from bots.visit import Person
from fieldservice.lib.errors import DomainError

log = logging.getLogger(__name__)
Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class Door(BaseMiddleware):
    """Private chats only, throttled; the person is looked up anew at every update, in their own language."""

    def __init__(self, spec: Spec, throttle: Throttle | None = None) -> None:
        self.spec, self.throttle = spec, throttle or Throttle()

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        assert isinstance(event, Update)
        user: User | None = data.get("event_from_user")
        chat: Chat | None = data.get("event_chat")
        if user is None or user.is_bot or chat is None or chat.type != "private" or not self.throttle.allows(user.id):
            return None
        code = language.choose(user.language_code)
        with translation.override(code):
            try:
                if not event.my_chat_member:
                    text = event.message.text or "" if event.message else ""
                    data["person"] = await in_db(self._look_up, user, text)
                return await handler(event, data)
            except DomainError as error:
                await _tell(data["bot"], event, user, str(error))
            except Exception as error:  # noqa: BLE001 - a broken database or Redis must not be silence
                reply = await errors.crashed(error, bot=self.spec.name)
                await _tell(data["bot"], event, user, reply.toast)
        return None

    def _look_up(self, user: User, text: str) -> Person:
        person = self.spec.identify(user, text)
        language.remember(user.id, person.language)
        return person


async def _tell(bot: Bot, event: Update, user: User, sentence: str) -> None:
    if event.callback_query:
        await wire.answer(bot, event.callback_query.id, text=sentence[: errors.ALERT_LIMIT], show_alert=True)
        return
    try:
        await wire.patient(bot, SendMessage(chat_id=user.id, text=sentence, parse_mode=None))
    except AiogramError as error:
        log.info("stranger_not_told", extra={"error": type(error).__name__})
