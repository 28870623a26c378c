"""Offering an order by hand: all masters of the city, those who are not free marked and confirmed."""

from __future__ import annotations

from django.utils.translation import gettext as _

from bots.admin import orders
from bots.admin.menu import menu_button
from bots.buttons import back, page_of, pager, tap
from bots.callbacks import on
from bots.screens import page
from bots.visit import Reply, Visit
from fieldservice.lib.errors import ConflictError
from orders import scope
from orders.services import manual


@on("adm:q:asg", needs="order.offer", back=lambda visit, order_id, number=1: orders.card(visit, order_id))
def choose(visit: Visit, order_id: int, number: int = 1) -> Reply:
    """Whom? The free ones come first."""
    order = scope.get_for(visit.member, order_id)
    found = manual.candidates(order_id=order.pk, actor=visit.actor)
    items, number, pages = page_of(found, number)
    rows = [
        [tap(("✅ " if c.available else "⚠️ ") + c.name[:50], "adm:q:pick", order_id, c.master_id, number)]
        for c in items
    ]
    rows.append(pager("adm:q:asg", number, pages, order_id))
    rows.append([back("adm:q:card", order_id), menu_button()])
    return Reply(page("admin/assign.html", rows, order=order, candidates=items, page=number, pages=pages))


@on("adm:q:pick", needs="order.offer", back=lambda visit, order_id, _master, number=1: choose(visit, order_id, number))
def pick(visit: Visit, order_id: int, master_id: int, number: int = 1) -> Reply:
    """Offer to a free master at once; one who is not free needs a second tap."""
    return _offer(visit, order_id, master_id, number, confirmed=False)


@on("adm:q:pick_yes", needs="order.offer", back=lambda visit, order_id, _master: orders.card(visit, order_id))
def pick_confirmed(visit: Visit, order_id: int, master_id: int) -> Reply:
    """The member has seen what speaks against the master."""
    return _offer(visit, order_id, master_id, 1, confirmed=True)


def _offer(visit: Visit, order_id: int, master_id: int, number: int, *, confirmed: bool) -> Reply:
    order = scope.get_for(visit.member, order_id)
    try:
        manual.offer(order_id=order.pk, master_id=master_id, actor=visit.actor, confirmed=confirmed)
    except ConflictError as error:
        if error.code != "confirm":
            raise
        yes = tap(_("Yes, offer"), "adm:q:pick_yes", order_id, master_id)
        rows = [[yes, tap(_("No"), "adm:q:asg", order_id, number)]]
        return Reply(page("admin/confirm.html", rows, order=order, question=str(error)))
    return Reply(orders.screen(visit.member, order_id), toast=_("The offer is on its way."))
