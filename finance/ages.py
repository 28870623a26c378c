"""Commissions by how old they are: today, yesterday, the week, the month, older; in local days of each order's city."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from django.db.models import Case, Count, DateTimeField, F, Q, QuerySet, Sum, Value, When
from django.utils.translation import gettext_lazy

from fieldservice.lib.localtime import zone
from finance.models import Commission
from geo.models import City

#: letter → how it is called; each begins where the one before ends
NAMES = {
    "t": gettext_lazy("Today"),
    "y": gettext_lazy("Yesterday"),
    "w": gettext_lazy("Last 7 days"),
    "m": gettext_lazy("Last 30 days"),
    "o": gettext_lazy("Older"),
}
#: letter → days before today's local midnight: from, until
SPANS: dict[str, tuple[int | None, int | None]] = {
    "t": (0, None), "y": (1, 0), "w": (6, 1), "m": (29, 6), "o": (None, 29),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """A period: how many and how much; None where nobody counts, for these are a million."""

    letter: str
    count: int | None
    total: Decimal | None

    @property
    def name(self) -> str:
        """`Last 7 days`."""
        return str(NAMES[self.letter])


def within(rows: QuerySet[Commission], letter: str, *, paid: bool, now: datetime) -> QuerySet[Commission]:
    """The rows of a period: by the day they were made, paid ones by the day of the approval."""
    field, (start, end) = _field(paid), SPANS[letter]
    # the outer bounds find the rows in their index (no midnight is farther away); the inner ones are the cities' days
    outer, inner = Q(), Q()
    if start is not None:
        outer &= Q(**{f"{field}__gte": now - timedelta(days=start + 1)})
        inner &= Q(**{f"{field}__gte": F("midnight") - timedelta(days=start)})
    if end is not None:
        outer &= Q(**{f"{field}__lt": now - timedelta(days=end)})
        inner &= Q(**{f"{field}__lt": F("midnight") - timedelta(days=end)})
    return rows.filter(outer).annotate(midnight=_midnight(now)).filter(inner)


def groups(rows: QuerySet[Commission], *, paid: bool, now: datetime) -> list[Group]:
    """The periods that are not empty, in one statement; the oldest paid ones are not counted."""
    field = _field(paid)
    if paid:
        rows = rows.filter(**{f"{field}__gte": now - timedelta(days=30)})
    whens = [
        When(Q(**{f"{field}__gte": F("midnight") - timedelta(days=start)}), then=Value(letter))
        for letter, (start, _end) in SPANS.items()
        if start is not None
    ]
    rows = rows.annotate(midnight=_midnight(now)).annotate(period=Case(*whens, default=Value("o")))
    summed = (
        rows.order_by().values("period").annotate(count=Count("id"), total=Sum("paid_amount" if paid else "amount"))
    )
    found = {row["period"]: Group(row["period"], row["count"], row["total"] or Decimal(0)) for row in summed}
    if paid:
        found["o"] = Group("o", None, None)
    return [found[letter] for letter in NAMES if letter in found]


def _field(paid: bool) -> str:
    return "paid_approved_at" if paid else "created_at"


def _midnight(now: datetime) -> Case:
    """When the present day began in the city of the order. Russian clocks do not change: days before have 24 hours."""
    names = {name for name in City.objects.values_list("timezone", flat=True).distinct() if name}
    whens = [When(order__city__timezone=name, then=Value(_began(now, name))) for name in sorted(names)]
    return Case(*whens, default=Value(_began(now, None)), output_field=DateTimeField())


def _began(now: datetime, name: str | None) -> datetime:
    tz = zone(name)
    return datetime.combine(now.astimezone(tz).date(), time(), tzinfo=tz)
