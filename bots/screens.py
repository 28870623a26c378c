"""A screen: text and buttons. Built whole by sync functions, shown by editing one message in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiogram import Bot
from aiogram.methods import EditMessageText, SendMessage
from aiogram.types import (
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
)
from django.utils.html import escape

from bots import text as texts
from bots import wire

PAGE = 5
COPY_LIMIT = 256


@dataclass(frozen=True, slots=True)
class Button:
    """One of: `data` (packed by `callbacks.to`), `url`, `copy` (puts the value on the clipboard)."""

    text: str
    data: str = ""
    url: str = ""
    copy: str = ""

    def __post_init__(self) -> None:
        if not self.text.strip() or not (self.data or self.url or self.copy):
            raise ValueError(f"a button needs a caption and something to do: {self!r}")

    def wire(self) -> InlineKeyboardButton:
        """Telegram's form."""
        if self.data:
            return InlineKeyboardButton(text=self.text, callback_data=self.data)
        if self.url:
            return InlineKeyboardButton(text=self.text, url=self.url)
        return InlineKeyboardButton(text=self.text, copy_text=CopyTextButton(text=self.copy[:COPY_LIMIT]))


@dataclass(frozen=True, slots=True)
class Key:
    """A button of the keyboard under the chat: it sends its text, the own `phone` or the `place` one is at."""

    text: str
    shares: str = ""

    def wire(self) -> KeyboardButton:
        """Telegram's form."""
        return KeyboardButton(
            text=self.text,
            request_contact=True if self.shares == "phone" else None,
            request_location=True if self.shares == "place" else None,
        )


Rows = Sequence[Sequence[Button]]


@dataclass(frozen=True, slots=True)
class Screen:
    """Text (HTML, already escaped) and rows of buttons, or else `keys`, one a row: Telegram shows only one of them."""

    text: str
    rows: tuple[tuple[Button, ...], ...] = ()
    keys: tuple[Key, ...] = ()

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("a screen needs a text")
        if self.keys and self.rows:
            raise ValueError("a screen has buttons or keys")

    def markup(self) -> InlineKeyboardMarkup | None:
        """Telegram's form of the buttons."""
        rows = [[button.wire() for button in row] for row in self.rows if row]
        return InlineKeyboardMarkup(inline_keyboard=rows) if rows else None

    def keyboard(self) -> ReplyKeyboardMarkup | None:
        """Telegram's form of the keys."""
        if not self.keys:
            return None
        rows = [[key.wire()] for key in self.keys]
        return ReplyKeyboardMarkup(keyboard=rows, resize_keyboard=True, one_time_keyboard=True)

    def under(self, notice: str) -> Screen:
        """The same screen below a sentence (plain text)."""
        return replace(self, text=f"{escape(notice)}\n\n{self.text}") if notice else self


def page(template: str, rows: Iterable[Iterable[Button]] = (), /, **context: Any) -> Screen:
    """A screen from `templates/bots/<template>`."""
    return Screen(texts.render(f"bots/{template}", context), tuple(tuple(row) for row in rows))


async def show(bot: Bot, screen: Screen, *, chat_id: int, message_id: int | None = None) -> int:
    """Put the screen into the message, or send a new one when that cannot be; returns the message's id.

    An unchanged message is left alone: a double tap changes nothing.
    """
    body, markup = texts.shorten(screen.text), screen.markup()
    if message_id is not None and not screen.keys:  # keys come with a new message only
        edit = EditMessageText(chat_id=chat_id, message_id=message_id, text=body, reply_markup=markup)
        if await wire.edit(bot, edit):
            return message_id
    sent = await wire.patient(bot, SendMessage(chat_id=chat_id, text=body, reply_markup=screen.keyboard() or markup))
    return sent.message_id
