"""Who is asked: by dispatch, one master by hand, or assigned without being asked."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from bots import fsm
from bots.admin import dispatching, orders, origin
from bots.admin.menu import menu_button
from bots.admin.origin import Origin
from bots.buttons import back, page_of, tap
from bots.callbacks import on
from bots.screens import Button, Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError, InvalidError
from orders import scope
from orders.services import manual
from staff import access

NAME = "adm:q:asg:name"
OFFER, DIRECT = "offer", "direct"


def _card(visit: Visit, order_id: int, *rest: Any) -> Reply:
    return orders.card(visit, order_id)


@on("adm:q:asg", needs="order.offer", back=_card)
def choose(visit: Visit, order_id: int, number: int = 1, at: Origin = origin.QUEUE, mode: str = OFFER) -> Reply:
    """Whom? Ranked as dispatch would; a part of the name may be typed."""
    data = {"order": order_id, "at": at, "mode": mode}
    return Reply(_list(visit, order_id, number, at, mode), dialog=Dialog(NAME, data))


@fsm.step(NAME, ask=lambda visit: _again(visit, ""), needs="order.offer")
def take_name(visit: Visit) -> Reply:
    """Only masters with this in their name."""
    if len(visit.incoming.text) < 2:
        raise InvalidError(_("Type at least two letters of the name, or choose a master."))
    return Reply(_again(visit, visit.incoming.text), dialog=visit.dialog)


@on("adm:q:auto", needs="order.offer", back=_card)
def auto(visit: Visit, order_id: int, version: int, at: Origin = origin.QUEUE) -> Reply:
    """Dispatch looks at the order at once."""
    order = scope.get_for(visit.member, order_id)
    manual.nudge(order_id=order.pk, actor=visit.actor, version=version)
    dispatching.serve()
    return orders.shown(visit, order_id, at, _("Dispatch has looked at the order."))


@on(
    "adm:q:pick",
    needs="order.offer",
    back=lambda visit, order_id, _master, number=1, at="": choose(visit, order_id, number),
)
def pick(visit: Visit, order_id: int, master_id: int, number: int = 1, at: Origin = origin.QUEUE) -> Reply:
    """Offer to a free master at once; one who is not free needs a second tap."""
    return _offer(visit, order_id, master_id, number, at, confirmed=False)


@on("adm:q:pick_yes", needs="order.offer", back=_card)
def pick_confirmed(visit: Visit, order_id: int, master_id: int, at: Origin = origin.QUEUE) -> Reply:
    """The member has seen what speaks against the master."""
    return _offer(visit, order_id, master_id, 1, at, confirmed=True)


@on("adm:q:dir", needs="order.assign", back=_card)
def ask_direct(visit: Visit, order_id: int, master_id: int, number: int = 1, at: Origin = origin.QUEUE) -> Reply:
    """Assign without asking: always a second tap, with what speaks against it."""
    order = scope.get_for(visit.member, order_id)
    found = manual.candidates(order_id=order.pk, actor=visit.actor)
    candidate = next((one for one in found if one.master_id == master_id), None)
    if candidate is None:
        raise ConflictError(_("This master cannot work in the order's city now."))
    question = _("Assign %(name)s without asking? He is told.") % {"name": candidate.name}
    if candidate.note:
        question += " " + _("Now: %(note)s.") % {"note": candidate.note}
    yes = tap(_("Yes, assign"), "adm:q:dir:ok", order_id, master_id, order.version, at)
    rows = [[yes, tap(_("No"), "adm:q:asg", order_id, number, at, DIRECT)]]
    return Reply(page("admin/confirm.html", rows, order=order, question=question))


@on("adm:q:dir:ok", needs="order.assign", back=_card)
def assign(visit: Visit, order_id: int, master_id: int, version: int, at: Origin = origin.QUEUE) -> Reply:
    """Assigned."""
    order = scope.get_for(visit.member, order_id)
    manual.assign(order_id=order.pk, master_id=master_id, actor=visit.actor, confirmed=True, version=version)
    return orders.shown(visit, order_id, at, _("Assigned: the master is told."))


def _again(visit: Visit, name: str) -> Screen:
    return _list(visit, visit.answer("order"), 1, visit.answer("at"), visit.answer("mode"), name)


def _list(visit: Visit, order_id: int, number: int, at: Origin, mode: str, name: str = "") -> Screen:
    order = scope.get_for(visit.member, order_id)
    direct = mode == DIRECT and access.may(visit.member.role, "order.assign")
    found = manual.candidates(order_id=order.pk, actor=visit.actor, name=name)
    items, number, pages = page_of(found, number)
    path = "adm:q:dir" if direct else "adm:q:pick"
    rows: list[list[Button]] = [
        [tap(("✅ " if c.available else "⚠️ ") + c.name, path, order_id, c.master_id, number, at)] for c in items
    ]
    mode = DIRECT if direct else OFFER
    if not name:
        rows.append([tap(sign, "adm:q:asg", order_id, to, at, mode) for sign, to in _turns(number, pages)])
    rows += _modes(visit, order, at, direct)
    rows.append([back("adm:q:card", order_id, at), menu_button()])
    facts = {"candidates": items, "page": number, "pages": pages, "direct": direct, "name": name}
    return page("admin/assign.html", rows, order=order, **facts)


def _modes(visit: Visit, order: Any, at: Origin, direct: bool) -> list[list[Button]]:
    rows = [] if order.district_id is None else [[tap(_("🤖 Auto"), "adm:q:auto", order.pk, order.version, at)]]
    if access.may(visit.member.role, "order.assign"):
        text = _("🔁 Offer instead") if direct else _("🎯 Assign without asking")
        rows.append([tap(text, "adm:q:asg", order.pk, 1, at, OFFER if direct else DIRECT)])
    return rows


def _turns(number: int, pages: int) -> list[tuple[str, int]]:
    return [("◀", number - 1)] * (number > 1) + [("▶", number + 1)] * (number < pages)


def _offer(visit: Visit, order_id: int, master_id: int, number: int, at: Origin, *, confirmed: bool) -> Reply:
    order = scope.get_for(visit.member, order_id)
    try:
        manual.offer(order_id=order.pk, master_id=master_id, actor=visit.actor, confirmed=confirmed)
    except ConflictError as error:
        if error.code != "confirm":
            raise
        yes = tap(_("Yes, offer"), "adm:q:pick_yes", order_id, master_id, at)
        rows = [[yes, tap(_("No"), "adm:q:asg", order_id, number, at)]]
        return Reply(page("admin/confirm.html", rows, order=order, question=str(error)))
    return orders.shown(visit, order_id, at, _("The offer is on its way."))
