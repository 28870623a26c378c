"""Orders on the master's hands: list, card, on my way, on site."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from bots import words
from bots.buttons import back, page_of, pager, tap
from bots.callbacks import on
from bots.master import past
from bots.master.menu import menu_button
from bots.media import Enclosure
from bots.screens import Button, Screen, page
from bots.visit import Reply, Visit
from fieldservice.lib.errors import NotFoundError
from fieldservice.lib.phones import show_phone
from finance.selectors import commission_for
from orders.enums import OrderStatus, OrderType
from orders.models import Order
from orders.selectors import active_orders, order_files, order_of
from orders.services import lifecycle


@on("m:act", needs="approved")
def active_list(visit: Visit, number: int = 1) -> Reply:
    """The orders between acceptance and the approved payment."""
    items, number, pages = page_of(active_orders(master_id=visit.master.pk), number)
    rows = [[tap(_("Open #%(id)s") % {"id": order.pk}, "m:act:card", order.pk, number)] for order in items]
    rows += [pager("m:act", number, pages), [tap(_("🔄 Refresh"), "m:act", number), menu_button()]]
    lines = [line(order) for order in items]
    return Reply(page("master/active.html", rows, lines=lines, page=number, pages=pages))


def line(order: Order) -> dict[str, str]:
    """An order in a list, in words: a template puts them together in ten times as long."""
    return {
        "mark": "🛡 " if order.type == OrderType.GUARANTEE else "",
        "number": f"#{order.pk}",
        "job": f"{order.get_status_display()} · {order.get_category_display()} · {words.slot(order)}",
        "place": words.address(order),
    }


@on("m:act:card", needs="approved", back=lambda visit, order_id, number=1: active_list(visit, number))
def card(visit: Visit, order_id: int, number: int = 1) -> Reply:
    """One order of the master, finished ones included."""
    return Reply(screen(own(visit, order_id), number))


@on("m:act:enr", needs="approved", back=card)
def depart(visit: Visit, order_id: int, number: int = 1) -> Reply:
    """On my way."""
    return _step(visit, lifecycle.depart, order_id, number, _("Have a good trip."))


@on("m:act:wrk", needs="approved", back=card)
def start_work(visit: Visit, order_id: int, number: int = 1) -> Reply:
    """On site."""
    return _step(visit, lifecycle.start_work, order_id, number, _("Noted: you are on site."))


@on("m:act:files", needs="approved", back=card)
def show_files(visit: Visit, order_id: int, number: int = 1) -> Reply:
    """What staff and the master have attached to the order."""
    order = own(visit, order_id)
    found = order_files(order.pk)
    if not found:
        raise NotFoundError(_("There are no files."))
    names = {"act": _("Act")}
    files = tuple(
        Enclosure(row.file_type, row.file_id, row.bot, row.file_name or "", ": ".join(filter(None, (
            f"#{order.pk}", names.get(row.document_type or ""), row.caption,
        ))))
        for row in found
    )  # fmt: skip
    return Reply(screen(order, number), files=files)


def screen(order: Order, number: int = 1, *, came_from: Button | None = None) -> Screen:
    """The card of an own order: everything the master needs to get there and to work.

    One that is over opens as that: an old button is no way to a client of years ago. `came_from` replaces the way
    back to the list.
    """
    if order.status in OrderStatus.FINAL:
        return past.screen(order, came_from=came_from)
    owed = order.status == OrderStatus.PAYMENT  # before the act there is no commission to look for
    commission = commission_for(order_id=order.pk, master_id=order.assigned_master_id or 0) if owed else None
    rows = [_next(order, number), _copies(order), [Button(_("🗺 Map"), url=words.map_url(order))]]
    if files := len(order_files(order.pk)):
        rows[2].append(tap(_("📎 Files (%(count)s)") % {"count": files}, "m:act:files", order.pk, number))
    if commission and not came_from:
        rows.append([tap(_("💳 Commission #%(id)s") % {"id": commission.pk}, "m:act:cm", order.pk, number)])
    rows.append([came_from or back("m:act", number), menu_button()])
    return page(
        "master/order.html", rows, order=order, commission=commission, guarantee=order.type == OrderType.GUARANTEE
    )


def own(visit: Visit, order_id: int) -> Order:
    """The master's own order, in any state. Raises NotFoundError."""
    order = order_of(master_id=visit.master.pk, order_id=order_id)
    if order is None:
        raise NotFoundError(_("Order #%(id)s is not yours any more.") % {"id": order_id})
    return order


def _step(visit: Visit, service: Callable[..., Order], order_id: int, number: int, toast: str) -> Reply:
    service(order_id=order_id, actor=visit.actor)
    return Reply(screen(own(visit, order_id), number), toast=toast)


def _next(order: Order, number: int) -> list[Button]:
    if order.status == OrderStatus.ASSIGNED:
        return [tap(_("🚗 On my way"), "m:act:enr", order.pk, number)]
    if order.status == OrderStatus.EN_ROUTE:
        return [tap(_("🔧 On site"), "m:act:wrk", order.pk, number)]
    if order.status == OrderStatus.WORKING:
        return [tap(_("🏁 Close"), "m:act:cls", order.pk)]
    return []


def _copies(order: Order) -> list[Button]:
    row = [Button(_("📋 Address"), copy=words.address(order, flat=True))]
    return [Button(_("📋 Phone"), copy=show_phone(order.client_phone)), *row] if order.client_phone else row
