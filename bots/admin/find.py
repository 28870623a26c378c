"""Search of orders: one question, whatever is typed."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm
from bots.admin import orders, origin, queue
from bots.admin.menu import menu_button
from bots.buttons import back, page_of, pager, tap
from bots.callbacks import on
from bots.screens import Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.clean import clean, shorten
from fieldservice.lib.errors import InvalidError
from orders import scope
from orders.search import MOST, search
from staff.models import StaffUser
from staff.services import preferences

SEARCH = "adm:q:search"
origin.register("s", "adm:q:found")


@on("adm:q:search")
def ask_search(visit: Visit) -> Reply:
    """What are you looking for?"""
    return Reply(_search_screen(visit), dialog=Dialog(SEARCH))


@fsm.step(SEARCH, ask=lambda visit: _search_screen(visit))
def take_search(visit: Visit) -> Reply:
    """A number, a phone, a name, an address. A single hit is opened at once."""
    text = visit.incoming.text
    if not text:
        raise InvalidError(_("Type a number, a phone, a name or an address, please."))
    found = _found(visit.member, text)
    preferences.remember(visit.member, "search", {"text": clean(text)[:80]})
    if len(found) == 1:
        return orders.shown(visit, found[0], origin.word("s", 1))
    return results(visit)


@on("adm:q:found")
def results(visit: Visit, number: int = 1) -> Reply:
    """What the last search found."""
    text = preferences.get(visit.member, "search").get("text", "")
    found = _found(visit.member, text) if text else []
    numbers, number, pages = page_of(found, number)
    rows_by_pk = scope.visible_to(visit.member).in_bulk(numbers)
    items = [rows_by_pk[pk] for pk in numbers if pk in rows_by_pk]
    rows = queue.openers(items, "s", number)
    rows += [pager("adm:q:found", number, pages), [tap(_("🔎 Search"), "adm:q:search"), back("adm:q"), menu_button()]]
    title, empty = _("Found: «%(text)s»") % {"text": shorten(text)}, _("Nothing was found in your cities.")
    most = MOST if len(found) >= MOST else 0
    return Reply(queue.shown(rows, items, number, title=title, empty=empty, most=most))


def _found(member: StaffUser, text: str) -> list[int]:
    try:
        return search(member, text, now=timezone.now())
    except InvalidError as error:
        raise InvalidError(_("Type at least three letters, please.")) from error


def _search_screen(visit: Visit) -> Screen:
    last = preferences.get(visit.member, "search").get("text", "")
    rows = [[tap(_("🕘 %(text)s") % {"text": shorten(last, 30)}, "adm:q:found")]] if last else []
    return page("admin/search.html", [*rows, [back("adm:q"), menu_button()]])
