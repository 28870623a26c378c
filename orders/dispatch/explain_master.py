"""Why this master? For each decision about an order: why he was or was not asked; and whether he would be asked now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from fieldservice.lib.errors import NotFoundError
from fieldservice.runtime import registry
from orders import words
from orders.dispatch.explain import (
    Event,
    Explanation,
    Story,
    end_of,
    left_out,
    offers_of,
    read,
    shown_values,
    tell,
    top,
    why,
)
from orders.dispatch.values import LeftOut, Outcome
from orders.enums import OfferState, OrderStatus, OrderType
from orders.models import DispatchDecision, Offer, Order
from staff.enums import ShiftStatus
from staff.models import Master
from staff.selectors import block_reason


def explain(*, order_id: int, master_id: int, now: datetime) -> Explanation:
    """The story of one master in an order's search. Raises NotFoundError with a sentence."""
    story = read(order_id, now)
    master = Master.objects.select_related("city").filter(pk=master_id).first()
    if master is None:
        raise NotFoundError(_("There is no master #%(id)s.") % {"id": master_id})
    story.names[master.pk] = str(master)
    explanation = tell(story)
    explanation.master = [_about(story, decision, master) for decision in story.decisions]
    explanation.master += [_by_hand(story, o) for o in story.offers if o.is_manual and o.master_id == master.pk]
    explanation.master.sort(key=lambda event: event.at)
    against = list(_against(story, master))
    explanation.eligible = not against
    explanation.now = _now(story, master, against)
    return explanation


# --- each decision ---------------------------------------------------------------------------------------------------
def _about(story: Story, decision: DispatchDecision, master: Master) -> Event:
    text, code = _verdict(story, decision, master)
    sentence = _("Search %(search)s, round %(round)s: %(name)s: %(verdict)s.") % {
        "search": decision.search_number,
        "round": decision.round_number,
        "name": story.name(master.pk),
        "verdict": text,
    }
    return Event(decision.decided_at, "verdict", sentence, values={"verdict": code})


def _verdict(story: Story, decision: DispatchDecision, master: Master) -> tuple[str, str]:
    """In words, and as one word for programs."""
    mine = [offer for offer in offers_of(story, decision) if offer.master_id == master.pk]
    if mine:
        return _("was asked: %(end)s") % {"end": end_of(story, mine[0])}, "asked_now"
    if decision.outcome not in (Outcome.OFFERED, Outcome.NO_CANDIDATES):
        return _("nobody was looked for: %(why)s") % {"why": why(decision.outcome)}, "not_looked"
    for reason, ids in left_out(decision).items():
        if master.pk in ids:
            return _barred(story, decision, master, reason), str(reason)
    place = next((n for n, row in enumerate(top(decision)) if row[0] == master.pk), None)
    if place is not None:
        return _ranked(story, decision, place), "ranked"
    return _unseen(story, decision, master)


def _barred(story: Story, decision: DispatchDecision, master: Master, reason: LeftOut) -> str:
    if reason != LeftOut.ASKED:
        return words.left_out(reason)
    before = [
        offer
        for offer in story.offers
        if offer.master_id == master.pk and offer.search_number == decision.search_number
    ]
    if not before:
        return words.left_out(reason)
    return _("was asked in round %(round)s already (%(end)s)") % {
        "round": before[0].round_number,
        "end": end_of(story, before[0]),
    }


def _ranked(story: Story, decision: DispatchDecision, place: int) -> str:
    rows = top(decision)
    first = next((row for row in rows if row[0] == decision.master_id), rows[0])
    return _("ranked number %(place)s: %(values)s; %(chosen)s came first by %(difference)s") % {
        "place": place + 1,
        "values": shown_values(rows[place]),
        "chosen": story.name(first[0]),
        "difference": _difference(first, rows[place]),
    }


def _difference(first: Sequence[Any], other: Sequence[Any]) -> str:
    """The first value in which two candidates differ, in the order they are ranked by."""
    if first[1] != other[1]:
        return _("the vehicle")
    if first[2] != other[2]:
        return _("the average check: %(first)s against %(other)s") % {"first": f"{first[2]:.0f}",
                                                                     "other": f"{other[2]:.0f}"}  # fmt: skip
    if first[3] != other[3]:
        return _("the rating: %(first)s against %(other)s") % {"first": f"{first[3]:.1f}", "other": f"{other[3]:.1f}"}
    return _("chance, for all values are equal")


