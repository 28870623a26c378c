"""Orders of the member's cities: the queue and the order card."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import words
from bots.admin.menu import menu_button
from bots.buttons import back, pager, tap
from bots.callbacks import on
from bots.screens import PAGE, Button, Rows, Screen, page
from bots.visit import Reply, Visit
from fieldservice.lib.phones import show_phone
from orders import scope
from orders.enums import OrderStatus
from orders.models import Order, OrderStatusHistory
from orders.services import manual
from staff.models import StaffUser

QUEUE = (*OrderStatus.SEARCH, *OrderStatus.ACTIVE, OrderStatus.DEFERRED)


@on("adm:q:list")
def queue(visit: Visit, number: int = 1) -> Reply:
    """Orders that are not finished, newest first; one row more than a page tells whether there is a next one."""
    number = max(number, 1)
    rows_ = scope.visible_to(visit.member).filter(status__in=QUEUE).order_by("-created_at", "-id")
    found = list(rows_[(number - 1) * PAGE : number * PAGE + 1])
    items, more = found[:PAGE], len(found) > PAGE
    rows = [[tap(_("Open #%(id)s") % {"id": order.pk}, "adm:q:card", order.pk, number)] for order in items]
    rows += [pager("adm:q:list", number, number + more), [tap(_("🔄 Refresh"), "adm:q:list", number), menu_button()]]
    return Reply(page("admin/orders.html", rows, orders=items, page=number))


@on("adm:q:card", back=lambda visit, order_id, number=1: queue(visit, number))
def card(visit: Visit, order_id: int, number: int = 1) -> Reply:
    """One order."""
    return Reply(screen(visit.member, order_id, number))


@on(
    "adm:q:again",
    needs="order.offer",
    back=lambda visit, order_id, version=0, number=1, search=0: card(visit, order_id, number),
)
def search_again(visit: Visit, order_id: int, version: int, number: int = 1, search: int = 0) -> Reply:
    """A new search from round 1. A button of an older card is refused: the order has changed since."""
    order = scope.get_for(visit.member, order_id)
    manual.search_again(order_id=order.pk, actor=visit.actor, version=version, search=search or None)
    return Reply(screen(visit.member, order_id, number), toast=_("The search has begun anew."))


def screen(member: StaffUser, order_id: int, number: int = 1, *, came_from: Button | None = None) -> Screen:
    """The card; `came_from` replaces the way back to the queue. Raises NotFoundError for an order of another city."""
    order = scope.get_for(member, order_id)
    history = OrderStatusHistory.objects.filter(order_id=order.pk).select_related(
        "changed_by_staff", "changed_by_master"
    )
    return page(
        "admin/order.html",
        _rows(order, number, came_from or back("adm:q:list", number)),
        order=order,
        offers=list(order.offers.select_related("master").order_by("-sent_at", "-id")[:5]),
        history=reversed(history.order_by("-created_at", "-id")[:5]),
        waiting=waiting_minutes(order),
    )


def waiting_minutes(order: Order) -> int:
    """Minutes the order has been searching for a master."""
    begin = order.search_started_at or order.created_at
    return int((timezone.now() - begin).total_seconds() // 60)


def search_buttons(order: Order, number: int = 1) -> list[Button]:
    """What staff do with an order that has no master."""
    return [
        tap(_("👤 Assign"), "adm:q:asg", order.pk, 1),
        tap(_("🔁 Search again"), "adm:q:again", order.pk, order.version, number, order.search_number),
    ]


def _rows(order: Order, number: int, way_back: Button) -> Rows:
    rows: list[list[Button]] = []
    if order.status in OrderStatus.SEARCH:
        rows.append(search_buttons(order, number))
    elif order.status == OrderStatus.DEFERRED:
        rows.append([tap(_("👤 Assign"), "adm:q:asg", order.pk, 1)])
    rows.append(_copies(order))
    rows.append([tap(_("🔄 Refresh"), "adm:q:card", order.pk, number), way_back, menu_button()])
    return rows


def _copies(order: Order) -> list[Button]:
    values = {
        _("📋 Client"): show_phone(order.client_phone),
        _("📋 Master"): show_phone(order.assigned_master.phone) if order.assigned_master else "",
        _("📋 Address"): words.address(order, flat=True),
    }
    return [Button(name, copy=value) for name, value in values.items() if value]
