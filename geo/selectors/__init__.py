"""Finding places by what people call them. An unknown or ambiguous name is answered by choices, never by a guess."""

from geo.selectors.places import (
    district_choices,
    find_city,
    find_district,
    search_cities,
    search_districts,
)
from geo.selectors.streets import FoundStreet, find_street, search_streets

__all__ = [
    "FoundStreet",
    "district_choices",
    "find_city",
    "find_district",
    "find_street",
    "search_cities",
    "search_districts",
    "search_streets",
]
