"""Orders as lists: the queue, what waits for staff, under guarantee, closed; by the person's filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bots.admin import origin
from bots.admin.menu import menu_button
from bots.buttons import back, pager, tap
from bots.callbacks import on
from bots.screens import PAGE, Button, Rows, Screen, page
from bots.visit import Reply, Visit
from fieldservice.lib.errors import NotFoundError
from orders import lists, scope
from orders.enums import Category, OrderStatus
from orders.lists import Filter
from orders.models import Order
from staff import scope as staff_scope
from staff.models import StaffUser
from staff.services import preferences

#: kind of list → (letter of its cards' addresses, path)
LISTS = {
    "queue": ("q", "adm:q:list"),
    "escalated": ("e", "adm:q:esc"),
    "guarantee": ("w", "adm:q:war"),
    "closed": ("c", "adm:q:cls"),
}
for _letter, _path in LISTS.values():
    origin.register(_letter, _path)
origin.register("m", "adm:q:of")


@on("adm:q")
def menu(visit: Visit) -> Reply:
    """Orders: how many of which kind."""
    chosen, now = filter_of(visit.member), timezone.now()
    counts = {kind: lists.count(lists.orders(kind, visit.member, chosen, now=now)) for kind in lists.KINDS}
    names = {
        "queue": _("📋 Queue (%(count)s)"),
        "escalated": _("🔴 Waiting for you (%(count)s)"),
        "guarantee": _("🛡 Under guarantee (%(count)s)"),
        "closed": _("✅ Closed (%(count)s)"),
    }
    buttons = [tap(names[kind] % {"count": _many(counts[kind])}, LISTS[kind][1]) for kind in lists.KINDS]
    rows = [
        *([button] for button in buttons),
        [tap(_("🔎 Search"), "adm:q:search"), tap(_("🎛 Filters"), "adm:q:flt")],
        [tap(_("🔄 Refresh"), "adm:q"), menu_button()],
    ]
    return Reply(page("admin/orders_menu.html", rows, filter=words(visit.member, chosen)))


@on("adm:q:list")
def queue(visit: Visit, number: int = 1) -> Reply:
    """Orders that are not finished, newest first."""
    return _listed(visit, "queue", number)


@on("adm:q:esc")
def escalated(visit: Visit, number: int = 1) -> Reply:
    """Orders dispatch gave to staff, the longest waiting first."""
    return _listed(visit, "escalated", number)


@on("adm:q:war")
def guarantee(visit: Visit, number: int = 1) -> Reply:
    """Closed orders whose guarantee runs, the one that ends first on top."""
    return _listed(visit, "guarantee", number)


@on("adm:q:cls")
def closed(visit: Visit, number: int = 1) -> Reply:
    """Closed orders, newest first."""
    return _listed(visit, "closed", number)


@on("adm:q:of", needs="master.see")
def of_master(visit: Visit, master_id: int, number: int = 1) -> Reply:
    """A master's orders in any state, newest first; the filters do not count here."""
    number = max(number, 1)
    master = staff_scope.masters(visit.member).filter(pk=master_id).first()
    if master is None:
        raise NotFoundError(_("There is no such master."))
    seen = scope.visible_to(visit.member).filter(assigned_master_id=master.pk).order_by("-id")
    found = list(seen[(number - 1) * PAGE : number * PAGE + 1])
    items, more = found[:PAGE], len(found) > PAGE
    rows = [[tap(_("Open #%(id)s") % {"id": one.pk}, "adm:q:card", one.pk, origin.word("m", master.pk, number))]
            for one in items]  # fmt: skip
    rows += [pager("adm:q:of", number, number + more, master.pk), [back("adm:m:card", master.pk), menu_button()]]
    empty = _("This master has had no orders in your cities.")
    return Reply(shown(rows, items, number, title=master.full_name, empty=empty))


def filter_of(member: StaffUser) -> Filter:
    """The filters this person has set."""
    chosen = Filter.read(preferences.get(member, "orders"))
    if chosen.city and not staff_scope.cities(member).filter(pk=chosen.city).exists():
        return Filter.read(chosen.as_dict() | {"city": 0})  # a city one has lost
    return chosen


def words(member: StaffUser, chosen: Filter) -> str:
    """The filters on one line; empty without any."""
    days = {"today": _("today"), "tomorrow": _("tomorrow"), "yesterday": _("yesterday")}
    city = staff_scope.cities(member).filter(pk=chosen.city).first() if chosen.city else None
    master = staff_scope.masters(member).filter(pk=chosen.master).first() if chosen.master else None
    parts = [
        city.name if city else "",
        str(Category(chosen.category).label) if chosen.category else "",
        str(OrderStatus(chosen.status).label) if chosen.status else "",
        days.get(chosen.day, chosen.day),
        (master.full_name if master else f"#{chosen.master}") if chosen.master else "",
    ]
    return ", ".join(part for part in parts if part)


def _listed(visit: Visit, kind: str, number: int) -> Reply:
    """A page of a list; one row more than a page tells whether there is a next one."""
    number, now, chosen = max(number, 1), timezone.now(), filter_of(visit.member)
    rows_ = lists.orders(kind, visit.member, chosen, now=now)
    found = list(rows_[(number - 1) * PAGE : number * PAGE + 1])
    if not found and number > 1:
        return _listed(visit, kind, 1)
    items, more, (letter, path) = found[:PAGE], len(found) > PAGE, LISTS[kind]
    rows = openers(items, letter, number)
    rows += [pager(path, number, number + more), [tap(_("🎛 Filters"), "adm:q:flt"), tap(_("🔄 Refresh"), path, number)]]
    rows.append([back("adm:q"), menu_button()])
    titles = {
        "queue": (_("Queue"), _("There are no open orders in your cities.")),
        "escalated": (_("Waiting for you"), _("No order waits for you.")),
        "guarantee": (_("Under guarantee"), _("No closed order is under guarantee.")),
        "closed": (_("Closed orders"), _("There are no closed orders in your cities.")),
    }
    title, empty = titles[kind]
    chosen_words = words(visit.member, chosen)
    return Reply(shown(rows, items, number, title=title, empty=empty, filter=chosen_words, kind=kind))


def shown(rows: Rows, items: Sequence[Order], number: int, *, title: str, empty: str, **facts: Any) -> Screen:
    """A page of orders. `filter`: what is filtered, in words; `kind` of the list; `most`: how many a search shows."""
    known = {"filter": "", "kind": "", "most": 0, "now": timezone.now()}
    return page("admin/orders.html", rows, orders=items, page=number, title=title, empty=empty, **known | facts)


def openers(items: Sequence[Order], letter: str, number: int) -> list[list[Button]]:
    """A button per order; its card leads back to this page."""
    at = origin.word(letter, number)
    return [[tap(_("Open #%(id)s") % {"id": order.pk}, "adm:q:card", order.pk, at)] for order in items]


def _many(count: int) -> str:
    return f"{lists.COUNTED}+" if count > lists.COUNTED else str(count)
