"""A screen: text and buttons. Built whole by sync functions, shown by editing one message in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiogram import Bot
from django.utils.html import escape

from bots import calls, wire
from bots import text as texts
from bots.calls import JSON, Call, Send, Sent

PAGE = 5
COPY_LIMIT = 256
#: what a key sends besides its text
SHARED: dict[str, JSON] = {"phone": {"request_contact": True}, "place": {"request_location": True}}


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

    def wire(self) -> JSON:
        """Telegram's form."""
        if self.data:
            return {"text": self.text, "callback_data": self.data}
        if self.url:
            return {"text": self.text, "url": self.url}
        return {"text": self.text, "copy_text": {"text": self.copy[:COPY_LIMIT]}}


@dataclass(frozen=True, slots=True)
class Key:
    """A button of the keyboard under the chat: it sends its text, the own `phone` or the `place` one is at."""

    text: str
    shares: str = ""

    def wire(self) -> JSON:
        """Telegram's form."""
        return {"text": self.text} | SHARED.get(self.shares, {})


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

    def markup(self) -> JSON | None:
        """Telegram's form of the buttons or the keys."""
        if self.keys:
            rows = [[key.wire()] for key in self.keys]
            return {"keyboard": rows, "resize_keyboard": True, "one_time_keyboard": True}
        rows = [[button.wire() for button in row] for row in self.rows if row]
        return {"inline_keyboard": rows} if rows else None

    def sent(self, chat_id: int) -> Send:
        """The call that sends it as a new message."""
        return calls.send(chat_id, texts.shorten(self.text), self.markup())

    def put(self, chat_id: int, message_id: int) -> Call:
        """The call that shows it in a message that is there. Keys come with a new message only."""
        return calls.edit(chat_id, message_id, texts.shorten(self.text), self.markup())

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
    if message_id is not None and not screen.keys and await wire.edit(bot, screen.put(chat_id, message_id)):
        return message_id
    sent: Sent = await wire.patient(bot, screen.sent(chat_id))
    return sent.message_id
