"""Where orders are: district and street, the catalogue's guess at once, the geocoder's answer later, apart."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fieldservice.lib.errors import InvalidError
from fieldservice.lib.point import Point
from fieldservice.runtime import wake
from geo.models import City, District, Street
from geo.services import geocoder
from geo.services.geocoder import Address, Exhausted, NotNow
from geo.services.locate import GIVEN, Located, locate
from orders.enums import OrderStatus
from orders.models import Order

LEASE = timedelta(minutes=5)
RETRY = timedelta(minutes=5)
GIVE_UP = timedelta(hours=2)
BATCH, LONGEST = 50, 60.0  # orders, seconds


class StreetElsewhere(InvalidError):
    """The chosen street lies in another district than the chosen one; with `confirm_district` the street's is taken."""

    def __init__(self, street: Street, district: District) -> None:
        names = {"street": street.name, "there": street.district.name if street.district else "", "here": district.name}
        super().__init__(
            {
                "street": _(
                    "«%(street)s» lies in %(there)s, not in %(here)s. Confirm %(there)s, or choose another street."
                )
                % names
            },
            code="street_elsewhere",
            district=street.district,
        )


def settle(
    *, city: City, district_id: int | None, street_id: int | None, street_text: str | None, confirm_district: bool
) -> dict[str, Any]:
    """District and street of an order as columns; a street of the catalogue brings its own district.

    Raises InvalidError when they are not in the city or the street is named twice, StreetElsewhere.
    """
    errors: dict[str, str] = {}
    district = District.objects.filter(pk=district_id, city=city).first() if district_id else None
    streets = Street.objects.filter(pk=street_id or 0, city=city).select_related("district")
    street = streets.first() if street_id else None
    if district_id and district is None:
        errors["district"] = _("This district is not in %(city)s.") % {"city": city.name}
    if street_id and street is None:
        errors["street"] = _("This street is not in %(city)s.") % {"city": city.name}
    if street is not None and street_text:
        errors["street_text"] = _("Choose the street from the list or type it, not both.")
    if errors:
        raise InvalidError(errors)
    if street is not None and street.district is not None:
        if district is not None and district != street.district and not confirm_district:
            raise StreetElsewhere(street, district)
        district = street.district
    return {"district": district, "no_district": district is None, "street": street, "street_text": street_text or None}


def place_fields(
    *, city: City, district: District | None, street: Street | None, street_text: str | None, given: Point | None,
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """Coordinates of a new order as columns; `geocode_at` set if the geocoder is to be asked for better ones."""
    found = locate(city=city, district=district, street=street, given=given)
    asked = given is None and bool(street or street_text) and geocoder.is_on()
    return _columns(found) | {"geocode_at": now if asked else None}


def address_changed(order: Order, *, now: datetime) -> None:
    """Somebody corrected street or house: what the geocoder said of the old address is forgotten, the new one asked."""
    given = None
    if order.geocode_provider == GIVEN and order.lat is not None and order.lon is not None:
        given = Point(order.lat, order.lon)  # somebody stood there, whatever the house is called
    values = place_fields(
        city=order.city, district=order.district, street=order.street, street_text=order.street_text, given=given,
        now=now,
    )  # fmt: skip
    Order.objects.filter(pk=order.pk).update(**values)
    if values["geocode_at"]:
        wake_geocoder()


def wake_geocoder() -> None:
    """After the commit; a lost wake-up is made up for by the beat within a minute."""
    wake.after_commit("orders.tasks.geocode")


def anything_to_ask(*, now: datetime) -> bool:
    """Whether an order waits for the geocoder."""
    return Order.objects.filter(geocode_at__lte=now).exists()


def geocode_due(*, now: datetime, limit: int = BATCH) -> int:
    """Ask about the orders that are due, one after another, outside any transaction. Returns how many were settled.

    A provider that does not answer ends the run: the others wait for the next one. Two runs at once share the work.
    """
    settled, began = 0, time.monotonic()
    while settled < limit and time.monotonic() - began < LONGEST:
        order = _claimed(now + timedelta(seconds=time.monotonic() - began))
        if order is None:
            break
        try:
            found = _ask(order)
        except NotNow:
            again = None if order.created_at < now - GIVE_UP else now + RETRY
            _settle(order, {"geocode_at": again})
            break
        _settle(order, _better(order, found) | {"geocode_at": None})
        settled += 1
    return settled


def _claimed(now: datetime) -> Order | None:
    """The next due order, ours for five minutes: if this process dies, another asks then."""
    with transaction.atomic():
        due = Order.objects.filter(geocode_at__lte=now).order_by("geocode_at", "pk")
        row = due.select_for_update(skip_locked=True).values_list("pk", flat=True).first()
        if row is None:
            return None
        Order.objects.filter(pk=row).update(geocode_at=now + LEASE)
    return Order.objects.select_related("city", "street").get(pk=row)


def _ask(order: Order) -> Located | None:
    if order.status in OrderStatus.FINAL or not order.street_name:
        return None
    centre = locate(city=order.city)
    address = Address(order.city.name, order.street_name, order.house or "")
    try:
        return geocoder.ask(address, near=centre.point if centre else None)
    except Exhausted:
        return None  # the catalogue's guess stays; tomorrow nobody needs it


def _better(order: Order, found: Located | None) -> dict[str, Any]:
    return _columns(found) if found is not None and found.confidence > (order.geocode_confidence or 0) else {}


def _settle(order: Order, values: dict[str, Any]) -> None:
    """Only what was asked is answered: an address that was corrected meanwhile is due again, and this is too late."""
    asked = Order.objects.filter(pk=order.pk, geocode_at=order.geocode_at, house=order.house, street=order.street)
    asked.filter(street_text=order.street_text).update(**values)


def _columns(found: Located | None) -> dict[str, Any]:
    return {
        "lat": found.point.lat if found else None,
        "lon": found.point.lon if found else None,
        "geocode_provider": found.provider if found else None,
        "geocode_confidence": found.confidence if found else None,
    }
