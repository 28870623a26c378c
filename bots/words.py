"""Codes in words: what the rows hold, as people read it."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib.localtime import format_moment, format_timeslot_local, zone
from geo.models import City
from orders.models import Order
from orders.words import address as address
from staff.enums import BlockReason


def block(reason: str | None) -> str:
    """Why a master is blocked; staff's own words are shown as they are."""
    return str(dict(BlockReason.choices).get(reason or "", reason or _("blocked by the office")))


def clock(moment: datetime | None, city: City | None) -> str:
    """The time of day with seconds in the city's zone: `13:02:10`."""
    return f"{moment.astimezone(zone(city.timezone if city else None)):%H:%M:%S}" if moment else "—"


def moment(value: datetime | None, city: City | None) -> str:
    """A moment in the city's zone: `today 13:05`."""
    return format_moment(value, tz=zone(city.timezone if city else None), now=timezone.now())


def slot(order: Order) -> str:
    """The order's slot in its city's zone: `today 13:00–16:00`."""
    return format_timeslot_local(
        order.timeslot_start_utc, order.timeslot_end_utc, tz=zone(order.city.timezone), now=timezone.now()
    )


def map_url(order: Order) -> str:
    """The place on a map: by coordinates, else by address."""
    if order.lat is not None and order.lon is not None:
        query = {"pt": f"{order.lon},{order.lat}", "z": "17", "l": "map"}
    else:
        query = {"text": address(order)}
    return f"https://yandex.ru/maps/?{urlencode(query)}"
