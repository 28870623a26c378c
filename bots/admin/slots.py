"""A day and hours as people type them: `завтра 10-13`, `25.11 10–13`, `2026-11-25 10:00-13:00`."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date

from django.utils.translation import gettext as _

from fieldservice.lib.errors import InvalidError

TYPED = re.compile(
    r"(?P<day>\w+|\d{1,2}\.\d{1,2}(?:\.\d{4})?|\d{4}-\d{2}-\d{2})[\s:,]+"
    r"(?:c |с )?(?P<start>\d{1,2})(?::00)?\s*(?:-|–|—|to|до)\s*(?P<end>\d{1,2})(?::00)?"
)
DAYS = {"today": "today", "сегодня": "today", "tomorrow": "tomorrow", "завтра": "tomorrow"}


def name_of(text: str, *, today: date) -> str:
    """The name `parse_choice` reads; a date without a year is the nearest one. Raises InvalidError with an example."""
    typed = " ".join(text.lower().split())
    match = TYPED.fullmatch(typed)
    day = match and (DAYS.get(match["day"]) or _date(match["day"], today))
    if match is None or not day:
        raise InvalidError(_("Type the day and the hours, please: tomorrow 10-13, or 25.11 10-13."))
    return f"{day}:{match['start']}-{match['end']}"


def _date(text: str, today: date) -> str:
    try:
        if "-" in text:
            return date.fromisoformat(text).isoformat()
        day, month, *year = map(int, text.split("."))
        return date(year[0], month, day).isoformat() if year else _nearest(day, month, today)
    except ValueError:
        return ""


def _nearest(day: int, month: int, today: date) -> str:
    """In December 05.01 is next year's; three days ago is three days ago, not a year ahead."""
    found = []
    for year in (today.year - 1, today.year, today.year + 1):
        with suppress(ValueError):  # 29.02
            found.append(date(year, month, day))
    return min(found, key=lambda one: abs(one - today)).isoformat() if found else ""
