"""Where an address is, as far as the catalogue knows: given, else the centre of the street, the district, the city."""

from __future__ import annotations

from dataclasses import dataclass

from fieldservice.lib.point import Point
from geo.models import City, District, Street

#: confidence, per cent, by provider
GIVEN, STREET, DISTRICT, CITY = "user_location", "street_centroid", "district_centroid", "city_centroid"
CONFIDENCE = {GIVEN: 100, STREET: 80, DISTRICT: 60, CITY: 40}


@dataclass(frozen=True, slots=True)
class Located:
    """A place, who says so, and how sure it is (0–100)."""

    point: Point
    provider: str
    confidence: int


def locate(
    *, city: City, district: District | None = None, street: Street | None = None, given: Point | None = None
) -> Located | None:
    """The best the rows at hand know, without asking anybody; None when even the city has no centre."""
    if given is not None:
        return Located(given, GIVEN, CONFIDENCE[GIVEN])
    for place, provider in ((street, STREET), (district, DISTRICT), (city, CITY)):
        if place is not None and place.centroid_lat is not None and place.centroid_lon is not None:
            return Located(Point(place.centroid_lat, place.centroid_lon), provider, CONFIDENCE[provider])
    return None
