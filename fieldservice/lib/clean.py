"""Text from outside, made fit to store."""

from __future__ import annotations

from django.utils.translation import gettext as _

from fieldservice.lib.errors import InvalidError


def clean(text: str) -> str:
    """`text`, trimmed, without what PostgreSQL cannot hold: NUL and lone surrogates (both are legal JSON)."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8").strip()


def read_number(text: object, most: int = 2**31 - 1) -> int | None:
    """The digits of `text` as a number up to `most` (what the database's integers hold); None for anything else.

    For addresses and hidden fields: anybody may write anything there.
    """
    word = str(text)
    if not (word.isascii() and word.isdecimal() and len(word) <= 10):
        return None
    value = int(word)
    return value if value <= most else None


def shorten(text: str, length: int = 60) -> str:
    """`text` for quoting inside a sentence."""
    text = clean(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def check_reason(reason: str) -> str:
    """The reason on one line, 3–200 characters. Raises InvalidError."""
    reason = " ".join(clean(reason).split())
    if not 3 <= len(reason) <= 200:
        raise InvalidError({"reason": _("Give a reason of 3 to 200 characters.")})
    return reason
