"""The calls behind every screen, as plain JSON. aiogram's objects check each button when it is made and take it apart
again when it is sent: a tenth of an update's work. What carries files is still sent by aiogram's methods.
"""

from __future__ import annotations

from typing import Any, ClassVar

from aiogram.methods import TelegramMethod
from pydantic import BaseModel

JSON = dict[str, Any]
#: of every text; see also `bots.bot.connect`, for what aiogram sends
LOOK = {"parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}
NO_KEYBOARD: JSON = {"remove_keyboard": True}


class Call(TelegramMethod[Any]):
    """A method of the Bot API and its arguments, ready to be sent. The answer is kept as it is: nobody reads it."""

    __returning__: ClassVar[Any] = Any

    name: str
    body: JSON

    @property
    def __api_method__(self) -> str:  # type: ignore[override]
        """Where it goes."""
        return self.name


class Sent(BaseModel):
    """What matters of a message that was sent."""

    message_id: int


class Send(Call):
    """A call that makes a message."""

    __returning__ = Sent


def send(chat_id: int, text: str, markup: JSON | None = None) -> Send:
    """A new message. `text`: HTML, short enough; answered by Sent."""
    return Send(name="sendMessage", body=_with({"chat_id": chat_id, "text": text, **LOOK}, markup))


def edit(chat_id: int, message_id: int, text: str, markup: JSON | None = None) -> Call:
    """Another text, other buttons (or none) for a message."""
    body = {"chat_id": chat_id, "message_id": message_id, "text": text, **LOOK}
    return Call(name="editMessageText", body=_with(body, markup))


def strip(chat_id: int, message_id: int) -> Call:
    """Take a message's buttons away."""
    return Call(name="editMessageReplyMarkup", body={"chat_id": chat_id, "message_id": message_id})


def answer(query_id: str, text: str = "", *, alert: bool = False) -> Call:
    """Stop the spinner of a tapped button; `text` (plain) is a line that goes away, with `alert` a window."""
    body: JSON = {"callback_query_id": query_id}
    return Call(name="answerCallbackQuery", body=body | ({"text": text, "show_alert": alert} if text else {}))


def _with(body: JSON, markup: JSON | None) -> JSON:
    return body | {"reply_markup": markup} if markup else body
