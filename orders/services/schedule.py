"""When an order is worked: the working window, slots, deferral. Pure: no database, no clock (spec §5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from fieldservice.lib.errors import InvalidError
from orders.enums import OrderStatus

BUCKETS = ((time(10), time(13)), (time(13), time(16)), (time(16), time(19)))
#: a week ahead, as far as a client plans: what the pages of the desk offer
DESK_DAYS = 7
CHOICE = re.compile(r"(?P<day>today|tomorrow|[0-9]{4}-[0-9]{2}-[0-9]{2}):(?P<start>[0-9]{1,2})-(?P<end>[0-9]{1,2})")
HORIZON = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Window:
    """Working hours in local time; from `late` on, ASAP means tomorrow."""

    start: time = time(10)
    end: time = time(20)
    late: time = time(19, 30)


@dataclass(frozen=True, slots=True)
class Slot:
    """A visit between two UTC moments."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """What a new order begins with. `look_at`: when the engine looks at it first."""

    status: OrderStatus
    slot: Slot | None
    look_at: datetime


class TooLateForToday(InvalidError):
    """ASAP after the threshold: `slot` is what to propose instead; with `confirm_late` it is taken."""

    def __init__(self, slot: Slot, tz: ZoneInfo) -> None:
        times = {"start": f"{slot.start.astimezone(tz):%H:%M}", "end": f"{slot.end.astimezone(tz):%H:%M}"}
        super().__init__(
            {
                "slot": _("It is too late for today. Confirm tomorrow %(start)s–%(end)s, or choose another slot.")
                % times
            },
            code="late",
        )
        self.slot = slot


def local(day: date, at: time, tz: ZoneInfo) -> datetime:
    """The moment `day` `at` in the zone `tz`, as UTC: two times of one zone would be compared by their clock faces."""
    return datetime.combine(day, at, tzinfo=tz).astimezone(UTC)


def buckets(window: Window) -> list[tuple[time, time]]:
    """The three slots of a day, as far as they lie inside the working window; the whole window where none does."""
    fitting = [(start, end) for start, end in BUCKETS if window.start <= start and end <= window.end]
    return fitting or [(window.start, window.end)]


def choices(*, now: datetime, tz: ZoneInfo, window: Window, days: int = 2) -> list[tuple[str, Slot | None]]:
    """What staff may pick now: `asap` (None) while the window is open, today's slots still ahead, all of the next days.

    Each with a name that `parse_choice` reads.
    """
    here = now.astimezone(tz)
    found: list[tuple[str, Slot | None]] = [("asap", None)] if here.time() < window.end else []
    for ahead in range(days):
        day = here.date() + timedelta(days=ahead)
        for start, end in buckets(window):
            slot = Slot(local(day, start, tz), local(day, end, tz))
            # whole hours have a name; a window from 10:30 has none
            if (start.minute, end.minute) == (0, 0) and (ahead or slot.start > now):
                found.append((named(slot, tz), slot))
    return found


def named(slot: Slot, tz: ZoneInfo) -> str:
    """`2026-11-25:10-13`, for `parse_choice`: what is picked now means the same day after midnight."""
    start = slot.start.astimezone(tz)
    return f"{start:%Y-%m-%d}:{start.hour}-{slot.end.astimezone(tz).hour}"


def parse_choice(text: str, *, now: datetime, tz: ZoneInfo, window: Window) -> Slot | None:
    """`asap` → None; `today:13-16`, `tomorrow:10-13`, `2026-11-25:16-19` → the slot.

    Raises InvalidError with a sentence for another form, a slot that is over, outside the window or too far ahead.
    """
    text = text.strip().lower()
    if text in {"", "asap"}:
        return None
    match = CHOICE.fullmatch(text)
    if match is None:
        raise InvalidError(
            {"slot": _("The slot must be asap, today:13-16, tomorrow:10-13 or a date like 2026-11-25:10-13.")}
        )
    slot = _slot_of(match, now.astimezone(tz).date(), tz)
    check_slot(slot, now=now, tz=tz, window=window)
    return slot


def check_slot(slot: Slot, *, now: datetime, tz: ZoneInfo, window: Window) -> None:
    """Raises InvalidError when the slot is empty, over, outside the working window or more than 60 days ahead."""
    start, end = slot.start.astimezone(tz), slot.end.astimezone(tz)
    if slot.start >= slot.end:
        raise InvalidError({"slot": _("The slot must begin before it ends.")})
    if slot.end <= now:
        raise InvalidError({"slot": _("This slot is over already; choose a later one.")})
    if slot.start > now + HORIZON:
        raise InvalidError({"slot": _("This slot is more than 60 days ahead; choose an earlier one.")})
    if start.date() != end.date() or start.time() < window.start or end.time() > window.end:
        raise InvalidError(
            {
                "slot": _("The slot must lie between %(start)s and %(end)s, local time.")
                % {"start": window.start.strftime("%H:%M"), "end": window.end.strftime("%H:%M")}
            }
        )


def plan(slot: Slot | None, *, now: datetime, tz: ZoneInfo, window: Window, confirm_late: bool = False) -> Plan:
    """How an order typed at `now` begins: searching, or deferred until its window opens.

    `slot` None means as soon as possible. Raises TooLateForToday for that from the threshold on, unless confirmed.
    """
    here = now.astimezone(tz)
    if slot is None:
        if here.time() >= min(window.late, window.end):
            tomorrow, (start, end) = here.date() + timedelta(days=1), buckets(window)[0]
            slot = Slot(local(tomorrow, start, tz), local(tomorrow, end, tz))
            if not confirm_late:
                raise TooLateForToday(slot, tz)
        else:
            slot = Slot(max(now, local(here.date(), window.start, tz)), local(here.date(), window.end, tz))
    wake = wake_at(slot.start, created_at=now, tz=tz, window=window)
    if wake > now or not window.start <= here.time() < window.end:
        return Plan(OrderStatus.DEFERRED, slot, max(wake, next_opening(now, tz=tz, window=window)))
    return Plan(OrderStatus.SEARCHING, slot, now)


def wake_at(slot_start: datetime | None, *, created_at: datetime, tz: ZoneInfo, window: Window) -> datetime:
    """When a deferred order wakes: the opening of its slot's local day; without a slot, the next opening."""
    if slot_start is None:
        return next_opening(created_at, tz=tz, window=window)
    return local(slot_start.astimezone(tz).date(), window.start, tz)


def next_opening(moment: datetime, *, tz: ZoneInfo, window: Window) -> datetime:
    """`moment` itself inside the working window, else the next time the window opens."""
    here = moment.astimezone(tz)
    if here.time() < window.start:
        return local(here.date(), window.start, tz)
    return moment if here.time() < window.end else local(here.date() + timedelta(days=1), window.start, tz)


def _slot_of(match: re.Match[str], today: date, tz: ZoneInfo) -> Slot:
    try:
        named = {"today": today, "tomorrow": today + timedelta(days=1)}
        day = named.get(match["day"]) or date.fromisoformat(match["day"])
        return Slot(local(day, time(int(match["start"])), tz), local(day, time(int(match["end"])), tz))
    except (ValueError, OverflowError) as error:
        raise InvalidError({"slot": _("There is no such date or hour; a slot looks like 2026-11-25:10-13.")}) from error
