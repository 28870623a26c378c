"""Correcting an order: one field at a time, the present value shown; who saw another value is told, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm
from bots.admin import orders, origin
from bots.admin.create.questions import titles
from bots.admin.menu import menu_button
from bots.admin.origin import Origin
from bots.buttons import back, in_columns, tap
from bots.callbacks import on
from bots.screens import Button, Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError, InvalidError, StaleError
from fieldservice.lib.phones import show_phone
from geo.models import District
from orders import scope
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import correction, intake, rerouting
from orders.services.options import options

RIGHT, VALUE = "order.create", "adm:q:fix:value"
FIELDS = ("street_text", "house", "apartment", "address_comment", "client_name", "client_phone", "description")
#: those of `rerouting`, which asks for them otherwise
ROUTE = ("category", "district", "street")


def _list(visit: Visit, order_id: int, *rest: Any) -> Reply:
    return choose(visit, order_id)


@on("adm:q:fix", needs=RIGHT, back=orders.card)
def choose(visit: Visit, order_id: int, at: Origin = origin.QUEUE) -> Reply:
    """Which field?"""
    return Reply(_fields(visit, order_id, at))


@on("adm:q:fix:f", needs=RIGHT, back=_list)
def ask(visit: Visit, order_id: int, name: str, at: Origin = origin.QUEUE) -> Reply:
    """Another value? What is asked about is the value on the screen."""
    order = _correctable(visit, order_id, name)
    data = {"order": order.pk, "name": name, "seen": getattr(order, name), "at": at}
    return Reply(_question(order, data), dialog=Dialog(VALUE, data))


@on("adm:q:fix:no", needs=RIGHT, back=_list)
def empty(visit: Visit, order_id: int, name: str, at: Origin = origin.QUEUE) -> Reply:
    """There is none. A button of a question that is over asks again."""
    data = visit.dialog.data if visit.dialog and visit.dialog.step == VALUE else {}
    if (data.get("order"), data.get("name")) != (order_id, name) or name not in intake.OPTIONAL:
        return ask(visit, order_id, name, at)
    return _save(visit, data, None)


@fsm.step(VALUE, ask=lambda visit: _again(visit), needs=RIGHT)
def take(visit: Visit) -> Reply:
    """The value, typed."""
    data = dict(visit.dialog.data) if visit.dialog else {}
    text = visit.incoming.text
    if not text:
        raise InvalidError(_("Type the answer as text, please."))
    return _save(visit, data, intake.parse_field(data["name"], text, correction.FIELDS[data["name"]]))


def _save(visit: Visit, data: dict[str, Any], value: str | None) -> Reply:
    order, name, at = _correctable(visit, data["order"], data["name"]), data["name"], Origin(data["at"])
    try:
        correction.correct(
            order_id=order.pk, changes={name: value}, seen={name: data["seen"]}, actor=visit.actor, now=timezone.now()
        )
    except StaleError as error:  # shown as it is now; who still wants to, types once more
        return replace(ask(visit, order.pk, name, at), toast=str(error), alert=True)
    saved = _("Saved: the master is told.") if _is_told(order) and value != data["seen"] else _("Saved.")
    return Reply(_fields(visit, order.pk, at), toast=saved)


def _correctable(visit: Visit, order_id: int, name: str = "") -> Order:
    """The order, if it may be corrected at all, and in this field."""
    order = scope.get_for(visit.member, order_id)
    if "correct" not in options(order, visit.actor):
        raise ConflictError(
            _("Order #%(id)s is «%(status)s» now: this is no longer possible.")
            % {"id": order.pk, "status": order.get_status_display()}
        )
    if name and name not in _names(order):
        raise ConflictError(_("This button is out of date."))
    return order


def _names(order: Order) -> list[str]:
    """A street of the list has its district and its coordinates: it is not overwritten by a typed one."""
    by_itself = order.street_id is None and order.status not in rerouting.OPEN
    return [name for name in FIELDS if name != "street_text" or by_itself]


def _is_told(order: Order) -> bool:
    """Whether a master at work hears of it."""
    return order.assigned_master_id is not None and order.status in OrderStatus.ACTIVE


def _fields(visit: Visit, order_id: int, at: Origin) -> Screen:
    order = _correctable(visit, order_id)
    words, can = _words(), options(order, visit.actor)
    route = _route(order) if "reroute" in can else ()
    buttons = [tap(words[name], "adm:q:way", order.pk, name, at) for name in route]
    buttons += [tap(words[name], "adm:q:fix:f", order.pk, name, at) for name in _names(order)]
    if "reschedule" in can:
        buttons.append(tap(words["slot"], "adm:q:time", order.pk, at))
    values = [(words[name], shown(order, name)) for name in (*route, *_names(order))]
    rows = [*in_columns(buttons), [back("adm:q:card", order.pk, at), menu_button()]]
    return page("admin/correct.html", rows, order=order, values=values, told=_is_told(order))


def _route(order: Order) -> tuple[str, ...]:
    """Some cities have no districts to choose from."""
    some = order.district_id or District.objects.filter(city_id=order.city_id).exists()
    return ROUTE if some else tuple(name for name in ROUTE if name != "district")


def _words() -> dict[str, str]:
    names = titles()
    return names | {"street_text": names["street"], "client_phone": names["phone"]}


def shown(order: Order, name: str) -> str:
    """The present value, as it is read aloud."""
    if name == "category":
        return str(order.get_category_display())
    if name == "street":
        return order.street.label if order.street else order.street_text or ""
    value = getattr(order, name) or ""
    return show_phone(value) if name == "client_phone" else str(value)


def _again(visit: Visit) -> Screen:
    data = visit.dialog.data if visit.dialog else {}
    return _question(_correctable(visit, data["order"], data["name"]), data)


def _question(order: Order, data: dict[str, Any]) -> Screen:
    name, at = data["name"], data["at"]
    value = shown(order, name)
    rows: list[list[Button]] = []
    if value:
        rows.append([Button(_("📋 Copy"), copy=value)])
        if name in intake.OPTIONAL:
            rows[0].append(tap(_("🗑 Leave empty"), "adm:q:fix:no", order.pk, name, at))
    rows.append([back("adm:q:fix", order.pk, at), menu_button()])
    return page("admin/correct_ask.html", rows, order=order, name=name, title=_words()[name], value=value)
