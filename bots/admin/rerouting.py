"""Another category, district or street for an order: chosen or found by name; what it means for the search is said."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm, words
from bots.admin import corrections, dispatching, orders, origin
from bots.admin.create.questions import as_typed, titles
from bots.admin.menu import menu_button
from bots.admin.origin import Origin
from bots.buttons import back, in_columns, page_of, pager, tap
from bots.callbacks import on
from bots.screens import Button, Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib import fields
from fieldservice.lib.errors import ConflictError, InvalidError, StaleError
from geo.models import District, Street
from geo.selectors.places import search_districts
from geo.selectors.streets import search_streets
from orders import scope
from orders.enums import Category, OfferState, OrderStatus
from orders.models import Order
from orders.services import rerouting
from orders.services.options import options
from orders.services.place import StreetElsewhere
from orders.services.rerouting import Route

RIGHT, STEP = "order.create", "adm:q:way"
COLUMNS = 2


def _card(visit: Visit, order_id: int, *rest: Any) -> Reply:
    return orders.card(visit, order_id)


def _list(visit: Visit, order_id: int, *rest: Any) -> Reply:
    return corrections.choose(visit, order_id)


@on("adm:q:way", needs=RIGHT, back=_card)
def ask(visit: Visit, order_id: int, what: str, at: Origin = origin.QUEUE) -> Reply:
    """Which one, then? `what`: category, district or street."""
    order = _open(visit, order_id)
    if what not in _CHOICES:
        raise ConflictError(_("This button is out of date."))
    return _show(order, {"order": order.pk, "version": order.version, "route": astuple(Route.of(order)), "what": what,
                         "at": at})  # fmt: skip


@on("adm:q:way:page", needs=RIGHT, back=_list)
def turn(visit: Visit, order_id: int, what: str, number: int) -> Reply:
    """Another page of the list."""
    data = _running(visit, order_id, what)
    return _show(_open(visit, order_id), data, number) if data else ask(visit, order_id, what)


@on("adm:q:way:to", needs=RIGHT, back=_list)
def choose(visit: Visit, order_id: int, what: str, value: int, at: Origin = origin.QUEUE) -> Reply:
    """One of them: a place in the list of categories, the id of a district or a street, or 0 for none."""
    data = _running(visit, order_id, what)
    return _choose(visit, data, value) if data else ask(visit, order_id, what, at)


@on("adm:q:way:yes", needs=RIGHT, back=_list)
def choose_all_the_same(visit: Visit, order_id: int, what: str, value: int, at: Origin = origin.QUEUE) -> Reply:
    """Yes: the street's district; or the district, and the street as it is written."""
    data = _running(visit, order_id, what)
    return _choose(visit, data, value, sure=True) if data else ask(visit, order_id, what, at)


@on("adm:q:way:typed", needs=RIGHT, back=_list)
def street_as_typed(visit: Visit, order_id: int, at: Origin = origin.QUEUE) -> Reply:
    """The catalogue does not have the street."""
    data = _running(visit, order_id, "street")
    if not data or not data.get("typed"):
        return ask(visit, order_id, "street", at)
    return _save(visit, data, replace(Route(*data["route"]), street_id=None, street_text=data["typed"]))


@fsm.step(STEP, ask=lambda visit: _screen(_open(visit, visit.answer("order")), _data(visit)), needs=RIGHT)
def take(visit: Visit) -> Reply:
    """A name, or a part of it."""
    data, text = _data(visit), visit.incoming.text
    order = _open(visit, data["order"])
    if data["what"] == "category":
        raise InvalidError(_("Use the buttons below, please."))
    if data["what"] == "street":
        return _show(order, data | {"typed": fields.parse_street(text)})
    found = search_districts(order.city, text) if text else []
    if not found:
        raise InvalidError(_("There is no such district. Type a part of its name, or choose it."))
    return _choose(visit, data, found[0].pk) if len(found) == 1 else _show(order, data | {"typed": text[:60]})


def _choose(visit: Visit, data: dict[str, Any], value: int, *, sure: bool = False) -> Reply:
    seen, what = Route(*data["route"]), data["what"]
    if what == "category":
        if value >= len(Category.values):
            raise ConflictError(_("This button is out of date."))
        return _save(visit, data, replace(seen, category=Category.values[value]))
    if what == "street":
        return _save(visit, data, replace(seen, street_id=value or None, street_text=""), confirm_district=sure)
    order = _open(visit, data["order"])
    street, to = order.street, replace(seen, district_id=value or None)
    if street is None or street.district_id in (None, value):
        return _save(visit, data, to)
    namesake = Street.objects.filter(city_id=order.city_id, district_id=value, name=street.name).first()
    if namesake is None and not sure:
        return _ask_about_street(order, street, data, value)
    text = "" if namesake else street.name
    return _save(visit, data, replace(to, street_id=namesake.pk if namesake else None, street_text=text))


