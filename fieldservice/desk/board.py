"""The board: open orders as cards in columns by status, the most urgent on top."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, F, IntegerField, OrderBy, Q, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fieldservice.desk.dashboard import orders_link
from fieldservice.desk.figures import open_orders
from fieldservice.desk.sight import Sight
from fieldservice.lib.localtime import format_timeslot_local, zone
from finance.models import Commission
from orders import words
from orders.enums import OfferState, OrderStatus, OrderType
from orders.models import Offer, Order

S = OrderStatus
#: cards in a column; the rest is in the list
LIMIT = 30
#: escalated to admins, to logists, slot begun, the rest: as dispatch sees them
URGENCY = Case(
    When(dist_escalated_admin_at__isnull=False, then=Value(0)),
    When(dist_escalated_logist_at__isnull=False, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)
SLOT = OrderBy(F("timeslot_start_utc"), nulls_first=True)
COLUMNS: tuple[tuple[str, Any, tuple[str, ...], tuple[Any, ...]], ...] = (
    ("deferred", gettext_lazy("Deferred"), (S.DEFERRED,), ("dispatch_at", "id")),
    ("searching", gettext_lazy("Looking for a master"), S.SEARCH, (URGENCY, "search_started_at", "id")),
    ("assigned", gettext_lazy("Assigned"), (S.ASSIGNED,), (SLOT, "id")),
    ("en_route", gettext_lazy("On the way"), (S.EN_ROUTE,), (SLOT, "id")),
    ("working", gettext_lazy("In work"), (S.WORKING,), (SLOT, "id")),
    ("payment", gettext_lazy("Awaiting payment"), (S.PAYMENT,), ("updated_at", "id")),
)


@dataclass(frozen=True, slots=True)
class Clock:
    """A time that runs: `until` counts down, `since` counts up."""

    text: str
    moment: datetime
    down: bool
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """An order on the board."""

    order: Order
    place: str
    visit: str
    clock: Clock | None
    marks: list[tuple[str, str]]
    can_assign: bool


@dataclass(frozen=True, slots=True)
class Column:
    """Orders of one stage; `more`: how many have no card here."""

    key: str
    title: str
    count: int
    cards: list[Card]
    more: int
    link: str


def columns(sight: Sight, now: datetime) -> list[Column]:
    """The board. A query per column, and a few for what stands on the cards."""
    counts = open_orders(sight)
    chosen = {key: _orders(sight, statuses, order) if sum(counts[s] for s in statuses) else []
              for key, _title, statuses, order in COLUMNS}  # fmt: skip
    offers = _offers([order.pk for order in chosen["searching"]], now)
    deadlines = _deadlines(sight, [order.pk for order in chosen["payment"]])
    found = []
    for key, title, statuses, _order in COLUMNS:
        count = sum(counts[status] for status in statuses)
        link = orders_link(sight, stage="waiting") if key == "searching" else orders_link(
            sight, status__exact=statuses[0])  # fmt: skip
        cards = [_card(order, offers.get(order.pk), deadlines.get(order.pk), now) for order in chosen[key]]
        found.append(Column(key, str(title), count, cards, max(0, count - len(cards)), link))
    return found


def _orders(sight: Sight, statuses: tuple[str, ...], order: tuple[Any, ...]) -> list[Order]:
    rows = sight.within(Order.objects.filter(status__in=statuses))
    return list(rows.select_related("city", "district", "street", "assigned_master").order_by(*order)[:LIMIT])


def _offers(order_ids: list[int], now: datetime) -> dict[int, Offer]:
    """Order → its live offer that ends last."""
    rows = Offer.objects.filter(order_id__in=order_ids, state__in=OfferState.LIVE, expires_at__gt=now)
    return {offer.order_id: offer for offer in rows.select_related("master").order_by("expires_at")}


def _deadlines(sight: Sight, order_ids: list[int]) -> dict[int, Commission]:
    if not order_ids or not sight.may("finance.see"):
        return {}
    return {row.order_id: row for row in Commission.objects.filter(order_id__in=order_ids, is_paid=False)}


def _card(order: Order, offer: Offer | None, debt: Commission | None, now: datetime) -> Card:
    tz = zone(order.city.timezone)
    return Card(
        order=order,
        place=place(order),
        visit=format_timeslot_local(order.timeslot_start_utc, order.timeslot_end_utc, tz=tz, now=now),
        clock=_clock(order, offer, debt, now),
        marks=_marks(order, debt, now),
        can_assign=order.status in (*S.SEARCH, S.DEFERRED),
    )


def place(order: Order) -> str:
    """District, street and house; the flat is nobody's business on a board."""
    return words.address(order, city=False) or order.city.name


def _clock(order: Order, offer: Offer | None, debt: Commission | None, now: datetime) -> Clock | None:
    if offer is not None and offer.expires_at:
        return Clock(_("offered to %(name)s") % {"name": offer.master.full_name}, offer.expires_at, True, "info")
    if order.status in S.SEARCH and order.search_started_at and order.search_started_at > now:
        return Clock(_("search in"), order.search_started_at, True)  # moved to a later day
    if order.status in S.SEARCH:
        return Clock(_("waiting"), order.search_started_at or order.created_at, False, "warn")
    if order.status == S.DEFERRED:
        return Clock(_("search in"), order.dispatch_at, True) if order.dispatch_at else None
    if debt is not None and debt.deadline_at <= now:
        return Clock(_("commission overdue by"), debt.deadline_at, False, "bad")
    if debt is not None:
        return Clock(_("commission due in"), debt.deadline_at, True)
    start, end = order.timeslot_start_utc, order.timeslot_end_utc
    if order.status in (S.ASSIGNED, S.EN_ROUTE) and start and end:
        late = now > end
        return Clock(_("late by") if late else _("visit in") if start > now else _("time left"),
                     end if late or start <= now else start, not late, "bad" if late else "")  # fmt: skip
    return None


def _marks(order: Order, debt: Commission | None, now: datetime) -> list[tuple[str, str]]:
    marks = []
    if order.type == OrderType.GUARANTEE:
        marks.append(("info", _("guarantee")))
    if order.dispatch_error:
        marks.append(("bad", _("dispatch error")))
    if order.dist_escalated_admin_at:
        marks.append(("bad", _("needs an admin")))
    elif order.dist_escalated_logist_at:
        marks.append(("warn", _("needs a logist")))
    if order.escalation_reason and order.status in S.SEARCH:
        marks.append(("", words.escalation(order.escalation_reason)))
    begun = order.timeslot_start_utc and order.timeslot_start_utc <= now
    if order.status in S.SEARCH and begun and order.timeslot_end_utc and order.timeslot_end_utc <= now:
        marks.append(("bad", _("the visit time is over")))
    if debt is not None:
        marks.append(({"OVERDUE": "bad", "REPORTED": "info"}.get(debt.status, ""), debt.state))
    return marks


#: for lists of the same orders
OPEN_CONDITION = Q(status__in=(S.DEFERRED, S.SEARCHING, S.GUARANTEE, S.ASSIGNED, S.EN_ROUTE, S.WORKING, S.PAYMENT))
