"""Calls to Telegram: what its errors mean, in one place; patience with the network."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TypeVar

from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import TelegramMethod

from bots import calls
from bots.calls import Call

log = logging.getLogger(__name__)
T = TypeVar("T")
TIMEOUT = 15
ATTEMPTS = 3
#: seconds: the first pause is up to three of these, the next up to nine
PAUSE = 0.3
LONGEST_WAIT = 10.0
#: the message cannot be edited (any more): gone, too old, or without a text
GONE = (
    "message to edit not found",
    "message can't be edited",
    "there is no text in the message",
    "message_id_invalid",
    "message identifier is not specified",
)
#: nobody will ever read a message sent there
DEAF = ("chat not found", "user is deactivated", "bot was blocked", "bot can't initiate", "user not found", "peer_id_")


def is_unchanged(error: BaseException) -> bool:
    """The message shows exactly this already: a double tap."""
    return isinstance(error, TelegramBadRequest) and "message is not modified" in str(error).lower()


def is_gone(error: BaseException) -> bool:
    """The message to edit is no more."""
    return isinstance(error, TelegramBadRequest) and any(word in str(error).lower() for word in GONE)


def is_deaf(error: BaseException) -> bool:
    """The person blocked the bot, deleted the account or never started it."""
    if isinstance(error, TelegramForbiddenError):
        return True
    return isinstance(error, TelegramBadRequest) and any(word in str(error).lower() for word in DEAF)


def is_passing(error: BaseException) -> bool:
    """Trouble that goes away by itself: the network, Telegram's servers, a proxy's error page."""
    return isinstance(error, TelegramServerError | TelegramNetworkError | ClientDecodeError | TelegramRetryAfter)


def reason(error: AiogramError) -> str:
    """Telegram's words for the log: they name neither message nor token."""
    return f"{type(error).__name__}: {getattr(error, 'message', '')}"[:300]


async def patient(bot: Bot, method: TelegramMethod[T]) -> T:
    """Make a call for a person who waits: a few attempts, short pauses. Raises the last error."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await bot(method, request_timeout=TIMEOUT)
        except AiogramError as error:
            wait = error.retry_after if isinstance(error, TelegramRetryAfter) else PAUSE * 3**attempt * random.random()
            if attempt == ATTEMPTS or wait > LONGEST_WAIT or not is_passing(error):
                raise
            await asyncio.sleep(wait)
    raise AssertionError  # unreachable: the loop returns or raises


async def edit(bot: Bot, call: Call) -> bool:
    """Edit a message; False when there is nothing to edit. An unchanged message is a success."""
    try:
        await patient(bot, call)
    except TelegramBadRequest as error:
        if is_gone(error):
            return False
        if not is_unchanged(error):
            raise
    return True


async def answer(bot: Bot, query_id: str, text: str = "", *, alert: bool = False) -> None:
    """Stop the spinner of a tapped button. Never fails: an old query or a lost network changes nothing."""
    try:
        await patient(bot, calls.answer(query_id, text, alert=alert))
    except AiogramError as error:
        log.info("callback_not_answered", extra={"error": type(error).__name__})
