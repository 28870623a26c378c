"""Telegram as a bot knows it: chats with messages and buttons, its rules kept, its moods on request; it reads along."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiogram import Bot
from aiogram.client.default import Default
from aiogram.client.session.base import BaseSession
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import (
    AnswerCallbackQuery,
    EditMessageReplyMarkup,
    EditMessageText,
    GetFile,
    SendDocument,
    SendMediaGroup,
    SendMessage,
    SendPhoto,
)
from aiogram.types import Chat as TelegramChat
from aiogram.types import File, Message, PhotoSize

from bots.calls import Call
from bots.sandbox.errors import ApiError
from bots.sandbox.keyboards import check_markup
from bots.sandbox.markup import parse_html, utf16

OLD = 60
TEXT, CAPTION, TOAST = 4096, 1024, 200
METHODS = {method.__api_method__: method for method in (
    AnswerCallbackQuery, EditMessageReplyMarkup, EditMessageText, SendMessage,
)}  # fmt: skip


@dataclass
class Phone:
    """One person's chat with a bot."""

    #: message → its buttons
    messages: dict[int, list[str]] = field(default_factory=dict)
    #: buttons that were there once
    old: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=OLD))
    keys: list[str] = field(default_factory=list)
    #: the text that was shown last
    text: str = ""
    #: what came last, for a report
    last: deque[str] = field(default_factory=lambda: deque(maxlen=6))
    count: int = 0


class Telegram(BaseSession):
    """`read` is given every word that reaches a person. `moody`: the share of calls that go wrong."""

    def __init__(self, dice: random.Random, read: Callable[[int, str], Awaitable[None]]) -> None:
        super().__init__()
        self.dice, self.read, self.moody = dice, read, 0.0
        self.phones: dict[int, Phone] = {}
        self.answers: Counter[str] = Counter()
        #: what the real server would not have taken
        self.refused: list[str] = []
        self.number = 0

    def phone(self, chat_id: int) -> Phone:
        return self.phones.setdefault(chat_id, Phone())

    async def close(self) -> None:
        return

    async def stream_content(self, *args: Any, **kwargs: Any) -> AsyncGenerator[bytes, None]:
        yield b"\xff\xd8\xff"

    async def make_request(self, bot: Bot, method: Any, timeout: int | None = None) -> Any:
        await asyncio.sleep(0)
        if isinstance(method, Call):  # aiogram knows which arguments and buttons there are
            method = METHODS[method.name].model_validate(method.body, extra="forbid")
        if self.dice.random() < self.moody:
            self._fail(method)
        if isinstance(method, AnswerCallbackQuery):
            return await self._answered(method)
        if isinstance(method, GetFile):
            return File(file_id=method.file_id, file_unique_id="x", file_path="x")
        if isinstance(method, EditMessageText | EditMessageReplyMarkup):
            return await self._edited(bot, method)
        return await self._sent(bot, method)

    def _fail(self, method: Any) -> None:
        """What goes wrong in service."""
        gone = isinstance(method, EditMessageText | EditMessageReplyMarkup)
        errors: list[Exception] = [
            TelegramRetryAfter(method, "Too Many Requests", 0),
            TelegramServerError(method, "Bad Gateway"),
            TelegramNetworkError(method, "timeout"),
            TelegramForbiddenError(method, "Forbidden: bot was blocked by the user"),
        ]
        if gone:
            errors += [TelegramBadRequest(method, f"Bad Request: {words}") for words in (
                "message to edit not found", "message is not modified", "message can't be edited",
            )]  # fmt: skip
        raise self.dice.choice(errors)

    async def _answered(self, method: AnswerCallbackQuery) -> bool:
        self.answers[method.callback_query_id] += 1
        if utf16(method.text or "") > TOAST:
            self._refuse(method, "MESSAGE_TOO_LONG")
        person = int(method.callback_query_id.partition(":")[0])
        await self.read(person, method.text or "")
        return True

    async def _edited(self, bot: Bot, method: Any) -> bool:
        phone = self.phone(int(method.chat_id))
        if method.message_id not in phone.messages:
            raise TelegramBadRequest(method, "Bad Request: message to edit not found")
        if isinstance(method, EditMessageText):
            await self._body(bot, method, method.text, TEXT)
        self._show(phone, method.message_id, method)
        return True

    async def _sent(self, bot: Bot, method: Any) -> Any:
        self.number += 1
        phone = self.phone(int(method.chat_id))
        if isinstance(method, SendMediaGroup):
            for item in method.media:
                await self._body(bot, method, item.caption or "", CAPTION, item.parse_mode)
            return [self._message(method) for _item in method.media]
        if isinstance(method, SendMessage):
            await self._body(bot, method, method.text, TEXT)
        elif isinstance(method, SendPhoto | SendDocument):
            await self._body(bot, method, method.caption or "", CAPTION)
        else:
            self._refuse(method, "unheard of")
        self._show(phone, self.number, method)
        return self._message(method)

    async def _body(self, bot: Bot, method: Any, text: str, limit: int, parse_mode: Any = None) -> None:
        """Telegram's rules of texts and keyboards; every word of it is read."""
        mode = parse_mode or getattr(method, "parse_mode", None)
        mode = bot.default[mode.name] if isinstance(mode, Default) else mode
        markup = getattr(method, "reply_markup", None)
        plain = markup.model_dump(exclude_none=True) if markup else None
        try:
            visible = parse_html(text)[0] if mode else text
            check_markup(plain)
        except ApiError as error:
            self._refuse(method, str(error))
        if utf16(visible) > limit or (limit == TEXT and not visible.strip()):
            self._refuse(method, "message is too long or empty")
        await self.read(int(method.chat_id), f"{visible}\n{plain or ''}")

    def _show(self, phone: Phone, message_id: int, method: Any) -> None:
        markup = getattr(method, "reply_markup", None)
        rows = getattr(markup, "inline_keyboard", None) or []
        buttons = [button.callback_data for row in rows for button in row if button.callback_data]
        phone.messages[message_id] = buttons
        phone.old.extend((message_id, data) for data in buttons)
        keyboard = getattr(markup, "keyboard", None)
        if keyboard is not None or getattr(markup, "remove_keyboard", None):
            phone.keys = [key.text for row in keyboard or [] for key in row]
        phone.count += 1
        phone.text = getattr(method, "text", None) or phone.text
        phone.last.append(f"bot: {(getattr(method, 'text', None) or type(method).__name__)[:120]!r}")

    def _refuse(self, method: Any, why: str) -> None:
        self.refused.append(f"{why}: {type(method).__name__} {str(method)[:600]}")
        raise TelegramBadRequest(method, f"Bad Request: {why}")

    def _message(self, method: Any) -> Message:
        photo = [PhotoSize(file_id=f"s{self.number}", file_unique_id="x", width=1, height=1)]
        return Message(
            message_id=self.number, date=datetime.now(UTC), photo=photo,
            chat=TelegramChat(id=int(method.chat_id), type="private"),
        )  # fmt: skip
