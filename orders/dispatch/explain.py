"""What happened to an order and why, in words, from the rows alone: decision log, offers, history.

`explain()` reads and returns an `Explanation`; nothing is decided or written here. Each sentence stands beside the
values it was made from, so that a program may read them, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from fieldservice.lib.errors import NotFoundError
from fieldservice.lib.localtime import format_moment, format_timeslot_local, zone
from fieldservice.runtime import registry
from orders import words
from orders.dispatch import trace
from orders.dispatch.values import LeftOut, Outcome
from orders.enums import OfferState, OrderStatus
from orders.models import DispatchDecision, Offer, Order, OrderStatusHistory
from staff.models import Master

NAMES = 10
CLOSED_BECAUSE = {
    "taken": gettext_lazy("another master took the order"),
    "withdrawn": gettext_lazy("withdrawn by the office"),
    "order_canceled": gettext_lazy("the order was canceled"),
    "undeliverable": gettext_lazy("the message could not be delivered"),
}
#: their offers tell it
TOLD_BY_OFFERS = frozenset({"offer_declined", "offer_undeliverable"})
#: of a correction of the client, his flat or his door code only that there was one: logs and terminals may read along
TOLD_IN_FULL = frozenset({"category", "district", "street", "street_text", "house", "description"})


@dataclass(slots=True)
class Event:
    """Something that happened: a sentence, the lines below it, the values."""

    at: datetime
    kind: str
    text: str
    more: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Explanation:
    """The whole story. `master`: what concerns the one who was asked about."""

    title: str
    events: list[Event]
    next: str
    clock: Clock
    master: list[Event] = field(default_factory=list)
    eligible: bool | None = None
    now: str = ""

    def lines(self) -> Iterator[str]:
        """For people."""
        yield self.title
        for event in self.master if self.now else self.events:
            yield f"{self.clock.show(event.at)}  {event.text}"
            yield from (f"    {line}" for line in event.more)
        yield from (line for line in (self.now, self.next) if line)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        story = {"title": self.title, "events": _dicts(self.events), "next": self.next}
        if not self.now:
            return story
        return story | {"master": _dicts(self.master), "eligible_now": self.eligible, "now": self.now}


@dataclass(frozen=True, slots=True)
class Clock:
    """Moments as the order's city sees them."""

    tz: Any
    now: datetime

    def show(self, moment: datetime) -> str:
        """`today 13:05:20`."""
        return f"{format_moment(moment, tz=self.tz, now=self.now)}:{moment.astimezone(self.tz):%S}"


@dataclass(slots=True)
class Story:
    """The rows of one order, oldest first. `names` are those of the masters that may be spoken of."""

    order: Order
    clock: Clock
    decisions: list[DispatchDecision]
    offers: list[Offer]
    history: list[OrderStatusHistory]
    names: dict[int, str]

    def name(self, master_id: int | None) -> str:
        """`Master 7 (#7)`."""
        return f"{self.names.get(master_id or 0, '?')} (#{master_id})"

    def named(self, ids: Sequence[int]) -> str:
        """Up to ten names."""
        rest = len(ids) - NAMES
        shown = ", ".join(self.name(pk) for pk in ids[:NAMES])
        return shown if rest <= 0 else _("%(names)s and %(count)s more") % {"names": shown, "count": rest}


def explain(*, order_id: int, now: datetime) -> Explanation:
    """The story of an order. Raises NotFoundError with a sentence."""
    return tell(read(order_id, now))


def tell(story: Story) -> Explanation:
    """The story in words."""
    return Explanation(_title(story), _events(story), _next(story), story.clock)


