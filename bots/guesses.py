"""Codes cannot be guessed: wrong ones are counted by person, for an hour."""

from __future__ import annotations

import logging

from django.core.cache import cache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
TRIES, WINDOW = 10, 3600


def may_try(tg_user_id: int) -> bool:
    """Whether this person may name another code."""
    try:
        return (cache.get(_key(tg_user_id)) or 0) < TRIES
    except (RedisError, OSError):
        return True  # dialogs are away with it, so nobody can try much


def failed(tg_user_id: int) -> None:
    """A code was wrong."""
    try:
        if not cache.add(_key(tg_user_id), 1, timeout=WINDOW):
            cache.incr(_key(tg_user_id))
    except (RedisError, OSError, ValueError) as error:
        log.info("tries_not_counted", extra={"error": type(error).__name__})


def _key(tg_user_id: int) -> str:
    return f"bots:codes:{tg_user_id}"
