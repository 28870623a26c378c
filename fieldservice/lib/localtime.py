"""UTC inside, the city's zone at the edges: zones, and how slots and moments are shown (spec §5)."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

NEAR = {0: gettext_lazy("today"), 1: gettext_lazy("tomorrow"), -1: gettext_lazy("yesterday")}


@lru_cache(maxsize=256)
def zone(name: str | None) -> ZoneInfo:
    """The zone called `name`; the TIMEZONE setting when it is empty or unknown."""
    try:
        return ZoneInfo(name or settings.TIMEZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(settings.TIMEZONE)


def is_zone(name: str) -> bool:
    """Whether there is an IANA zone called so."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def format_day(moment: datetime, *, tz: ZoneInfo, now: datetime) -> str:
    """`today`, `tomorrow`, `yesterday` or `DD.MM` (`DD.MM.YYYY` in another year), in the zone `tz`."""
    day, today = moment.astimezone(tz).date(), now.astimezone(tz).date()
    if near := NEAR.get((day - today).days):
        return str(near)
    return day.strftime("%d.%m" if day.year == today.year else "%d.%m.%Y")


def format_moment(moment: datetime | None, *, tz: ZoneInfo, now: datetime) -> str:
    """`today 13:05`; a dash for None."""
    if moment is None:
        return "—"
    return f"{format_day(moment, tz=tz, now=now)} {moment.astimezone(tz):%H:%M}"


def format_timeslot_local(start: datetime | None, end: datetime | None, *, tz: ZoneInfo, now: datetime) -> str:
    """`today 13:00–16:00`, or with a date; `as soon as possible` without a slot. The times are those of `tz`."""
    if start is None or end is None:
        return _("as soon as possible")
    if start.astimezone(tz).date() == end.astimezone(tz).date():
        return f"{format_moment(start, tz=tz, now=now)}–{end.astimezone(tz):%H:%M}"
    return f"{format_moment(start, tz=tz, now=now)} – {format_moment(end, tz=tz, now=now)}"