# --- reading ---------------------------------------------------------------------------------------------------------
def read(order_id: int, now: datetime) -> Story:
    """All rows about the order. Raises NotFoundError with a sentence."""
    order = Order.objects.select_related("city", "district", "assigned_master").filter(pk=order_id).first()
    if order is None:
        raise NotFoundError(_("There is no order #%(id)s.") % {"id": order_id})
    decisions = list(DispatchDecision.objects.filter(order=order).order_by("decided_at", "id"))
    offers = list(Offer.objects.filter(order=order).order_by("sent_at", "id"))
    history = OrderStatusHistory.objects.filter(order=order).select_related("changed_by_staff", "changed_by_master")
    names = dict(Master.objects.filter(pk__in=_ids(order, decisions, offers)).values_list("pk", "full_name"))
    clock = Clock(zone(order.city.timezone), now)
    return Story(order, clock, decisions, offers, list(history.order_by("created_at", "id")), names)


def _ids(order: Order, decisions: list[DispatchDecision], offers: list[Offer]) -> set[int]:
    """The masters whose names will be needed."""
    found = {offer.master_id for offer in offers} | {order.assigned_master_id or 0}
    for decision in decisions:
        found |= {decision.master_id or 0, *(row[0] for row in top(decision))}
        for ids in left_out(decision).values():
            found |= set(ids[:NAMES])
    return found


def left_out(decision: DispatchDecision) -> dict[LeftOut, tuple[int, ...]]:
    """Who was no candidate and why: the one place that knows how the decision log keeps it."""
    return trace.left_out(decision)


def top(decision: DispatchDecision) -> list[list[Any]]:
    """The best candidates: [master, vehicle, average check, rating], best first."""
    return trace.top(decision)


# --- the story -------------------------------------------------------------------------------------------------------
def _title(story: Story) -> str:
    order = story.order
    slot = format_timeslot_local(
        order.timeslot_start_utc, order.timeslot_end_utc, tz=story.clock.tz, now=story.clock.now
    )
    return _("Order #%(id)s: %(status)s. %(category)s, %(place)s, %(slot)s. Times are those of %(zone)s.") % {
        "id": order.pk,
        "status": order.get_status_display(),
        "category": order.get_category_display(),
        "place": ", ".join(str(part) for part in (order.city, order.district) if part),
        "slot": slot,
        "zone": story.clock.tz.key,
    }


def _events(story: Story) -> list[Event]:
    found = [_changed(story, row) for row in story.history if row.reason not in TOLD_BY_OFFERS]
    found += [_decided(story, decision) for decision in story.decisions]
    found += [_offered(story, offer) for offer in story.offers if offer.is_manual or not _decision_of(story, offer)]
    # a notice follows the decision it came from
    return sorted(found, key=lambda e: (e.at, str(e.values.get("reason")).startswith("distribution_escalate")))


def _changed(story: Story, row: OrderStatusHistory) -> Event:
    who = row.changed_by_staff or row.changed_by_master or row.get_actor_type_display()
    said = words.history(row.reason)
    if row.reason == "distribution_escalate_logist":
        said += f": {why(row.context.get('reason'))}"
    if row.reason == "rescheduled":
        said += ": " + " → ".join(_slot(story, pair) for pair in row.context.get("slot") or ())
    if changes := words.corrected(row):
        said += ": " + "; ".join(
            f"{title} «{old}» → «{new}»" if name in TOLD_IN_FULL else title for name, title, old, new in changes
        )
    text = said if row.from_status == row.to_status else f"{row.get_to_status_display()}: {said}"
    values = {"from": row.from_status, "to": row.to_status, "reason": row.reason}
    return Event(row.created_at, "history", f"{text} ({who}).", values=values)


def _slot(story: Story, pair: Sequence[str | None]) -> str:
    """A slot as the history keeps it."""
    start, end = (datetime.fromisoformat(text) if text else None for text in pair)
    return format_timeslot_local(start, end, tz=story.clock.tz, now=story.clock.now)


