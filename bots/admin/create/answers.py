"""Answers of a new order: taps and messages. What cannot be is said with what is expected; nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm
from bots.admin import dispatching, orders, slots
from bots.admin.create import form as forms
from bots.admin.create import questions
from bots.admin.create.form import FILES, FULL, OPTIONAL, STEP, SUMMARY, Form
from bots.buttons import tap
from bots.callbacks import on
from bots.media import page_of, ref_fields
from bots.screens import page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib import fields
from fieldservice.lib.errors import ConflictError, InvalidError
from fieldservice.lib.localtime import zone
from fieldservice.lib.phones import parse_phone
from geo.models import City, District, Street
from geo.selectors.places import search_cities, search_districts
from geo.selectors.streets import search_streets
from orders import scope as order_scope
from orders.enums import AttachmentEntity, Category
from orders.models import Order
from orders.services import files, intake
from orders.services.files import FileRef
from orders.services.schedule import TooLateForToday, named, parse_choice, plan
from orders.services.window import load_window
from staff import scope

RIGHT = "order.create"
TEXTS: dict[str, Callable[[str], str]] = {
    "phone": parse_phone,
    "house": fields.parse_house,
    "apartment": fields.parse_apartment,
    "address_comment": fields.parse_address_comment,
    "client_name": fields.parse_client_name,
    "description": fields.parse_description,
}


@on("adm:new", needs=RIGHT)
def begin(visit: Visit) -> Reply:
    """The first question: the phone. A form that was begun is gone on with, not lost."""
    if visit.dialog and visit.dialog.step == STEP:
        return questions.ask(Form.read(visit.dialog.data), visit.member)
    return questions.ask(Form(), visit.member)


@on("adm:new:mode", needs=RIGHT)
def set_mode(visit: Visit, mode: str) -> Reply:
    """Quick or full; once the first question is answered, it stays as it is."""
    form = _form(visit) if _is_running(visit) else Form()
    if form.at == "phone" and not form.editing:
        form.mode = "full" if mode == "full" else "quick"
    return questions.ask(form, visit.member)


@on("adm:new:stop", needs=RIGHT)
def stop(visit: Visit) -> Reply:
    """Really? Everything typed would be lost."""
    form = _form(visit)
    rows = [
        [
            tap(_("Yes, throw it away"), "adm:menu"),
            tap(_("No, go on"), "adm:new:sum" if form.at == SUMMARY else "adm:new"),
        ]
    ]
    return Reply(page("admin/new_stop.html", rows), dialog=Dialog(STEP, form.data()))


@on("adm:new:back", needs=RIGHT)
def back(visit: Visit) -> Reply:
    """The question before; while an answer is changed: the summary."""
    form = _form(visit)
    form.typed = ""
    forms.follow(form, visit.member, back=True)
    return questions.ask(form, visit.member)


@on("adm:new:page", needs=RIGHT)
def turn(visit: Visit, number: int) -> Reply:
    """Another page of a list."""
    return questions.ask(_form(visit), visit.member, number=number)


@on("adm:new:skip", needs=RIGHT)
def skip(visit: Visit, name: str) -> Reply:
    """No answer. A button of another question does nothing."""
    form = _form(visit)
    if form.at == name and name in OPTIONAL | {"earlier"}:
        if name not in ("files", "earlier"):
            form.values.pop(name, None)
        if name == "street":
            form.values.pop("street_text", None)
        form.typed = ""
        forms.follow(form, visit.member)
    return questions.ask(form, visit.member)


@on("adm:new:as", needs=RIGHT)
def take_over(visit: Visit, order_id: int) -> Reply:
    """The address of an earlier order of this phone."""
    form = _form(visit)
    if form.at == "earlier" and forms.take_over(form, visit.member, order_id):
        forms.follow(form, visit.member)
    return questions.ask(form, visit.member)


@on("adm:new:set", needs=RIGHT)
def choose(visit: Visit, value: int) -> Reply:
    """A choice of the open question."""
    form = _form(visit)
    taken = {"city": _set_city, "district": _set_district, "street": _set_street, "category": _set_category}
    return taken[form.at](visit, form, value) if form.at in taken else questions.ask(form, visit.member)


@on("adm:new:at", needs=RIGHT)
def choose_time(visit: Visit, name: str) -> Reply:
    """One of the slots, by its date: its place in the list is another one as soon as a slot has begun."""
    form = _form(visit)
    if form.at != "slot":
        return questions.ask(form, visit.member)
    try:
        return _set_slot(visit, form, name.replace(".", ":"))
    except InvalidError as error:
        return questions.ask(form, visit.member, toast=str(error))


@on("adm:new:typed", needs=RIGHT)
def street_as_typed(visit: Visit) -> Reply:
    """The catalogue does not have the street."""
    form = _form(visit)
    if form.at != "street" or not form.typed:
        return questions.ask(form, visit.member)
    try:
        name = fields.parse_street(form.typed)
    except InvalidError as error:
        return questions.ask(form, visit.member, toast=str(error))
    form.values.pop("street", None)
    return _next(visit, form, street_text=name)


@on("adm:new:elsewhere", needs=RIGHT)
def street_elsewhere(visit: Visit, street_id: int) -> Reply:
    """Yes: the district is that of the street."""
    form = _form(visit)
    street = Street.objects.filter(pk=street_id, city_id=form.values.get("city") or 0).first()
    if form.at != "street" or street is None:
        return questions.ask(form, visit.member)
    form.values.pop("street_text", None)
    return _next(visit, form, street=street.pk, district=street.district_id)


@on("adm:new:late", needs=RIGHT)
def tomorrow_then(visit: Visit) -> Reply:
    """Yes: as soon as possible is tomorrow."""
    form = _form(visit)
    return _next(visit, form, slot="asap", late=True) if form.at == "slot" else questions.ask(form, visit.member)


@on("adm:new:clear", needs=RIGHT)
def clear(visit: Visit) -> Reply:
    """No files after all."""
    form = _form(visit)
    form.files = []
    return questions.ask(form, visit.member)


@on("adm:new:sum", needs=RIGHT)
def summary(visit: Visit) -> Reply:
    """Back from the list of answers."""
    form = _form(visit)
    if _is_complete(form):
        form.at, form.editing = SUMMARY, False
    return questions.ask(form, visit.member)


@on("adm:new:change", needs=RIGHT)
def change(visit: Visit) -> Reply:
    """Which answer?"""
    form = _form(visit)
    if not _is_complete(form):
        return questions.ask(form, visit.member)
    return Reply(questions.change(form), dialog=Dialog(STEP, form.data()))


@on("adm:new:edit", needs=RIGHT)
def edit(visit: Visit, name: str) -> Reply:
    """This answer."""
    form = _form(visit)
    if name in FULL and name != "earlier" and _is_complete(form):
        form.at, form.editing, form.typed = name, True, ""
    return questions.ask(form, visit.member)


@on("adm:new:ok", needs=RIGHT)
def create(visit: Visit, key: str) -> Reply:
    """The order is written, once; its first offer is on the screen already."""
    if not _is_running(visit):
        made = order_scope.visible_to(visit.member).filter(external_key=forms.key_of(visit.member, key[:12])).first()
        if made:
            return orders.shown(visit, made.pk)
    form = _form(visit)
    city = forms.city_of(form)
    if city is None or not _is_complete(form) or key != form.key:
        return questions.ask(form, visit.member)
    try:
        order = _write(visit, form, city)
    except InvalidError as error:  # the slot is over, a street was deleted: the answers stay
        return questions.ask(form, visit.member, toast=str(error))
    dispatching.serve()
    return orders.shown(visit, order.pk, toast=_("Order #%(id)s is created.") % {"id": order.pk})


@transaction.atomic
def _write(visit: Visit, form: Form, city: City) -> Order:
    order = intake.create(new=forms.new_order(form, city, visit.member), actor=visit.actor)
    for ref in form.files:
        files.attach(FileRef(**ref), entity=AttachmentEntity.ORDER, entity_id=order.pk, actor=visit.actor,
                     now=timezone.now())  # fmt: skip
    return order


@fsm.step(STEP, ask=lambda visit: questions.screen(_form(visit), visit.member), needs=RIGHT)
def take(visit: Visit) -> Reply | None:
    """A message, as the answer to the open question."""
    form = _form(visit)
    if form.at in TEXTS:
        return _take_text(visit, form)
    searched = {"city": _find_city, "district": _find_district, "street": _find_street}
    if form.at in searched:
        return searched[form.at](visit, form)
    if form.at == "files":
        return _take_file(visit, form)
    if form.at == "slot" and visit.incoming.text:
        return _take_slot(visit, form, visit.incoming.text)
    raise InvalidError(_("Use the buttons below, please."))


def _take_text(visit: Visit, form: Form) -> Reply:
    text = visit.incoming.phone if form.at == "phone" and visit.incoming.phone else visit.incoming.text
    if not text:
        raise InvalidError(_("Type the answer as text, please."))
    value = TEXTS[form.at](text)
    if form.at == "phone" and form.values.get("phone") not in (None, value):
        form.values.pop("client_name", None)  # somebody else
    return _next(visit, form, **{form.at: value})


def _find_city(visit: Visit, form: Form) -> Reply:
    form.typed = visit.incoming.text
    found = search_cities(form.typed, among=scope.cities(visit.member)) if form.typed else []
    if not found:
        raise InvalidError(_("There is no such city among yours. Type a part of its name, or choose it."))
    return _set_city(visit, form, found[0].pk) if len(found) == 1 else questions.ask(form, visit.member)


def _find_district(visit: Visit, form: Form) -> Reply:
    city, form.typed = forms.city_of(form), visit.incoming.text
    found = search_districts(city, form.typed) if city and form.typed else []
    if not found:
        raise InvalidError(_("There is no such district. Type a part of its name, or choose it."))
    return _set_district(visit, form, found[0].pk) if len(found) == 1 else questions.ask(form, visit.member)


def _find_street(visit: Visit, form: Form) -> Reply:
    if visit.incoming.place:
        return _next(visit, form, point=list(visit.incoming.place))
    form.typed = fields.parse_street(visit.incoming.text)
    city = forms.city_of(form)
    found = search_streets(city, form.typed) if city else []
    none = _("The catalogue has no street «%(name)s»: take it as typed, or type it otherwise.") % {"name": form.typed}
    toast = "" if found else none
    return questions.ask(form, visit.member, toast=toast)


def _take_file(visit: Visit, form: Form) -> Reply:
    file = page_of(visit.incoming, _("A photo, a picture or a PDF is expected here."))
    if len(form.files) >= FILES:
        raise InvalidError(_("Ten files are enough: press «Done»."))
    ref = ref_fields(file, "admin")
    if ref["file_unique_id"] not in {one["file_unique_id"] for one in form.files}:
        form.files.append(ref)
    same_album = bool(visit.incoming.album) and visit.incoming.album == form.album
    form.album = visit.incoming.album or ""
    if same_album:  # one screen for an album is enough
        return Reply(dialog=Dialog(STEP, form.data()))
    return questions.ask(form, visit.member)


def _take_slot(visit: Visit, form: Form, text: str) -> Reply:
    """A day and hours, typed. «Tomorrow» is kept as a date: it would be another day after midnight."""
    city = forms.city_of(form)
    assert city is not None
    tz, now = zone(city.timezone), timezone.now()
    name = slots.name_of(text, today=now.astimezone(tz).date())
    slot = parse_choice(name, now=now, tz=tz, window=load_window())
    return _next(visit, form, slot=named(slot, tz) if slot else name, late=False)


def _set_city(visit: Visit, form: Form, city_id: int) -> Reply:
    city = scope.cities(visit.member).filter(pk=city_id, is_active=True).first()
    if city is None:
        return questions.ask(form, visit.member)
    moved = form.values.get("city") != city.pk
    forms.set_city(form, city.pk)
    if form.editing and moved:  # its districts, streets and clock are others: they are asked again
        form.editing = False
    return _next(visit, form)


def _set_district(visit: Visit, form: Form, district_id: int) -> Reply:
    own = District.objects.filter(pk=district_id, city_id=form.values.get("city") or 0).exists()
    if not own and district_id:
        return questions.ask(form, visit.member)
    return _next(visit, form, district=district_id or None)


def _set_street(visit: Visit, form: Form, street_id: int) -> Reply:
    streets = Street.objects.select_related("district").filter(city_id=form.values.get("city") or 0)
    street, chosen = streets.filter(pk=street_id).first(), form.values.get("district")
    if street is None:
        return questions.ask(form, visit.member)
    if chosen and street.district_id and street.district_id != chosen:
        rows = [
            [tap(_("Yes, %(name)s") % {"name": street.district}, "adm:new:elsewhere", street.pk)],
            [tap(_("Another street"), "adm:new:page", 1)],
        ]
        here = District.objects.filter(pk=chosen).first()
        return Reply(page("admin/new_elsewhere.html", rows, street=street, here=here), dialog=Dialog(STEP, form.data()))
    form.values.pop("street_text", None)
    return _next(visit, form, street=street.pk, district=street.district_id or chosen)


def _set_category(visit: Visit, form: Form, place: int) -> Reply:
    if place >= len(Category.values):
        return questions.ask(form, visit.member)
    return _next(visit, form, category=Category.values[place])


def _set_slot(visit: Visit, form: Form, name: str) -> Reply:
    city = forms.city_of(form)
    assert city is not None
    tz, now, window = zone(city.timezone), timezone.now(), load_window()
    slot = parse_choice(name, now=now, tz=tz, window=window)
    try:
        plan(slot, now=now, tz=tz, window=window)
    except TooLateForToday as error:
        rows = [[tap(_("Yes, tomorrow"), "adm:new:late"), tap(_("Another time"), "adm:new:page", 1)]]
        return Reply(page("admin/new_late.html", rows, sentence=str(error)), dialog=Dialog(STEP, form.data()))
    return _next(visit, form, slot=named(slot, tz) if slot else name, late=False)


def _next(visit: Visit, form: Form, **values: Any) -> Reply:
    form.values.update(values)
    form.typed = ""
    forms.follow(form, visit.member)
    return questions.ask(form, visit.member)


def _is_complete(form: Form) -> bool:
    return all(form.values.get(name) for name in ("phone", "city", "category", "slot"))


def _is_running(visit: Visit) -> bool:
    return visit.dialog is not None and visit.dialog.step == STEP


def _form(visit: Visit) -> Form:
    """The running form. Raises ConflictError when there is none: it timed out, or was sent."""
    if not _is_running(visit) or visit.dialog is None:
        raise ConflictError(_("This form is over: begin a new one, please."))
    return Form.read(visit.dialog.data)