def _unseen(story: Story, decision: DispatchDecision, master: Master) -> tuple[str, str]:
    """Neither left out nor among the best that were kept."""
    if master.city_id != story.order.city_id:
        return _("works in another city"), "city"
    kept = len(top(decision))
    if decision.outcome == Outcome.OFFERED and decision.candidates_count > kept:
        return _("came after the first %(kept)s of %(count)s candidates, or was no master of the city then") % {
            "kept": kept,
            "count": decision.candidates_count,
        }, "below"
    return _("was no master of the city then"), "unknown"


def _by_hand(story: Story, offer: Offer) -> Event:
    text = _("Search %(search)s: %(name)s was asked by hand: %(end)s.") % {
        "search": offer.search_number,
        "name": story.name(offer.master_id),
        "end": end_of(story, offer),
    }
    return Event(offer.sent_at, "verdict", text, values={"verdict": "by_hand"})


# --- now -------------------------------------------------------------------------------------------------------------
def _now(story: Story, master: Master, against: list[str]) -> str:
    name = {"name": story.name(master.pk), "why": "; ".join(against)}
    if story.order.status not in OrderStatus.SEARCH:
        name["status"] = story.order.get_status_display()
        state = _("Now: the order is «%(status)s» and looks for nobody.") % name
        return state + " " + (_("Besides: %(why)s.") % name if against else "")
    if against:
        return _("Now: %(name)s would not be asked: %(why)s.") % name
    return _("Now: %(name)s may be asked: nothing stands in the way.") % name


def _against(story: Story, master: Master) -> Iterator[str]:
    """Everything that keeps the master from this order at this moment, not only the first."""
    order, clock = story.order, story.clock
    if master.city_id != order.city_id:
        yield _("works in another city")
    if reason := block_reason(master):
        yield reason
    if master.shift_status == ShiftStatus.SHIFT_OFF:
        yield _("is off shift")
    elif master.break_until is not None and (
        master.break_until > clock.now or master.shift_status == ShiftStatus.BREAK
    ):
        yield _("is on a break until %(time)s") % {"time": clock.show(master.break_until)}
    elif master.shift_status == ShiftStatus.BREAK:
        yield _("is on a break")
    if master.tg_user_id is None or master.unreachable_at is not None:
        yield _("cannot be reached in Telegram")
    yield from _unfit(order, master)
    yield from _full(master)
    yield from _asked(story, master)


def _unfit(order: Order, master: Master) -> Iterator[str]:
    if not master.skills.filter(code=order.category, is_active=True).exists():
        yield _("does not have the skill «%(skill)s»") % {"skill": order.get_category_display()}
    if order.district_id is None or order.no_district:
        yield _("the order has no district, so nobody is asked")
    elif order.type == OrderType.GUARANTEE and order.preferred_master_id == master.pk:
        return  # his own work: he is asked wherever in the city he works by now
    elif not master.districts.filter(pk=order.district_id).exists():
        others = registry.get("citywide_fallback")
        yield (
            _("does not serve this district (asked only if nobody there can be)")
            if others
            else _("does not serve this district")
        )


def _full(master: Master) -> Iterator[str]:
    own = master.max_active_orders_override
    limit = registry.get("max_active_orders") if own is None else own
    active = Order.objects.filter(assigned_master=master, status__in=OrderStatus.ACTIVE).count()
    live = Offer.objects.filter(master=master, state__in=OfferState.LIVE).count()
    if active + live >= limit:
        yield _("has %(active)s of %(limit)s active orders and %(live)s open offers") % {
            "active": active,
            "limit": limit,
            "live": live,
        }


def _asked(story: Story, master: Master) -> Iterator[str]:
    order = story.order
    for offer in story.offers:
        asked = offer.search_number == order.search_number or offer.state == OfferState.ACCEPTED
        if offer.master_id == master.pk and asked:
            yield _("was asked in this search, in round %(round)s: %(end)s") % {
                "round": offer.round_number,
                "end": end_of(story, offer),
            }
