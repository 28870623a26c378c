"""The wire: one message to Telegram; its errors say permanent or not."""

from __future__ import annotations

from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.methods import SendDocument
from aiogram.types import BufferedInputFile, InlineKeyboardMarkup

from bots import text, wire
from bots.calls import Sent
from bots.media import Enclosure
from bots.screens import Screen

TIMEOUT = 15
#: seconds for a file
UPLOAD = 120
CAPTION = 1024


class DeliveryError(Exception):
    """The message did not go.

    `permanent`: trying again is useless. `deaf`: nobody is there (blocked, deleted, never started).
    `retry_after`: seconds Telegram asks for. `moved_to`: the group's new chat id.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        deaf: bool = False,
        retry_after: float | None = None,
        moved_to: int | None = None,
    ) -> None:
        super().__init__(message)
        self.permanent, self.deaf, self.retry_after, self.moved_to = permanent, deaf, retry_after, moved_to


async def send(bot: Bot, screen: Screen, *, chat_id: int) -> int:
    """Send a new message; returns its id. Raises DeliveryError."""
    try:
        sent: Sent = await bot(screen.sent(chat_id), request_timeout=TIMEOUT)
        return sent.message_id
    except AiogramError as error:
        raise translate(error) from error


async def send_document(bot: Bot, screen: Screen, file: Enclosure, *, chat_id: int) -> int:
    """Send a file of ours with the screen below it; returns the id. Raises DeliveryError."""
    method = SendDocument(
        chat_id=chat_id, document=BufferedInputFile(file.content, file.name),
        caption=text.shorten(screen.text, CAPTION),
        reply_markup=InlineKeyboardMarkup.model_validate(markup) if (markup := screen.markup()) else None,
    )  # fmt: skip
    try:
        return (await bot(method, request_timeout=UPLOAD)).message_id
    except AiogramError as error:
        raise translate(error) from error


async def edit(bot: Bot, screen: Screen, *, chat_id: int, message_id: int) -> None:
    """Edit a message. One that shows this already, or is no more, counts as edited. Raises DeliveryError."""
    try:
        await bot(screen.put(chat_id, message_id), request_timeout=TIMEOUT)
    except AiogramError as error:
        if not (wire.is_unchanged(error) or wire.is_gone(error)):
            raise translate(error) from error


def translate(error: AiogramError) -> DeliveryError:
    """aiogram's error in the terms of delivery. The text is safe to store: it holds no message and no token."""
    what = f"{type(error).__name__}: {getattr(error, 'message', '')}"[:300]
    if isinstance(error, TelegramRetryAfter):
        return DeliveryError(what, retry_after=error.retry_after)
    if isinstance(error, TelegramMigrateToChat):
        return DeliveryError(what, permanent=True, moved_to=error.migrate_to_chat_id)
    # the token or the address is wrong, not the message: it goes when they are right again
    if wire.is_passing(error) or isinstance(error, TelegramUnauthorizedError | TelegramNotFound):
        return DeliveryError(type(error).__name__)
    return DeliveryError(what, permanent=True, deaf=wire.is_deaf(error))
