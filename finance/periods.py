"""Periods of reports: local days, both ends included, from a preset or as people type them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fieldservice.lib.clean import clean
from fieldservice.lib.errors import InvalidError

PRESETS = {
    "today": gettext_lazy("Today"),
    "yesterday": gettext_lazy("Yesterday"),
    "week": gettext_lazy("Last 7 days"),
    "month": gettext_lazy("This month"),
    "last_month": gettext_lazy("Last month"),
}
DASHED, DOTTED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{4}")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Days `first` … `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise InvalidError({"date_to": _("The period ends before it begins.")})
        if not 2000 <= self.first.year <= self.last.year <= 2100:
            raise InvalidError({"date_from": _("A year from 2000 to 2100 is expected.")})

    def bounds(self, tz: ZoneInfo) -> tuple[datetime, datetime]:
        """[from, until): midnight of the first day in `tz`, midnight after the last."""
        return midnight(self.first, tz), midnight(self.last + DAY, tz)

    def __str__(self) -> str:
        return f"{self.first:%d.%m.%Y}" + ("" if self.first == self.last else f" – {self.last:%d.%m.%Y}")


def midnight(day: date, tz: ZoneInfo) -> datetime:
    """When the day begins there; where clocks skip midnight, the first moment after it."""
    return datetime.combine(day, time(), tzinfo=tz)


def preset(name: str, *, today: date) -> Period:
    """The period of a preset as seen on the day `today`. Raises InvalidError for an unknown one."""
    first = today.replace(day=1)
    spans = {
        "today": (today, today),
        "yesterday": (today - DAY, today - DAY),
        "week": (today - 6 * DAY, today),
        "month": (first, today),
        "last_month": ((first - DAY).replace(day=1), first - DAY),
    }
    if name not in spans:
        raise InvalidError({"period": _("There is no such period.")})
    return Period(*spans[name])


def parse(text: str) -> Period:
    """`2025-10-01 2025-10-31` or `01.10.2025 31.10.2025`; one date is one day. Raises InvalidError with an example."""
    words = clean(text).replace("—", " ").replace("–", " ").split()
    for shape, style in ((DASHED, "%Y-%m-%d"), (DOTTED, "%d.%m.%Y")):
        if words and len(words) <= 2 and all(shape.fullmatch(word) for word in words):
            try:
                days = [datetime.strptime(word, style).date() for word in words]  # noqa: DTZ007 - a day, no moment
            except ValueError:
                break
            return Period(days[0], days[-1])
    raise InvalidError({"period": _("Two dates are expected, for example 01.10.2025 31.10.2025.")})
