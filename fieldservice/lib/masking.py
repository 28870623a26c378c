"""Hides personal data in anything that is logged: phones, cards, bot tokens."""

from __future__ import annotations

import re

PHONE = re.compile(r"(?<![\d.])(\+?[78])[\s\-(]{0,2}(\d{3})[\s\-)]{0,2}(\d{3})[\s\-]?(\d{2})[\s\-]?(\d{2})(?!\d)")
CARD = re.compile(r"(?<!\d)(?:\d[ -]?){12,15}(\d{4})(?!\d)")
TOKEN = re.compile(r"\b\d{5,}:[A-Za-z0-9_-]{20,}")


def mask_phone(phone: str | None) -> str:
    """`+79991234567` → `+7 *** ***-45-67`; empty for None."""
    digits = re.sub(r"\D", "", phone or "")
    return f"+{digits[0]} *** ***-{digits[-4:-2]}-{digits[-2:]}" if len(digits) >= 10 else "***" if digits else ""


def mask_card(number: str | None) -> str:
    """Last four digits only."""
    digits = re.sub(r"\D", "", number or "")
    return f"**** {digits[-4:]}" if len(digits) >= 4 else ""


def mask(text: str) -> str:
    """`text` with phones, card numbers and bot tokens hidden."""
    text = TOKEN.sub("<token>", text)
    text = PHONE.sub(lambda m: f"{m[1]}*** ***-{m[4]}-{m[5]}", text)
    return CARD.sub(r"**** \1", text)
