"""How an order comes in: checked, planned, written with its history, and the engine woken (spec §3, §5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib import fields
from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import clean
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.localtime import zone
from fieldservice.lib.phones import parse_phone
from fieldservice.lib.point import Point
from fieldservice.runtime import wake
from geo.models import City
from orders.enums import Category, OrderStatus
from orders.models import Order
from orders.services import history, lifecycle, place
from orders.services.place import StreetElsewhere as StreetElsewhere
from orders.services.schedule import Plan, Slot, check_slot, plan
from orders.services.window import load_window
from staff.scope import require, require_city

KEY_LIMIT = 80
#: what may stay empty: roadside help has no house, and a caller may give no name
OPTIONAL: dict[str, Callable[[str], str]] = {
    "street_text": fields.parse_street,
    "house": fields.parse_house,
    "apartment": fields.parse_apartment,
    "address_comment": fields.parse_address_comment,
    "client_name": fields.parse_client_name,
    "description": fields.parse_description,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """What staff typed. `slot` None: as soon as possible. `confirm_late`: yes to tomorrow when today is over.

    `street_text`: a street the catalogue does not have. `confirm_district`: yes to the district of the chosen street.
    """

    city_id: int
    client_phone: str
    category: str
    district_id: int | None = None
    street_id: int | None = None
    street_text: str = ""
    house: str = ""
    apartment: str = ""
    address_comment: str = ""
    client_name: str = ""
    description: str = ""
    slot: Slot | None = None
    point: Point | None = None
    confirm_late: bool = False
    confirm_district: bool = False
    external_key: str | None = None


def create(*, new: NewOrder, actor: Actor, now: datetime | None = None) -> Order:
    """Write the order; it is searching or deferred when this returns.

    A second call with the same `external_key` returns the first order. Raises InvalidError (`fields` says what to
    correct), TooLateForToday (confirm or choose), ForbiddenError, NotFoundError; then nothing was written.
    """
    now = now or timezone.now()
    require(actor, "order.create")
    require_city(actor, new.city_id)
    if existing := _by_key(new.external_key, actor):
        return existing
    city, values = _checked(new, now)
    begins = planned(new.slot, city, now=now, confirm_late=new.confirm_late)
    try:
        with transaction.atomic():
            return _write(values, begins, new, actor, now)
    except IntegrityError:
        # somebody used the same key a moment ago: theirs is the order
        existing = _by_key(new.external_key, actor)
        if existing is None:
            raise
        return existing


def check(*, new: NewOrder, now: datetime | None = None) -> None:
    """What `create` would say of the input, without writing. Raises InvalidError, TooLateForToday."""
    now = now or timezone.now()
    city, _values = _checked(new, now)
    planned(new.slot, city, now=now, confirm_late=new.confirm_late)


def parse_field(name: str, text: str, parse: Callable[[str], str] | None = None) -> str | None:
    """One field of an order as it is stored; an optional one may be empty. Raises InvalidError that names the field."""
    parse = parse or OPTIONAL[name]
    if name in OPTIONAL and not clean(text):
        return None
    try:
        return parse(text) or None
    except InvalidError as error:
        raise InvalidError({name: str(error)}) from error


def parse_category(code: str) -> str:
    """One of the categories. Raises InvalidError that names the field."""
    if code not in Category.values:
        raise InvalidError(
            {"category": _("The category must be one of %(names)s.") % {"names": ", ".join(Category.values)}}
        )
    return code


def _write(values: dict[str, Any], begins: Plan, new: NewOrder, actor: Actor, now: datetime) -> Order:
    slot = begins.slot
    order = Order.objects.create(
        **values,
        status=OrderStatus.CREATED,
        created_by_staff_id=actor.staff_id,
        created_at=now,
        updated_at=now,
        timeslot_start_utc=slot.start if slot else None,
        timeslot_end_utc=slot.end if slot else None,
        external_key=_key(new.external_key),
        dispatch_at=begins.look_at,
        dispatch_round=0,
        search_number=1,
        version=1,
    )
    history.record(order, from_status=None, actor=actor, reason="created_by_staff", now=now)
    if begins.status == OrderStatus.DEFERRED:
        lifecycle.move(order, OrderStatus.DEFERRED, actor=actor, reason="outside_working_hours", now=now)
    else:
        lifecycle.begin_search(order, actor=actor, reason="search_started", now=now)
        wake.dispatch()
    if order.geocode_at:
        place.wake_geocoder()
    return order


def planned(slot: Slot | None, city: City, *, now: datetime, confirm_late: bool = False) -> Plan:
    """What a visit at `slot` (None: as soon as possible) means now. Raises InvalidError, TooLateForToday."""
    tz, window = zone(city.timezone), load_window()
    if slot is not None:
        check_slot(slot, now=now, tz=tz, window=window)
    return plan(slot, now=now, tz=tz, window=window, confirm_late=confirm_late)


def _checked(new: NewOrder, now: datetime) -> tuple[City, dict[str, Any]]:
    errors: dict[str, str] = {}
    city = City.objects.filter(pk=new.city_id, is_active=True).first()
    if city is None:
        raise InvalidError({"city": _("Choose a city from the list.")})
    values: dict[str, Any] = {"city": city, "category": new.category}
    try:
        parse_category(new.category)
    except InvalidError as error:
        errors |= error.fields
    for name, parse in [("client_phone", parse_phone), *OPTIONAL.items()]:
        try:
            values[name] = parse_field(name, getattr(new, name), parse)
        except InvalidError as error:
            errors |= error.fields
    if len(_key(new.external_key) or "") > KEY_LIMIT:
        errors["external_key"] = _("The key must have up to %(limit)s characters.") % {"limit": KEY_LIMIT}
    try:
        values |= place.settle(
            city=city, district_id=new.district_id, street_id=new.street_id, street_text=values.get("street_text"),
            confirm_district=new.confirm_district,
        )  # fmt: skip
    except StreetElsewhere:
        raise
    except InvalidError as error:
        errors |= error.fields
    if errors:
        raise InvalidError(errors)
    return city, values | _located(new, city, values, now)


def _located(new: NewOrder, city: City, values: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Coordinates. Nobody is asked here: the geocoder may be slow, and a client is on the phone."""
    return place.place_fields(
        city=city, district=values["district"], street=values["street"], street_text=values["street_text"],
        given=new.point, now=now,
    )  # fmt: skip


def _key(key: str | None) -> str | None:
    return clean(key or "") or None


def _by_key(key: str | None, actor: Actor) -> Order | None:
    order = Order.objects.filter(external_key=_key(key)).first() if _key(key) else None
    if order is not None:
        require_city(actor, order.city_id)  # a key is no way into another city
    return order
