"""Languages: a person's own when it is one of ours, else LANGUAGE_CODE; remembered for messages sent unasked."""

from __future__ import annotations

import logging
import time

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
KEY = "bots:language:{}"
#: seconds after which a language is written again: the cache may have been emptied
REFRESH = 600
PEOPLE = 10_000
_written: dict[int, tuple[str, float]] = {}


def choose(code: str | None) -> str:
    """`ru` or `en` from Telegram's language code."""
    word = (code or "").lower().partition("-")[0]
    return word if word in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def remember(tg_user_id: int, language: str) -> None:
    """Keep a person's language; not written again for a while."""
    known, at = _written.get(tg_user_id, ("", 0.0))
    if known == language and time.monotonic() - at < REFRESH:
        return
    if len(_written) >= PEOPLE:
        _written.clear()
    try:
        cache.set(KEY.format(tg_user_id), language, timeout=None)
    except (RedisError, OSError) as error:  # a convenience: nobody is turned away for it
        log.warning("language_not_kept", extra={"error": type(error).__name__})
        return
    _written[tg_user_id] = language, time.monotonic()


def known(tg_user_id: int) -> str:
    """The language of a person we write to."""
    try:
        return cache.get(KEY.format(tg_user_id)) or settings.LANGUAGE_CODE
    except (RedisError, OSError) as error:
        log.warning("language_not_known", extra={"error": type(error).__name__})
        return settings.LANGUAGE_CODE