def _save(visit: Visit, data: dict[str, Any], to: Route, *, confirm_district: bool = False) -> Reply:
    order, at, seen = _open(visit, data["order"]), Origin(data["at"]), Route(*data["route"])
    try:
        mended = rerouting.reroute(
            order_id=order.pk, to=to, seen=seen, version=data["version"], confirm_district=confirm_district,
            actor=visit.actor,
        )  # fmt: skip
    except StreetElsewhere:
        return _ask_about_district(order, to, data)
    except (ConflictError, StaleError) as error:  # a category the master has no skill for: the card can take him off
        return orders.changed(visit, order.pk, at, error)
    anew = mended.search_number != order.search_number
    if anew:
        dispatching.serve()
    said = _("Saved.")
    if mended.version == order.version:
        said = _("It stays as it is.")
    elif anew:
        said = _("Saved: the search begins anew.")
    elif order.assigned_master_id and order.status in OrderStatus.ACTIVE:
        said = _("Saved: the master is told.")
    return replace(corrections.choose(visit, order.pk, at), toast=said)


def _ask_about_district(order: Order, to: Route, data: dict[str, Any]) -> Reply:
    street = Street.objects.select_related("district").get(pk=to.street_id or 0)
    yes = tap(
        _("Yes, %(name)s") % {"name": street.district}, "adm:q:way:yes", order.pk, "street", street.pk, data["at"]
    )
    other = tap(_("Another street"), "adm:q:way", order.pk, "street", data["at"])
    screen = page("admin/new_elsewhere.html", [[yes], [other]], street=street, here=order.district)
    return Reply(screen, dialog=Dialog(STEP, data))


def _ask_about_street(order: Order, street: Street, data: dict[str, Any], value: int) -> Reply:
    here = District.objects.filter(pk=value, city_id=order.city_id).first()
    if value and here is None:
        raise ConflictError(_("This button is out of date."))
    name = here.name if here else _("no district")
    yes = tap(_("Yes, %(name)s") % {"name": name}, "adm:q:way:yes", order.pk, "district", value, data["at"])
    other = tap(_("Another street"), "adm:q:way", order.pk, "street", data["at"])
    rows = [[yes], [other], [back("adm:q:way", order.pk, "district", data["at"])]]
    screen = page("admin/reroute_street.html", rows, order=order, street=street, here=here)
    return Reply(screen, dialog=Dialog(STEP, data))


def _open(visit: Visit, order_id: int) -> Order:
    """The order, if its work is not done."""
    order = scope.get_for(visit.member, order_id)
    if "reroute" not in options(order, visit.actor):
        raise ConflictError(rerouting.too_late(order))
    return order


def _data(visit: Visit) -> dict[str, Any]:
    assert visit.dialog is not None
    return dict(visit.dialog.data)


def _running(visit: Visit, order_id: int, what: str) -> dict[str, Any]:
    """What was asked, when it was asked about this; a button of an older question asks again."""
    data = _data(visit) if visit.dialog and visit.dialog.step == STEP else {}
    return data if (data.get("order"), data.get("what")) == (order_id, what) else {}


def _show(order: Order, data: dict[str, Any], number: int = 1) -> Reply:
    return Reply(_screen(order, data, number), dialog=Dialog(STEP, data))


def _screen(order: Order, data: dict[str, Any], number: int = 1) -> Screen:
    what, at = data["what"], data["at"]
    rows = [*_CHOICES[what](order, data, number), [back("adm:q:fix", order.pk, at), menu_button()]]
    live = order.offers.filter(state__in=OfferState.LIVE, expires_at__gt=timezone.now()).select_related("master")
    offer = live.first() if order.status in OrderStatus.SEARCH else None
    return page(
        "admin/reroute.html", rows, order=order, what=what, title=titles()[what], typed=data.get("typed", ""),
        none_found=len(rows) == 2, value=corrections.shown(order, what), live=offer,
        until=words.clock(offer.expires_at, order.city) if offer else "",
        at_work=order.assigned_master if order.status in OrderStatus.ACTIVE else None,
    )  # fmt: skip


def _categories(order: Order, data: dict[str, Any], number: int) -> list[list[Button]]:
    return in_columns([tap(str(label), "adm:q:way:to", order.pk, "category", place, data["at"])
                       for place, (code, label) in enumerate(Category.choices) if code != order.category])  # fmt: skip


def _districts(order: Order, data: dict[str, Any], number: int) -> list[list[Button]]:
    found = [row for row in search_districts(order.city, data.get("typed", "")) if row.pk != order.district_id]
    offered, number, pages = page_of(found, number, COLUMNS)
    buttons = [tap(row.name, "adm:q:way:to", order.pk, "district", row.pk, data["at"]) for row in offered]
    rows = [*in_columns(buttons), pager("adm:q:way:page", number, pages, order.pk, "district")]
    if data.get("typed"):
        rows.append([tap(_("All districts"), "adm:q:way", order.pk, "district", data["at"])])
    if order.district_id:
        rows.append([tap(_("No district"), "adm:q:way:to", order.pk, "district", 0, data["at"])])
    return rows


def _streets(order: Order, data: dict[str, Any], number: int) -> list[list[Button]]:
    typed = data.get("typed", "")
    if typed:
        found = search_streets(order.city, typed)
        rows = [[tap(str(hit), "adm:q:way:to", order.pk, "street", hit.street.pk, data["at"])] for hit in found]
        return [*rows, [tap(as_typed(typed), "adm:q:way:typed", order.pk, data["at"])]]
    if order.street_name:
        return [[tap(_("🗑 Leave empty"), "adm:q:way:to", order.pk, "street", 0, data["at"])]]
    return []


_CHOICES = {"category": _categories, "district": _districts, "street": _streets}
