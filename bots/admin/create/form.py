"""The answers of a new order: which question comes when, and what the answers amount to."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from fieldservice.lib.localtime import zone
from fieldservice.lib.point import Point
from geo.models import City, District, Street
from orders import callers
from orders.enums import Category
from orders.services.intake import NewOrder
from orders.services.schedule import Slot, parse_choice
from orders.services.window import load_window
from staff import scope
from staff.models import StaffUser

STEP = "adm:new"
SUMMARY = "summary"
#: five answers and no more
QUICK = ("phone", "earlier", "city", "district", "category", "slot")
FULL = (
    "phone", "earlier", "city", "district", "street", "house", "apartment", "address_comment", "client_name",
    "category", "description", "files", "slot",
)  # fmt: skip
#: questions that may be left open
OPTIONAL = frozenset({"street", "house", "apartment", "address_comment", "client_name", "description", "files"})
FILES = 10


@dataclass(slots=True)
class Form:
    """Where the person is, and what was answered."""

    mode: str = "quick"
    at: str = "phone"
    #: the answers: ids, texts, a slot by its name
    values: dict[str, Any] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    #: one answer is being changed: back to the summary afterwards
    editing: bool = False
    #: makes the order once, however often it is sent
    key: str = field(default_factory=lambda: secrets.token_hex(6))
    #: what was typed in a list, and the album the last file came in
    typed: str = ""
    album: str = ""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Form:
        """From a dialog."""
        return cls(**{name: data[name] for name in cls.__slots__ if name in data})

    def data(self) -> dict[str, Any]:
        """For the dialog."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def fields(self) -> tuple[str, ...]:
        return FULL if self.mode == "full" else QUICK


def follow(form: Form, member: StaffUser, *, back: bool = False) -> None:
    """Go to the next question (or the one before) that has to be asked; after the last one: the summary."""
    if form.editing:
        form.at, form.editing = SUMMARY, False
        return
    names = list(form.fields)
    place = len(names) if form.at == SUMMARY else names.index(form.at)
    while True:
        place += -1 if back else 1
        if place < 0:
            form.at = names[0]
            return
        if place >= len(names):
            form.at = SUMMARY
            return
        if _is_asked(form, names[place], member):
            form.at = names[place]
            return


def _is_asked(form: Form, name: str, member: StaffUser) -> bool:
    if name == "earlier":
        return bool(callers.earlier(member, form.values["phone"]))
    if name == "city":
        only = list(scope.cities(member).filter(is_active=True)[:2])
        if len(only) == 1:
            set_city(form, only[0].pk)
        return len(only) != 1
    if name == "district":
        return District.objects.filter(city_id=form.values.get("city") or 0).exists()
    return True


def set_city(form: Form, city_id: int) -> None:
    """Another city has other districts and streets, and another clock."""
    if form.values.get("city") != city_id:
        for name in ("district", "street", "street_text", "point", "slot"):
            form.values.pop(name, None)
    form.values["city"] = city_id


def city_of(form: Form) -> City | None:
    return City.objects.filter(pk=form.values.get("city") or 0).first()


def slot_of(form: Form, city: City) -> Slot | None:
    """The chosen slot as two moments; None: as soon as possible. Raises InvalidError when it is over meanwhile."""
    name = form.values.get("slot", "asap")
    return parse_choice(name, now=timezone.now(), tz=zone(city.timezone), window=load_window())


def new_order(form: Form, city: City, member: StaffUser) -> NewOrder:
    """For the service, which checks everything once more."""
    v = form.values
    point = v.get("point")
    return NewOrder(
        city_id=city.pk, client_phone=v.get("phone", ""), category=v.get("category", ""),
        district_id=v.get("district"), street_id=v.get("street"), street_text=v.get("street_text", ""),
        house=v.get("house", ""), apartment=v.get("apartment", ""), address_comment=v.get("address_comment", ""),
        client_name=v.get("client_name", ""), description=v.get("description", ""), slot=slot_of(form, city),
        point=Point(*point) if point else None, confirm_late=bool(v.get("late")), confirm_district=True,
        external_key=key_of(member, form.key),
    )  # fmt: skip


def key_of(member: StaffUser, key: str) -> str:
    """The order's external key: nobody can name another member's."""
    return f"bot:{member.pk}:{key}"


def take_over(form: Form, member: StaffUser, order_id: int) -> bool:
    """Fill in what an earlier order of this phone knows; its category is asked again."""
    order = next((one for one in callers.earlier(member, form.values["phone"]) if one.pk == order_id), None)
    if order is None:
        return False
    set_city(form, order.city_id)
    known = {
        "district": order.district_id, "street": order.street_id, "street_text": order.street_text,
        "house": order.house, "apartment": order.apartment, "address_comment": order.address_comment,
        "client_name": order.client_name,
    }  # fmt: skip
    form.values.update({name: value for name, value in known.items() if value})
    form.at = "client_name" if form.mode == "full" else "district"  # what comes next is the category
    return True


def facts(form: Form) -> dict[str, Any]:
    """The answers in rows and words, for the screens."""
    v = form.values
    return {
        "city": city_of(form),
        "district": District.objects.filter(pk=v.get("district") or 0).first(),
        "street": Street.objects.select_related("district").filter(pk=v.get("street") or 0).first(),
        "category": Category(v["category"]).label if v.get("category") in Category.values else "",
        "v": v,
    }
