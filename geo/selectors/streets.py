"""Streets of a city by what people call them; the names of a city stay in memory until somebody changes them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from django.utils.translation import gettext as _
from rapidfuzz import fuzz

from fieldservice.lib.clean import clean, shorten
from fieldservice.lib.errors import InvalidError
from geo.models import City, District, Street
from geo.names import alphabetical
from geo.street_index import Hit, StreetIndex

TWINS = 93  # so alike within one district, two names are one street written twice
LIMIT = 10
LONGEST = 120
#: streets held in memory by one process, about 0.5 kB each; the city asked for longest ago leaves first
HELD = 200_000
_held: OrderedDict[int, tuple[int, StreetIndex]] = OrderedDict()
_lock = Lock()


@dataclass(frozen=True, slots=True)
class FoundStreet:
    """A street and how alike it is to what was typed, 0–100."""

    street: Street
    score: int

    def __str__(self) -> str:
        return self.street.label


def search_streets(city: City, text: str, *, limit: int = LIMIT) -> list[FoundStreet]:
    """Streets of the city like `text`, best first; same-named ones of several districts are kept apart.

    Two spellings of one street in one district are shown once.
    """
    typed = clean(text)[:LONGEST]
    if len(typed) < 2:
        return []
    hits = index_of(city).search(typed)
    rows = Street.objects.select_related("district").in_bulk([hit.street_id for hit in hits])
    found = [(hit, rows[hit.street_id]) for hit in hits if hit.street_id in rows]
    found.sort(key=lambda pair: (pair[0].rank[:3], alphabetical(pair[1].label)))
    return [FoundStreet(street, hit.score) for hit, street in _without_twins(found, limit)]


def find_street(city: City, name: str, *, district: District | None = None) -> Street | None:
    """The street of the city called so, None if there is none.

    Of several the one in `district`; raises InvalidError with the `choices` when it is still not clear which.
    """
    hits = index_of(city).same(clean(name)[:LONGEST])
    rows = list(Street.objects.filter(pk__in=[hit.street_id for hit in hits]).select_related("district")[:50])
    near = [street for street in rows if district is not None and street.district_id == district.pk]
    rows = near or rows
    if len(rows) <= 1:
        return rows[0] if rows else None
    rows.sort(key=lambda street: alphabetical(street.label))
    names = ", ".join(street.label for street in rows[:LIMIT])
    raise InvalidError(
        {
            "street": _("There are several streets «%(name)s»: %(names)s. Name the district or the kind of street.")
            % {"name": shorten(name), "names": names}
        },
        choices=rows,
    )


def index_of(city: City) -> StreetIndex:
    """The city's streets, as they are now.

    A trigger gives the city a new `streets_version` with every change of its streets, whoever makes it, so one small
    query tells whether what this process holds is still true. The version is read first: streets that change in
    between come with their old number and are read once more next time.
    """
    version = City.objects.values_list("streets_version", flat=True).filter(pk=city.pk).first() or 0
    with _lock:
        held = _held.get(city.pk)
        if held and held[0] == version:
            _held.move_to_end(city.pk)
            return held[1]
    rows = Street.objects.filter(city_id=city.pk).order_by("pk").values_list("pk", "name")
    index = StreetIndex(rows.iterator(chunk_size=5000))
    with _lock:
        _held[city.pk] = version, index
        _held.move_to_end(city.pk)
        while len(_held) > 1 and sum(len(other) for _version, other in _held.values()) > HELD:
            _held.popitem(last=False)
    return index


def _without_twins(found: Iterable[tuple[Hit, Street]], limit: int) -> list[tuple[Hit, Street]]:
    kept: list[tuple[Hit, Street]] = []
    for hit, street in found:
        twin = any(street.district_id == other.district_id and _are_twins(hit, before) for before, other in kept)
        if not twin:
            kept.append((hit, street))
        if len(kept) == limit:
            break
    return kept


def _are_twins(one: Hit, other: Hit) -> bool:
    alike = one.name.key == other.name.key or fuzz.ratio(one.name.words, other.name.words) >= TWINS
    return one.name.may_be(other.name) and alike
