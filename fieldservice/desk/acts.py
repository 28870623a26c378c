"""What staff do with an order: each act asks what it must, runs a service, and is refused on a stale page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import read_number
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.localtime import format_timeslot_local, zone
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import correction, guarantee, lifecycle, manual
from orders.services.schedule import parse_choice
from orders.services.window import load_window
from staff import access

S = OrderStatus
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Act:
    """A button of the order page. `asks`: `reason` (required), `note` (optional), `master`, `slot`, or but a yes."""

    name: str
    title: Any
    says: Any
    right: str
    statuses: tuple[str, ...]
    run: Callable[[Order, Actor, Data], str]
    asks: str = ""
    icon: str = ""
    tone: str = ""

    def fits(self, order: Order, role: str) -> bool:
        """Whether the button is there for this order and role; the service decides at the click."""
        if not access.may(role, self.right) or order.status not in self.statuses:
            return False
        if self.name == "cancel" and order.status == S.WORKING:
            return access.may(role, "order.cancel_working")
        return self.name != "guarantee" or not lifecycle.is_guarantee(order)


def available(order: Order, role: str) -> list[Act]:
    """The acts that make sense now."""
    return [act for act in ACTS.values() if act.fits(order, role)]


def _seen(data: Data) -> int:
    """The version the page was made with. A page without one is as stale as can be."""
    return read_number(data.get("version")) or 0


def _assign(order: Order, actor: Actor, data: Data) -> str:
    given: dict[str, Any] = {
        "order_id": order.pk, "master_id": read_number(data.get("master")) or 0, "actor": actor, "version": _seen(data),
        "confirmed": data.get("confirmed") == "yes",
    }  # fmt: skip
    if data.get("way") == "direct":
        manual.assign(**given)
        return _("Order #%(id)s is assigned.") % {"id": order.pk}
    manual.offer(**given)
    return _("Order #%(id)s is offered.") % {"id": order.pk}


def _search_again(order: Order, actor: Actor, data: Data) -> str:
    manual.search_again(order_id=order.pk, actor=actor, version=_seen(data), search=read_number(data.get("search")))
    return _("A new search for order #%(id)s has begun.") % {"id": order.pk}


def _activate(order: Order, actor: Actor, data: Data) -> str:
    lifecycle.activate(order_id=order.pk, actor=actor, version=_seen(data))
    return _("The search for order #%(id)s has begun.") % {"id": order.pk}


def _return(order: Order, actor: Actor, data: Data) -> str:
    reason = str(data.get("reason", ""))
    lifecycle.return_to_search(order_id=order.pk, actor=actor, reason=reason, version=_seen(data))
    return _("Order #%(id)s is back in the search; its master is told.") % {"id": order.pk}


def _reschedule(order: Order, actor: Actor, data: Data) -> str:
    now, tz, choice = timezone.now(), zone(order.city.timezone), str(data.get("slot") or "")
    if not choice:
        raise InvalidError({"slot": _("Choose the time of the visit.")})
    slot = parse_choice(choice, now=now, tz=tz, window=load_window())
    moved = correction.reschedule(
        order_id=order.pk, slot=slot, actor=actor, confirm_late=data.get("confirmed") == "yes", version=_seen(data)
    )
    said = format_timeslot_local(moved.timeslot_start_utc, moved.timeslot_end_utc, tz=tz, now=now)
    return _("The visit of order #%(id)s: %(slot)s.") % {"id": order.pk, "slot": said}


def _cancel(order: Order, actor: Actor, data: Data) -> str:
    lifecycle.cancel(order_id=order.pk, actor=actor, reason=str(data.get("reason", "")), version=_seen(data))
    return _("Order #%(id)s is canceled.") % {"id": order.pk}


def _guarantee(order: Order, actor: Actor, data: Data) -> str:
    made = guarantee.create(
        source_order_id=order.pk, actor=actor, description=str(data.get("reason", "")), version=_seen(data)
    )
    return _("Guarantee visit #%(visit)s is created for order #%(id)s.") % {"visit": made.pk, "id": order.pk}


ACTS: dict[str, Act] = {
    act.name: act
    for act in (
        Act("assign", gettext_lazy("Choose a master"), gettext_lazy("The order is offered to the master you choose."),
            "order.offer", (*S.SEARCH, S.DEFERRED), _assign, asks="master", icon="person_add", tone="primary"),
        Act("search", gettext_lazy("Search again"),
            gettext_lazy("Live offers are withdrawn, a new search begins with round 1; everybody may be asked anew."),
            "order.offer", S.SEARCH, _search_again, icon="restart_alt"),
        Act("activate", gettext_lazy("Search now"),
            gettext_lazy("The order stops waiting for its time and is offered to masters at once."),
            "order.activate", (S.DEFERRED,), _activate, icon="play_arrow"),
        Act("reschedule", gettext_lazy("Move the visit"),
            gettext_lazy("Without a master the search begins anew for the new time. A master who has it is told."),
            "order.create", correction.MOVABLE, _reschedule, asks="slot", icon="event"),
        Act("return", gettext_lazy("Return to search"),
            gettext_lazy("The order is taken from its master, who is told the reason; a new search begins."),
            "order.return", (S.ASSIGNED, S.EN_ROUTE, S.WORKING), _return, asks="reason", icon="undo"),
        Act("guarantee", gettext_lazy("Guarantee visit"),
            gettext_lazy("A guarantee order is made for the same address and offered to the same master first."),
            "order.guarantee", (S.CLOSED,), _guarantee, asks="note", icon="verified_user"),
        Act("cancel", gettext_lazy("Cancel the order"),
            gettext_lazy("The order ends for good. Its master, if it has one, is told the reason."),
            "order.cancel", (S.CREATED, S.SEARCHING, S.GUARANTEE, S.DEFERRED, S.ASSIGNED, S.EN_ROUTE, S.WORKING),
            _cancel, asks="reason", icon="cancel", tone="danger"),
    )
}  # fmt: skip