def _decided(story: Story, decision: DispatchDecision) -> Event:
    rest = left_out(decision)
    values = {
        "search": decision.search_number,
        "round": decision.round_number,
        "outcome": decision.outcome,
        "master": decision.master_id,
        "candidates": decision.candidates_count,
        "citywide": bool(decision.details.get("citywide")),
        "left_out": {str(reason): len(ids) for reason, ids in rest.items()},
    }
    more = [*_ranking(story, decision), *(_line(story, reason, ids) for reason, ids in rest.items())]
    more += [_offer_line(story, offer) for offer in offers_of(story, decision)]
    return Event(decision.decided_at, "decision", _decision_sentence(story, decision), more, values)


def _decision_sentence(story: Story, decision: DispatchDecision) -> str:
    numbers = {"search": decision.search_number, "round": decision.round_number}
    if decision.outcome != Outcome.OFFERED:
        return _("Search %(search)s, after round %(round)s: nobody was asked: %(why)s.") % {
            **numbers,
            "why": why(decision.outcome),
        }
    count = decision.candidates_count
    asked = decision.details.get("masters") or [decision.master_id]
    return ngettext(
        "Search %(search)s, round %(round)s: %(masters)s asked, out of %(count)s candidate.",
        "Search %(search)s, round %(round)s: %(masters)s asked, out of %(count)s candidates.",
        count,
    ) % {**numbers, "masters": story.named(asked), "count": count}


def _ranking(story: Story, decision: DispatchDecision) -> Iterator[str]:
    """Where was looked, the chosen one's values, the next best."""
    if decision.outcome in (Outcome.OFFERED, Outcome.NO_CANDIDATES):
        if decision.details.get("citywide"):
            yield _("Nobody could be asked in the district: the whole city was looked through.")
        else:
            yield _("The masters of the district were looked through.")
    asked = decision.details.get("masters") or [decision.master_id]
    rows = {row[0]: row for row in top(decision)}
    for pk in asked:
        if pk in rows:
            yield _("%(name)s was ranked by: %(values)s.") % {"name": story.name(pk), "values": shown_values(rows[pk])}
    others = [row for pk, row in rows.items() if pk not in asked]
    if others:
        name, values = story.name(others[0][0]), shown_values(others[0])
        yield _("Next best: %(name)s: %(values)s.") % {"name": name, "values": values}


def shown_values(row: Sequence[Any]) -> str:
    """What a candidate was ranked by, in words."""
    vehicle = _("vehicle") if row[1] else _("no vehicle")
    return _("%(vehicle)s, average check %(average)s, rating %(rating)s") % {
        "vehicle": vehicle,
        "average": f"{row[2]:.0f}",
        "rating": f"{row[3]:.1f}",
    }


def _line(story: Story, reason: LeftOut, ids: Sequence[int]) -> str:
    return f"{words.left_out(reason)}: {len(ids)} — {story.named(ids)}"


def why(reason: str | None) -> str:
    """Why nobody was asked, in words."""
    return words.escalation(reason) if reason else ""


# --- offers ----------------------------------------------------------------------------------------------------------
def _decision_of(story: Story, offer: Offer) -> DispatchDecision | None:
    return next((d for d in story.decisions if offer in offers_of(story, d)), None)


def offers_of(story: Story, decision: DispatchDecision) -> list[Offer]:
    """The offers a decision made."""
    if decision.outcome != Outcome.OFFERED:
        return []
    search, number = decision.search_number, decision.round_number
    return [
        offer
        for offer in story.offers
        if not offer.is_manual and (offer.search_number, offer.round_number) == (search, number)
        and abs(offer.sent_at - decision.decided_at) < timedelta(seconds=1)
    ]  # fmt: skip


def _offered(story: Story, offer: Offer) -> Event:
    """An offer no decision tells of: by hand, or imported."""
    by = _("by hand") if offer.is_manual else _("not in the decision log")
    return Event(offer.sent_at, "offer", f"{_offer_line(story, offer)} ({by})", values={"master": offer.master_id})


