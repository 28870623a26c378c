"""Filters of the lists of orders: city, category, status, day of the visit, master. Remembered per person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm
from bots.admin import queue
from bots.admin.menu import menu_button
from bots.buttons import back, page_of, pager, tap
from bots.callbacks import on
from bots.screens import Button, Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import InvalidError
from geo.selectors.places import search_cities
from orders import lists
from orders.enums import Category, OrderStatus
from orders.lists import Filter
from staff import scope
from staff.services import preferences

CITY, DAY, MASTER = "adm:q:flt:city", "adm:q:flt:day", "adm:q:flt:master"
ANY = "any"
COLUMNS = 2


@on("adm:q:flt")
def menu(visit: Visit) -> Reply:
    """What is filtered now."""
    chosen, member = queue.filter_of(visit.member), visit.member
    here = {name: queue.words(member, Filter.read({name: value})) for name, value in chosen.as_dict().items()}
    captions = {
        "city": (_("🏙 City: %(value)s"), "adm:q:flt:city"),
        "category": (_("🔧 Category: %(value)s"), "adm:q:flt:cat"),
        "status": (_("📌 Status: %(value)s"), "adm:q:flt:st"),
        "day": (_("🕒 Visit: %(value)s"), "adm:q:flt:day"),
        "master": (_("👤 Master: %(value)s"), "adm:q:flt:master"),
    }
    rows = [[tap(text % {"value": here.get(name) or _("any")}, path)] for name, (text, path) in captions.items()]
    found = lists.count(lists.orders("queue", member, chosen, now=timezone.now()))
    rows.append([tap(_("📋 Show (%(count)s)") % {"count": found}, "adm:q:list"), tap(_("♻️ Reset"), "adm:q:flt:off")])
    return Reply(page("admin/filters.html", [*rows, [back("adm:q"), menu_button()]]))


@on("adm:q:flt:off")
def reset(visit: Visit) -> Reply:
    """No filters."""
    preferences.remember(visit.member, "orders", {})
    return replace(menu(visit), toast=_("The filters are off."))


@on("adm:q:flt:city")
def choose_city(visit: Visit, number: int = 1) -> Reply:
    """Which of the own cities? A part of the name may be typed."""
    return Reply(_cities(visit, "", number), dialog=Dialog(CITY))


@fsm.step(CITY, ask=lambda visit: _cities(visit, "", 1))
def take_city(visit: Visit) -> Reply:
    """The cities like what was typed; the only one is taken."""
    text = visit.incoming.text
    found = search_cities(text, among=scope.cities(visit.member)) if text else []
    if not found:
        raise InvalidError(_("There is no such city among yours. Type a part of its name, or choose it."))
    return set_city(visit, found[0].pk) if len(found) == 1 else Reply(_cities(visit, text, 1), dialog=Dialog(CITY))


@on("adm:q:flt:c")
def set_city(visit: Visit, city_id: int) -> Reply:
    """0: any."""
    own = scope.cities(visit.member).filter(pk=city_id).exists()
    return _set(visit, city=city_id if own else 0)


@on("adm:q:flt:cat")
def choose_category(visit: Visit) -> Reply:
    """Which category?"""
    chosen = queue.filter_of(visit.member).category
    return Reply(_choices(_("Category"), _("Any category"), "adm:q:flt:k", Category.choices, chosen))


@on("adm:q:flt:k")
def set_category(visit: Visit, value: str) -> Reply:
    """`any`, or a category."""
    return _set(visit, category=value)


@on("adm:q:flt:st")
def choose_status(visit: Visit) -> Reply:
    """Which status? Closed and canceled orders, too."""
    chosen = queue.filter_of(visit.member).status
    return Reply(_choices(_("Status"), _("Any status"), "adm:q:flt:s", OrderStatus.choices, chosen))


@on("adm:q:flt:s")
def set_status(visit: Visit, value: str) -> Reply:
    """`any`, or a status."""
    return _set(visit, status=value)


@on("adm:q:flt:day")
def choose_day(visit: Visit) -> Reply:
    """On which day is the visit?"""
    return Reply(_days(visit), dialog=Dialog(DAY))


@on("adm:q:flt:d")
def set_day(visit: Visit, word: str) -> Reply:
    """`any`, `today` …"""
    return _set(visit, day=word)


@fsm.step(DAY, ask=lambda visit: _days(visit))
def take_day(visit: Visit) -> Reply:
    """A date, typed."""
    return _set(visit, day=_read_date(visit.incoming.text, timezone.localdate()).isoformat())


@on("adm:q:flt:master")
def choose_master(visit: Visit) -> Reply:
    """Whose orders?"""
    return Reply(_masters(visit, ""), dialog=Dialog(MASTER))


@fsm.step(MASTER, ask=lambda visit: _masters(visit, ""))
def take_master(visit: Visit) -> Reply:
    """A part of the name; the only one is taken."""
    text = visit.incoming.text
    if len(text) < 2:
        raise InvalidError(_("Type at least two letters of the name, please."))
    found = list(scope.masters(visit.member).filter(full_name__icontains=text)[:2])
    if not found:
        raise InvalidError(_("There is no such master in your cities. Type a part of the name, please."))
    return set_master(visit, found[0].pk) if len(found) == 1 else Reply(_masters(visit, text), dialog=Dialog(MASTER))


@on("adm:q:flt:m")
def set_master(visit: Visit, master_id: int) -> Reply:
    """0: any."""
    own = scope.masters(visit.member).filter(pk=master_id).exists()
    return _set(visit, master=master_id if own else 0)


def _set(visit: Visit, **values: str | int) -> Reply:
    kept = queue.filter_of(visit.member).as_dict() | values
    preferences.remember(visit.member, "orders", Filter.read(kept).as_dict())
    return menu(visit)


def _cities(visit: Visit, text: str, number: int) -> Screen:
    found = search_cities(text, among=scope.cities(visit.member))
    shown, number, pages = page_of(found, number, COLUMNS)
    buttons = [tap(city.name, "adm:q:flt:c", city.pk) for city in shown]
    rows = [buttons[at : at + COLUMNS] for at in range(0, len(buttons), COLUMNS)]
    rows += [[] if text else pager("adm:q:flt:city", number, pages), [tap(_("Any city"), "adm:q:flt:c", 0)]]
    hint = _("Choose a city, or type a part of its name.")
    return page("admin/filter.html", [*rows, [back("adm:q:flt")]], title=_("City"), hint=hint)


def _choices(title: str, none: str, path: str, choices: Iterable[tuple[str, Any]], chosen: str) -> Screen:
    buttons = [tap(("☑️ " if value == chosen else "") + str(label), path, value) for value, label in choices]
    rows = [buttons[at : at + COLUMNS] for at in range(0, len(buttons), COLUMNS)]
    return page("admin/filter.html", [*rows, [tap(none, path, ANY)], [back("adm:q:flt")]], title=title, hint="")


def _days(visit: Visit) -> Screen:
    rows: list[list[Button]] = [
        [tap(_("Today"), "adm:q:flt:d", "today"), tap(_("Tomorrow"), "adm:q:flt:d", "tomorrow")],
        [tap(_("Yesterday"), "adm:q:flt:d", "yesterday"), tap(_("Any day"), "adm:q:flt:d", ANY)],
        [back("adm:q:flt")],
    ]
    hint = _("Choose a day, or type a date like 25.11 or 2026-11-25. The day is that of the order's city.")
    return page("admin/filter.html", rows, title=_("Day of the visit"), hint=hint)


def _masters(visit: Visit, text: str) -> Screen:
    rows_ = (
        scope.masters(visit.member).filter(full_name__icontains=text) if text else scope.masters(visit.member).none()
    )
    rows = [[tap(master.full_name or f"#{master.pk}", "adm:q:flt:m", master.pk)] for master in rows_[:10]]
    hint = _("Type a part of the name.")
    return page("admin/filter.html", [*rows, [tap(_("Any master"), "adm:q:flt:m", 0)], [back("adm:q:flt")]],
                title=_("Master"), hint=hint)  # fmt: skip


def _read_date(text: str, today: date) -> date:
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    try:
        return datetime.strptime(f"{text}.{today.year}", "%d.%m.%Y").date()  # noqa: DTZ007
    except ValueError as error:
        raise InvalidError(_("Type the date like 25.11 or 2026-11-25, please.")) from error
