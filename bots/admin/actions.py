"""What takes an order away from somebody: return to search, cancellation. A reason is asked, nothing happens before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from bots import fsm
from bots.admin import dispatching, orders, origin
from bots.admin.origin import Origin
from bots.buttons import tap
from bots.callbacks import on
from bots.screens import Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError, ForbiddenError, InvalidError, StaleError
from orders import scope
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import lifecycle
from orders.services.options import options

RETURN, CANCEL = "adm:q:ret:reason", "adm:q:cnl:reason"


@dataclass(frozen=True, slots=True)
class Act:
    """One of the two: how it asks, and what is done with the answer."""

    name: str
    step: str
    path: str
    question: str
    consequence: str
    done: str
    presets: dict[str, str]
    do: Callable[..., Order]


def _return() -> Act:
    return Act(
        name="return",
        step=RETURN,
        path="adm:q:ret:ok",
        question=_("Why is the order taken from the master?"),
        consequence=_("He is told, and a new search begins; he may be asked again."),
        done=_("The order is searching again; the master was told."),
        presets={
            "ill": _("The master cannot come"),
            "silent": _("The master does not answer"),
            "client": _("The client wants another master"),
            "mistake": _("Assigned by mistake"),
        },
        do=lifecycle.return_to_search,
    )


def _cancel() -> Act:
    return Act(
        name="cancel",
        step=CANCEL,
        path="adm:q:cnl:ok",
        question=_("Why is the order canceled?"),
        consequence=_("This is final. A master who has it, or an offer of it, is told."),
        done=_("The order is canceled."),
        presets={
            "client": _("The client changed their mind"),
            "silent": _("The client does not answer"),
            "double": _("The order was entered twice"),
            "nobody": _("There is no master for it"),
        },
        do=lifecycle.cancel,
    )


def _card(visit: Visit, order_id: int, *rest: Any) -> Reply:
    return orders.card(visit, order_id)


@on("adm:q:ret", needs="order.return", back=orders.card)
def ask_return(visit: Visit, order_id: int, at: Origin = origin.QUEUE) -> Reply:
    """Why?"""
    return _ask(visit, _return(), order_id, at)


@on("adm:q:cnl", needs="order.cancel", back=orders.card)
def ask_cancel(visit: Visit, order_id: int, at: Origin = origin.QUEUE) -> Reply:
    """Why?"""
    return _ask(visit, _cancel(), order_id, at)


@on("adm:q:ret:ok", needs="order.return", back=_card)
def return_preset(visit: Visit, order_id: int, version: int, preset: str, at: Origin = origin.QUEUE) -> Reply:
    """Returned, for a ready-made reason."""
    return _do_preset(visit, _return(), order_id, version, preset, at)


@on("adm:q:cnl:ok", needs="order.cancel", back=_card)
def cancel_preset(visit: Visit, order_id: int, version: int, preset: str, at: Origin = origin.QUEUE) -> Reply:
    """Canceled, for a ready-made reason."""
    return _do_preset(visit, _cancel(), order_id, version, preset, at)


@fsm.step(RETURN, ask=lambda visit: _question(visit, _return()), needs="order.return")
def take_return(visit: Visit) -> Reply:
    """Returned, in own words."""
    return _take(visit, _return())


@fsm.step(CANCEL, ask=lambda visit: _question(visit, _cancel()), needs="order.cancel")
def take_cancel(visit: Visit) -> Reply:
    """Canceled, in own words."""
    return _take(visit, _cancel())


def _ask(visit: Visit, act: Act, order_id: int, at: Origin) -> Reply:
    order = scope.get_for(visit.member, order_id)
    if act.name not in options(order, visit.actor):
        if order.status == OrderStatus.WORKING:
            raise ConflictError(_("The work has begun: only an admin may cancel order #%(id)s.") % {"id": order.pk})
        raise ConflictError(
            _("Order #%(id)s is «%(status)s» now: this is no longer possible.")
            % {"id": order.pk, "status": order.get_status_display()}
        )
    data = {"order": order.pk, "version": order.version, "at": at}
    return Reply(_screen(order, act, order.version, at), dialog=Dialog(act.step, data))


def _question(visit: Visit, act: Act) -> Screen:
    order = scope.get_for(visit.member, visit.answer("order"))
    return _screen(order, act, visit.answer("version"), visit.answer("at"))


def _screen(order: Order, act: Act, version: int, at: Origin) -> Screen:
    rows = [[tap(text, act.path, order.pk, version, name, at)] for name, text in act.presets.items()]
    rows.append([tap(_("No, leave it"), "adm:q:card", order.pk, at)])
    return page("admin/reason.html", rows, order=order, question=act.question, consequence=act.consequence)


def _do_preset(visit: Visit, act: Act, order_id: int, version: int, preset: str, at: Origin) -> Reply:
    if preset not in act.presets:
        raise ConflictError(_("This button is out of date."))
    return _do(visit, act, order_id, version, act.presets[preset], at)


def _take(visit: Visit, act: Act) -> Reply:
    text = visit.incoming.text
    if not text:
        raise InvalidError(_("Write the reason, please: 3 to 200 characters."))
    order_id, at = visit.answer("order"), visit.answer("at")
    try:
        return _do(visit, act, order_id, visit.answer("version"), text, at)
    except (ConflictError, StaleError, ForbiddenError) as error:
        return orders.changed(visit, order_id, at, error)


def _do(visit: Visit, act: Act, order_id: int, version: int, reason: str, at: Origin) -> Reply:
    order = scope.get_for(visit.member, order_id)
    act.do(order_id=order.pk, actor=visit.actor, reason=reason, version=version)
    dispatching.serve()
    return orders.shown(visit, order_id, at, act.done)
