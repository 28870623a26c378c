"""The bots' Telegram names, learned at start: what a deep link needs."""

from __future__ import annotations

import logging

from django.core.cache import cache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
KEY = "bots:username:{}"


def remember(bot: str, username: str) -> None:
    """Keep the user name of the bot called `bot` (`master`, `admin`)."""
    try:
        cache.set(KEY.format(bot), username, timeout=None)
    except (RedisError, OSError) as error:
        log.warning("username_not_kept", extra={"error": type(error).__name__})


def link(bot: str, payload: str) -> str:
    """`https://t.me/<bot>?start=<payload>`; empty while the bot has not started yet."""
    try:
        username = cache.get(KEY.format(bot))
    except (RedisError, OSError):
        username = None
    return f"https://t.me/{username}?start={payload}" if username else ""
