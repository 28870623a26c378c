"""Another time for a visit that has not begun: chosen from the city's slots, or typed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm, words
from bots.admin import dispatching, orders, origin, slots
from bots.admin.menu import menu_button
from bots.admin.origin import Origin
from bots.buttons import back, in_columns, tap
from bots.callbacks import on
from bots.screens import Button, Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError, StaleError
from fieldservice.lib.localtime import format_timeslot_local, zone
from orders import scope
from orders.enums import OfferState
from orders.models import Order
from orders.services import correction
from orders.services.options import options
from orders.services.schedule import Slot, TooLateForToday, choices, parse_choice
from orders.services.window import load_window

RIGHT, TIME, ASAP = "order.create", "adm:q:time", "asap"


def _card(visit: Visit, order_id: int, *rest: Any) -> Reply:
    return orders.card(visit, order_id)


@on("adm:q:time", needs=RIGHT, back=orders.card)
def ask(visit: Visit, order_id: int, at: Origin = origin.QUEUE) -> Reply:
    """When, then?"""
    order = _movable(visit, order_id)
    data = {"order": order.pk, "version": order.version, "at": at}
    return Reply(_screen(order, at), dialog=Dialog(TIME, data))


@on("adm:q:time:to", needs=RIGHT, back=_card)
def choose(visit: Visit, order_id: int, name: str, at: Origin = origin.QUEUE) -> Reply:
    """One of the slots: `asap`, or `2026-11-25.10-13`. A button of an older question asks again."""
    data = _running(visit, order_id)
    return _move(visit, data, name.replace(".", ":")) if data else ask(visit, order_id, at)


@on("adm:q:time:late", needs=RIGHT, back=_card)
def tomorrow_then(visit: Visit, order_id: int, at: Origin = origin.QUEUE) -> Reply:
    """Yes: as soon as possible is tomorrow."""
    data = _running(visit, order_id)
    return _move(visit, data, ASAP, confirm_late=True) if data else ask(visit, order_id, at)


@fsm.step(TIME, ask=lambda visit: _again(visit), needs=RIGHT)
def take(visit: Visit) -> Reply:
    """A day and hours, typed."""
    data = dict(visit.dialog.data) if visit.dialog else {}
    tz = zone(_movable(visit, data["order"]).city.timezone)
    return _move(visit, data, slots.name_of(visit.incoming.text, today=timezone.now().astimezone(tz).date()))


def _move(visit: Visit, data: dict[str, Any], name: str, *, confirm_late: bool = False) -> Reply:
    order, at, now = _movable(visit, data["order"]), Origin(data["at"]), timezone.now()
    tz = zone(order.city.timezone)
    slot = parse_choice(name, now=now, tz=tz, window=load_window())
    try:
        moved = correction.reschedule(
            order_id=order.pk, slot=slot, actor=visit.actor, confirm_late=confirm_late, version=data["version"], now=now
        )
    except TooLateForToday as error:
        yes = tap(_("Yes, tomorrow"), "adm:q:time:late", order.pk, at)
        other = tap(_("Another time"), "adm:q:time", order.pk, at)
        return Reply(page("admin/new_late.html", [[yes, other]], sentence=str(error)), dialog=Dialog(TIME, data))
    except (ConflictError, StaleError) as error:
        return orders.changed(visit, order.pk, at, error)
    dispatching.serve()
    shown = orders.shown(visit, order.pk, at)
    if moved.version == order.version:
        return replace(shown, toast=_("The time stays as it is."))
    said = format_timeslot_local(moved.timeslot_start_utc, moved.timeslot_end_utc, tz=tz, now=now)
    return replace(shown, toast=_("The visit of order #%(id)s: %(slot)s.") % {"id": order.pk, "slot": said})


def _movable(visit: Visit, order_id: int) -> Order:
    order = scope.get_for(visit.member, order_id)
    if "reschedule" not in options(order, visit.actor):
        raise ConflictError(
            _("Order #%(id)s is «%(status)s» now: the time of its visit can no longer be changed.")
            % {"id": order.pk, "status": order.get_status_display()}
        )
    return order


def _running(visit: Visit, order_id: int) -> dict[str, Any]:
    """What was asked, when it was asked about this order."""
    data = visit.dialog.data if visit.dialog and visit.dialog.step == TIME else {}
    return dict(data) if data.get("order") == order_id else {}


def _again(visit: Visit) -> Screen:
    return _screen(_movable(visit, visit.answer("order")), Origin(visit.answer("at")))


def _screen(order: Order, at: Origin) -> Screen:
    tz, now = zone(order.city.timezone), timezone.now()
    offered = choices(now=now, tz=tz, window=load_window())
    buttons = [_button(order, name, slot, tz, now, at) for name, slot in offered]
    live = order.offers.filter(state__in=OfferState.LIVE, expires_at__gt=now).select_related("master").first()
    until = words.clock(live.expires_at, order.city) if live else ""
    rows = [*in_columns(buttons), [back("adm:q:card", order.pk, at), menu_button()]]
    return page("admin/reschedule.html", rows, order=order, live=live, until=until)


def _button(order: Order, name: str, slot: Slot | None, tz: ZoneInfo, now: datetime, at: Origin) -> Button:
    if slot is None:
        return tap(_("⚡ As soon as possible"), "adm:q:time:to", order.pk, ASAP, at)
    caption = format_timeslot_local(slot.start, slot.end, tz=tz, now=now)
    return tap(caption, "adm:q:time:to", order.pk, name.replace(":", "."), at)