def _offer_line(story: Story, offer: Offer) -> str:
    return _("Offer to %(name)s: %(end)s.") % {"name": story.name(offer.master_id), "end": end_of(story, offer)}


def end_of(story: Story, offer: Offer) -> str:
    """How an offer ended, or when it will."""
    if offer.state in OfferState.LIVE:
        until = story.clock.show(offer.expires_at) if offer.expires_at else "—"
        return _("no answer yet, it ends %(time)s") % {"time": until}
    text = str(CLOSED_BECAUSE.get(offer.close_reason or "", offer.get_state_display())).lower()
    if offer.responded_at is None:
        return text
    seconds = max(0, round((offer.responded_at - offer.sent_at).total_seconds()))
    after = ngettext("after %(count)s second", "after %(count)s seconds", seconds) % {"count": seconds}
    return f"{text}, {after}"


# --- what comes next -------------------------------------------------------------------------------------------------
def _next(story: Story) -> str:
    order, clock = story.order, story.clock
    if order.status in OrderStatus.FINAL:
        return _("Nothing more happens: the order is over.")
    if order.status in (OrderStatus.DEFERRED, OrderStatus.CREATED):
        if order.dispatch_at is None:
            return _("Waits for staff, because no time is set for its search.")
        return _("Next: the search begins %(time)s.") % {
            "time": format_moment(order.dispatch_at, tz=clock.tz, now=clock.now)
        }
    if order.status not in OrderStatus.SEARCH:
        return _("The order is with %(name)s: dispatch has nothing to do.") % {
            "name": story.name(order.assigned_master_id)
        }
    return _next_of_search(story)


def _next_of_search(story: Story) -> str:
    order, clock = story.order, story.clock
    live = [offer for offer in story.offers if offer.state in OfferState.LIVE]
    if order.dispatch_error:
        return _("Set aside after an error (%(error)s); tried again %(time)s.") % {
            "error": order.dispatch_error,
            "time": clock.show(order.dispatch_at) if order.dispatch_at else "—",
        }
    if live:
        until = max(offer.expires_at or offer.sent_at + timedelta(seconds=offer.sla_seconds) for offer in live)
        return _("Next: %(name)s answers before %(time)s; if not, %(then)s.") % {
            "name": story.named([offer.master_id for offer in live]),
            "time": clock.show(until),
            "then": _then(order),
        }
    if order.escalation_reason:
        return _stuck(story)
    if order.dispatch_at is None:
        return _("Waits for staff, because no look at it is planned.")
    return _("Next: the engine looks at it %(time)s.") % {"time": clock.show(order.dispatch_at)}


def _then(order: Order) -> str:
    limit = order.rounds_limit if order.rounds_limit is not None else registry.get("distribution_rounds")
    if order.dispatch_round >= limit:
        return _("a logist is told, for all rounds are used up")
    return _("round %(round)s of %(limit)s begins") % {"round": order.dispatch_round + 1, "limit": limit}


def _stuck(story: Story) -> str:
    order, clock = story.order, story.clock
    parts = [_("Waits for staff, because %(why)s.") % {"why": why(order.escalation_reason)}]
    if order.dispatch_at is not None:
        parts.append(_("The engine looks again %(time)s.") % {"time": clock.show(order.dispatch_at)})
    if order.dist_escalated_admin_at:
        parts.append(_("Admins were told %(time)s.") % {"time": clock.show(order.dist_escalated_admin_at)})
    elif order.dist_escalated_logist_at:
        wait = timedelta(minutes=registry.get("escalate_to_admin_after_min"))
        at = clock.show(order.dist_escalated_logist_at + wait)
        parts.append(_("Admins are told %(time)s.") % {"time": at})
    return " ".join(parts)


def _dicts(events: list[Event]) -> list[dict[str, Any]]:
    return [{"at": e.at.isoformat(), "kind": e.kind, "text": e.text, "more": e.more, **e.values} for e in events]
