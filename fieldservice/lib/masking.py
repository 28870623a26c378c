"""Hides personal data and secrets in anything that is logged: phones, cards, bot tokens, passwords in addresses."""

from __future__ import annotations

import re

PHONE = re.compile(r"(?<![\d.])(\+?[78])[\s\-(]{0,2}(\d{3})[\s\-)]{0,2}(\d{3})[\s\-]?(\d{2})[\s\-]?(\d{2})(?!\d)")
# Sixteen digits are a card, whatever their check digit: people mistype. They begin with 2–6, which microseconds since
# 1970 do not. Longer runs are more often an identifier of Telegram's: there the check digit decides.
CARD = re.compile(r"(?<![\d.])(?:[2-6]\d{3}(?:[ -]?\d{4}){2}[ -]?(\d{4})|\d{4}(?:[ -]?\d{4}){3}[ -]?(\d{1,3}))(?!\d)")
# no \b before the digits: in an address the token follows the letters «bot»
TOKEN = re.compile(r"(?<!\d)\d{5,}:[A-Za-z0-9_-]{20,}")
# what PostgreSQL adds to an error quotes whole rows («Failing row contains (…)») and statements with their values; in a
# log the line's end may be written as \\n. It goes on to the end, or to the next exception of a traceback.
QUOTED = re.compile(
    r"(?:\n|\\n)(?:DETAIL|CONTEXT|QUERY|LINE \d+): .*?(?=(?:\n|\\n){2}(?:The above exception|During handling)|\Z)",
    re.DOTALL,
)
WRONG = re.compile(r"(invalid input (?:syntax|value) for [^:\n]{1,60}: )(?:(?!\\n)[^\n])*")
PASSWORD = re.compile(r"(?<=://)[^\s/\"']+@")


def mask_phone(phone: str | None) -> str:
    """`+79991234567` → `+7 *** ***-45-67`; empty for None."""
    digits = re.sub(r"\D", "", phone or "")
    return f"+7 *** ***-{digits[-4:-2]}-{digits[-2:]}" if len(digits) >= 10 else "***" if digits else ""


def mask_card(number: str | None) -> str:
    """Last four digits only."""
    digits = re.sub(r"\D", "", number or "")
    return f"**** {digits[-4:]}" if len(digits) >= 4 else ""


def mask(text: str) -> str:
    """`text` with phones, card numbers, bot tokens and passwords hidden."""
    text = PASSWORD.sub("***@", text)
    text = TOKEN.sub("<token>", text)
    text = PHONE.sub(lambda m: f"{m[1]}*** ***-{m[4]}-{m[5]}", text)
    return CARD.sub(_card, text)


def unquote(text: str) -> str:
    """The text of an error without the rows and statements that PostgreSQL quotes in it."""
    return WRONG.sub(r"\1…", QUOTED.sub("", text))


def is_luhn(number: str) -> bool:
    """Whether the last digit is the check digit of the others, as on every bank card."""
    digits = [int(digit) for digit in reversed(number)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


def _card(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    return mask_card(digits) if len(digits) == 16 or is_luhn(digits) else match[0]
