"""A place on the globe: how it is typed, and how far it is from another. The only haversine of the product."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import asin, cos, isfinite, radians, sin, sqrt

from django.utils.translation import gettext as _

from fieldservice.lib.errors import InvalidError

EARTH_KM = 6371.0088
#: characters of a place as it is typed
LONGEST = 60
#: «55.7558, 37.6173», «55.7558 37.6173», «55.7558,37.6173»; and as a Russian keyboard has it, «55,7558; 37,6173»
POINTS = re.compile(r"([-+]?[0-9]{1,3}(?:\.[0-9]{1,15})?)(?:\s*[;,]\s*|\s+)([-+]?[0-9]{1,3}(?:\.[0-9]{1,15})?)")
COMMAS = re.compile(r"([-+]?[0-9]{1,3},[0-9]{1,15})(?:\s*;\s*|\s*,?\s+)([-+]?[0-9]{1,3},[0-9]{1,15})")


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees, WGS 84."""

    lat: float
    lon: float

    def __str__(self) -> str:
        return f"{self.lat:.6f}, {self.lon:.6f}"


def make_point(lat: float, lon: float) -> Point:
    """Raises InvalidError unless it lies on the globe."""
    if not (isfinite(lat) and isfinite(lon) and -90 <= lat <= 90 and -180 <= lon <= 180):
        raise InvalidError(_("The latitude must lie between -90 and 90, the longitude between -180 and 180."))
    return Point(lat, lon)


def parse_point(text: str) -> Point:
    """«55.7558, 37.6173», as maps copy it. Raises InvalidError with an example."""
    text = text.strip()[: LONGEST + 1]  # the patterns take their time with thousands of blanks
    match = None if len(text) > LONGEST else POINTS.fullmatch(text) or COMMAS.fullmatch(text)
    if match is None:
        raise InvalidError(_("Type latitude and longitude, for example 55.7558, 37.6173."))
    lat, lon = (float(number.replace(",", ".")) for number in match.groups())
    return make_point(lat, lon)


def distance_km(one: Point, other: Point) -> float:
    """Along the surface, kilometres (haversine; up to 0.5 % off the true ellipsoid)."""
    lat1, lat2 = radians(one.lat), radians(other.lat)
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin(radians(other.lon - one.lon) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(min(1.0, half)))
