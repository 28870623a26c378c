"""The calendar: visits of one city by master and day, or by slot of one day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from fieldservice.desk.board import place
from fieldservice.desk.sight import Sight
from fieldservice.lib.localtime import format_day
from orders.enums import OrderStatus
from orders.models import Order
from orders.services.schedule import buckets, local
from orders.services.window import load_window

#: visits shown; a city has fewer in a week, and a page with more would be of no use
LIMIT = 600
SHOWN = tuple(status for status in OrderStatus if status != OrderStatus.CANCELED)


@dataclass(slots=True)
class Line:
    """A master's visits, a list for each column of the grid."""

    master: Any
    cells: list[list[tuple[Order, str, str]]]
    count: int = 0


@dataclass(slots=True)
class Grid:
    """Heads of the columns (text, is it now), the orders without a master first, then masters by name."""

    heads: list[tuple[str, str, bool]]
    lines: list[Line] = field(default_factory=list)
    cut: bool = False


def grid(sight: Sight, *, first: date, days: int, now: datetime) -> Grid:
    """Visits of `days` days from `first`; one day is shown by its slots."""
    tz, window = sight.tz, load_window()
    if days == 1:
        spans = _slots(first, sight)
        today = now.astimezone(tz).date()
        heads = [(f"{start:%H:%M}–{end:%H:%M}", "", first == today and start <= now.astimezone(tz).time() < end)
                 for start, end in buckets(window)]  # fmt: skip
        heads.append((_("other times"), "", False))
    else:
        spans = [(local(day, time(), tz), local(day + timedelta(days=1), time(), tz))
                 for day in (first + timedelta(days=n) for n in range(days))]  # fmt: skip
        heads = [_head(start, sight, now) for start, _end in spans]
    begin, end = local(first, time(), tz), local(first + timedelta(days=days), time(), tz)
    orders = _orders(sight, begin, end)
    made = Grid(heads, cut=len(orders) > LIMIT)
    lines: dict[int, Line] = {}
    for order in orders[:LIMIT]:
        key = order.assigned_master_id or 0
        line = lines.setdefault(key, Line(order.assigned_master, [[] for _head in heads]))
        line.cells[_column(order, spans, len(heads))].append(_entry(order, sight))
        line.count += 1
    made.lines = sorted(lines.values(), key=lambda line: (line.master is not None, str(line.master or "").lower()))
    return made


def _orders(sight: Sight, begin: datetime, end: datetime) -> list[Order]:
    rows = sight.within(Order.objects.filter(status__in=SHOWN))
    rows = rows.filter(timeslot_start_utc__gte=begin, timeslot_start_utc__lt=end)
    rows = rows.select_related("assigned_master", "district", "street", "city")
    return list(rows.order_by("timeslot_start_utc", "id")[: LIMIT + 1])


def _slots(day: date, sight: Sight) -> list[tuple[datetime, datetime]]:
    return [(local(day, start, sight.tz), local(day, end, sight.tz)) for start, end in buckets(load_window())]


def _column(order: Order, spans: list[tuple[datetime, datetime]], columns: int) -> int:
    start = order.timeslot_start_utc
    inside = (n for n, (begin, end) in enumerate(spans) if start and begin <= start < end)
    return next(inside, columns - 1)


def _entry(order: Order, sight: Sight) -> tuple[Order, str, str]:
    start, end = order.timeslot_start_utc, order.timeslot_end_utc
    assert start is not None
    assert end is not None
    return order, f"{start.astimezone(sight.tz):%H:%M}–{end.astimezone(sight.tz):%H:%M}", place(order)


def _head(start: datetime, sight: Sight, now: datetime) -> tuple[str, str, bool]:
    here = start.astimezone(sight.tz)
    names = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    is_today = here.date() == now.astimezone(sight.tz).date()
    return (
        f"{names[here.weekday()]} {here:%d.%m}",
        format_day(start, tz=sight.tz, now=now) if is_today else "",
        is_today,
    )
