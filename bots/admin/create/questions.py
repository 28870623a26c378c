"""The questions of a new order: one screen each, Back on every one; the last is the summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import words
from bots.admin.create import form as forms
from bots.admin.create.form import OPTIONAL, STEP, SUMMARY, Form
from bots.buttons import page_of, tap
from bots.screens import Button, Screen, page
from bots.visit import Dialog, Reply
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.localtime import format_moment, format_timeslot_local, zone
from fieldservice.lib.phones import show_phone
from geo.models import City
from geo.selectors.places import search_cities, search_districts
from geo.selectors.streets import search_streets
from orders import callers
from orders.enums import Category, OrderStatus
from orders.services.schedule import choices, plan
from orders.services.window import load_window
from staff import scope
from staff.models import StaffUser

COLUMNS = 2


def ask(form: Form, member: StaffUser, *, number: int = 1, toast: str = "") -> Reply:
    """The question the form is at, and the dialog that waits for its answer."""
    return Reply(screen(form, member, number=number), toast=toast, dialog=Dialog(STEP, form.data()))


def screen(form: Form, member: StaffUser, *, number: int = 1) -> Screen:
    """The question. `number`: the page of a list."""
    if form.at == SUMMARY:
        return _summary(form, member)
    rows = [*_ROWS[form.at](form, member, number), _leave(form)]
    step = [name for name in form.fields if name != "earlier"]
    place = step.index(form.at) + 1 if form.at in step else 1
    context: dict[str, Any] = forms.facts(form) | {"field": form.at, "form": form, "step": place, "steps": len(step)}
    context["present"] = _present(form, context)
    if form.at == "earlier":
        context["earlier"] = callers.earlier(member, form.values["phone"])
        context["open"] = callers.open_ones(member, form.values["phone"])
    return page("admin/new.html", rows, **context)


def _present(form: Form, facts: dict[str, Any]) -> str:
    """The answer that is being changed, as it is read aloud."""
    if form.at == "phone":
        return show_phone(form.values.get("phone"))
    if form.at == "street" and not facts["street"]:
        return str(form.values.get("street_text", ""))
    shown = facts[form.at] if form.at in ("city", "district", "street", "category") else form.values.get(form.at)
    return "" if form.at == "slot" else str(shown or "")


def change(form: Form) -> Screen:
    """Which answer?"""
    names = titles()
    fields = [name for name in forms.FULL if name not in ("earlier", "files")]
    buttons = [tap(names[name], "adm:new:edit", name) for name in fields]
    return page("admin/new_change.html", [*_columns(buttons), [tap(_("‹ Back"), "adm:new:sum")]])


def titles() -> dict[str, str]:
    """The fields by their names."""
    return {
        "phone": _("Phone"), "city": _("City"), "district": _("District"), "street": _("Street"),
        "house": _("House"), "apartment": _("Flat"), "address_comment": _("Comment"), "client_name": _("Client"),
        "category": _("Category"), "description": _("Description"), "slot": _("Time"),
    }  # fmt: skip


def _phone(form: Form, member: StaffUser, number: int) -> list[list[Button]]:
    other = [tap(_("📝 Full form"), "adm:new:mode", "full"), tap(_("⚡ Quick"), "adm:new:mode", "quick")]
    return [] if form.editing else [[other[form.mode == "full"]]]


def _earlier(form: Form, member: StaffUser, number: int) -> list[list[Button]]:
    found = callers.earlier(member, form.values["phone"])
    rows = [[tap(f"📍 {words.address(order, flat=True)}", "adm:new:as", order.pk)] for order in found]
    return [*rows, [tap(_("➕ Another address"), "adm:new:skip", "earlier")]]


def _city(form: Form, member: StaffUser, number: int) -> list[list[Button]]:
    found = search_cities(form.typed, among=scope.cities(member))
    return _choices([(city.name, city.pk) for city in found], number)


def _district(form: Form, member: StaffUser, number: int) -> list[list[Button]]:
    city = forms.city_of(form)
    found = search_districts(city, form.typed) if city else []
    return [
        *_choices([(row.name, row.pk) for row in found], number),
        [tap(_("No district"), "adm:new:set", 0)],
    ]


def _street(form: Form, member: StaffUser, number: int) -> list[list[Button]]:
    city = forms.city_of(form)
    found = search_streets(city, form.typed) if city and form.typed else []
    rows = [[tap(str(hit), "adm:new:set", hit.street.pk)] for hit in found]
    if form.typed:
        rows.append([tap(as_typed(form.typed), "adm:new:typed")])
    return rows


def as_typed(name: str) -> str:
    """The button that takes a street the catalogue does not have."""
    return _("✍️ As typed: %(name)s") % {"name": name}


def _category(form: Form, member: StaffUser, number: int) -> list[list[Button]]:
    places = {value: place for place, value in enumerate(Category.values)}
    return _columns([tap(str(label), "adm:new:set", places[value]) for value, label in Category.choices])


def _files(form: Form, member: StaffUser, number: int) -> list[list[Button]]:
    if not form.files:
        return []
    return [[tap(_("✅ Done"), "adm:new:skip", "files"), tap(_("🗑 Clear"), "adm:new:clear")]]


def _slot(form: Form, member: StaffUser, number: int) -> list[list[Button]]:
    city = forms.city_of(form)
    if city is None:
        return []
    tz, now = zone(city.timezone), timezone.now()
    offered = choices(now=now, tz=tz, window=load_window())
    return _columns([
        tap(_slot_name(slot, tz, now), "adm:new:at", name.replace(":", "."))
        if slot else tap(_("⚡ As soon as possible"), "adm:new:at", name)
        for name, slot in offered
    ])  # fmt: skip


def _slot_name(slot: Any, tz: Any, now: Any) -> str:
    return format_timeslot_local(slot.start, slot.end, tz=tz, now=now)


def _text(form: Form, member: StaffUser, number: int) -> list[list[Button]]:
    return []


_ROWS = {
    "phone": _phone, "earlier": _earlier, "city": _city, "district": _district, "street": _street, "house": _text,
    "apartment": _text, "address_comment": _text, "client_name": _text, "category": _category, "description": _text,
    "files": _files, "slot": _slot,
}  # fmt: skip


def _choices(found: Sequence[tuple[str, int]], number: int) -> list[list[Button]]:
    shown, number, pages = page_of(found, number, COLUMNS)
    turns = [tap("◀", "adm:new:page", number - 1)] * (number > 1) + [tap("▶", "adm:new:page", number + 1)] * (
        number < pages
    )
    return [*_columns([tap(name, "adm:new:set", pk) for name, pk in shown]), turns]


def _columns(buttons: Sequence[Button]) -> list[list[Button]]:
    return [list(buttons[at : at + COLUMNS]) for at in range(0, len(buttons), COLUMNS)]


def _leave(form: Form) -> list[Button]:
    row = [] if form.at == "phone" and not form.editing else [tap(_("‹ Back"), "adm:new:back")]
    if form.at in OPTIONAL and not (form.at == "files" and form.files):
        row.append(tap(_("⏭ Skip"), "adm:new:skip", form.at))
    return [*row, tap(_("✖️ Stop"), "adm:new:stop")]


def _summary(form: Form, member: StaffUser) -> Screen:
    facts = forms.facts(form)
    city: City | None = facts["city"]
    twins, near = _twins(form, member, facts)
    context = facts | {"files": len(form.files), "near": near, "twins": twins, "problem": "", "slot": "", "wakes": ""}
    context |= _planned(form, city) if city else {"problem": _("Choose a city from the list.")}
    rows: list[list[Button]] = []
    if not context.get("problem"):
        rows.append([tap(_("✅ Create all the same") if twins else _("✅ Create"), "adm:new:ok", form.key)])
    rows += [[tap(_("Open #%(id)s") % {"id": order.pk}, "adm:q:card", order.pk)] for order in twins[:3]]
    rows += [
        [tap(_("✏️ Change"), "adm:new:change"), tap(_("📎 Files"), "adm:new:edit", "files")],
        [tap(_("‹ Back"), "adm:new:back"), tap(_("✖️ Stop"), "adm:new:stop")],
    ]
    return page("admin/new_summary.html", rows, form=form, **context)


def _twins(form: Form, member: StaffUser, facts: dict[str, Any]) -> tuple[list[Any], bool]:
    """Open orders of the phone, and whether one is for the same address."""
    street = facts["street"].name if facts["street"] else form.values.get("street_text", "")
    address = {"city_id": form.values.get("city", 0), "street": street, "house": form.values.get("house", "")}
    found = callers.open_ones(member, form.values.get("phone", ""))
    near = [order for order in found if callers.same_address(order, **address)]
    return near + [order for order in found if order not in near], bool(near)


def _planned(form: Form, city: City) -> dict[str, Any]:
    """When the visit is and whether the search begins at once; what stands against it."""
    tz, now, window = zone(city.timezone), timezone.now(), load_window()
    try:
        made = plan(
            forms.slot_of(form, city), now=now, tz=tz, window=window, confirm_late=bool(form.values.get("late"))
        )
    except InvalidError as error:  # TooLateForToday, too
        return {"problem": str(error)}
    deferred = made.status == OrderStatus.DEFERRED
    asap = form.values.get("slot", "asap") == "asap" and not deferred
    slot = made.slot
    shown = "" if asap or slot is None else format_timeslot_local(slot.start, slot.end, tz=tz, now=now)
    return {"slot": shown or _("as soon as possible"),
            "wakes": format_moment(made.look_at, tz=tz, now=now) if deferred else ""}  # fmt: skip
