"""The environment, read once and checked: a wrong value stops the start with one sentence naming the variable."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import time
from decimal import Decimal, InvalidOperation
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured

from fieldservice.lib.clock import parse_clock

T = TypeVar("T")
LINE = re.compile(r"(?:export )?[A-Za-z_0-9]+=")
TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
POSTGRES = {"postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg", "pgsql"}
SECRETS = ("TOKEN", "SECRET", "KEY", "URL", "DSN", "PASSWORD")


def load(path: Path) -> None:
    """Read a `.env` file if there is one; variables that are already set win."""
    if not path.is_file():
        return
    try:
        content = path.read_text("utf-8-sig")  # Windows editors put a mark before the first name
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{path.name}: not a UTF-8 text file.") from None
    lines = [line.strip() for line in content.splitlines()]
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#") and not LINE.match(line):
            raise ImproperlyConfigured(f"{path.name}: line {number} is not valid; expected NAME=value.")
    environ.Env.read_env(StringIO("\n".join(lines)), overwrite=False)


def read(name: str, default: T, convert: Callable[[str], T], expected: str) -> T:
    """The variable `name` through `convert`; `default` when unset or empty. Raises ImproperlyConfigured."""
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    try:
        return convert(raw)
    except (ValueError, KeyError, InvalidOperation):
        shown = "its value" if name.endswith(SECRETS) else repr(raw)
        # from None: a traceback prints causes, too, and the cause quotes the value
        raise ImproperlyConfigured(f"{name}: {shown} is not valid; expected {expected}.") from None


def text(name: str, default: str = "") -> str:
    """Any text."""
    return read(name, default, str, "text")


def flag(name: str, default: bool = False) -> bool:
    """Yes or no."""
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    return read(name, default, lambda raw: words[raw.lower()], "true or false")


def integer(name: str, default: int, low: int, high: int) -> int:
    """A whole number between `low` and `high`, both included."""

    def convert(raw: str) -> int:
        value = int(raw)
        if not low <= value <= high:
            raise ValueError(raw)
        return value

    return read(name, default, convert, f"a whole number from {low} to {high}")


def money(name: str, default: str) -> Decimal:
    """Roubles, up to two decimal places, not negative."""

    def convert(raw: str) -> Decimal:
        value = Decimal(raw)
        if value != value.quantize(Decimal("0.01")) or not 0 <= value < 10**8:
            raise ValueError(raw)
        return value

    return read(name, Decimal(default), convert, "an amount like 2500 or 2500.00")


def clock(name: str, default: str) -> time:
    """A local time of day, HH:MM."""
    return read(name, parse_clock(default), parse_clock, "a time like 10:00")


def words(name: str, default: str = "") -> list[str]:
    """A list separated by commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def chat(name: str) -> int | None:
    """A Telegram chat id (channels start with -100) or None."""
    return read(name, None, int, "a chat id like -1001234567890")


def ids(name: str) -> list[int]:
    """Telegram ids separated by commas; JSON brackets are allowed, as in older files."""

    def convert(raw: str) -> list[int]:
        return [int(part) for part in raw.strip("[]").split(",") if part.strip()]

    return read(name, [], convert, "numbers separated by commas, like 111111111,222222222")


def token(name: str) -> str:
    """A bot token, `<digits>:<letters>`, or an empty string."""

    def convert(raw: str) -> str:
        if not TOKEN.fullmatch(raw):
            raise ValueError(raw)
        return raw

    return read(name, "", convert, "a bot token like <digits>:<letters>, as BotFather gives it")


def webhook_secret(name: str) -> str:
    """What Telegram sends with every update: its own alphabet, and long enough not to be guessed; or nothing."""

    def convert(raw: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", raw):
            raise ValueError(raw)
        return raw

    return read(name, "", convert, "16 to 256 letters, digits, _ and -")


def zone(name: str, default: str) -> str:
    """An IANA time zone name."""

    def convert(raw: str) -> str:
        try:
            return ZoneInfo(raw).key
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError(raw) from error

    return read(name, default, convert, "an IANA time zone like Europe/Moscow")


def url(name: str, default: str, *schemes: str) -> str:
    """An address with one of the given schemes."""

    def convert(raw: str) -> str:
        parts = urlsplit(raw)
        # asking for the port checks it; a socket has a path instead of a host
        if parts.scheme not in schemes or not (parts.hostname or parts.path) or (parts.port or 1) < 1:
            raise ValueError(raw)
        if parts.scheme in {"http", "https"} and not parts.hostname:
            raise ValueError(raw)
        return raw

    return read(name, default, convert, "an address that starts with " + " or ".join(f"{s}://" for s in schemes))


def choice(name: str, default: str, *options: str) -> str:
    """One of `options`."""

    def convert(raw: str) -> str:
        if raw not in options:
            raise ValueError(raw)
        return raw

    return read(name, default, convert, "one of " + ", ".join(options))


def database(default: Callable[[], dict[str, Any]], name: str = "DATABASE_URL") -> dict[str, Any]:
    """Django's DATABASES entry from the variable `name`, else what `default` gives."""

    def convert(raw: str) -> dict[str, Any]:
        scheme, found, rest = raw.partition("://")
        if not found or scheme not in POSTGRES:
            raise ValueError(raw)
        entry: dict[str, Any] = environ.Env.db_url_config(f"postgres://{rest}")
        if not entry["NAME"]:
            raise ValueError(raw)
        options = entry.get("OPTIONS", {})
        if "ssl" in options:  # what asyncpg calls sslmode; the words are the same
            options["sslmode"] = options.pop("ssl")
        return entry | {"ENGINE": "django.db.backends.postgresql"}

    return read(name, {}, convert, "postgres://user:password@host/name") or default()
