"""Cities and districts by what people call them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rapidfuzz import fuzz

from fieldservice.lib.clean import clean, shorten
from fieldservice.lib.errors import InvalidError
from geo.models import City, District
from geo.names import alphabetical, fold, fold_city, fold_district, in_order

SIMILAR = 70  # below, a suggestion would only puzzle
SUGGESTIONS = 5
LIMIT = 200
Place = TypeVar("Place", City, District)


def search_cities(text: str, *, among: QuerySet[City] | None = None, limit: int = LIMIT) -> list[City]:
    """Active cities like `text`, best first, in Russian order when equally good; all of them for an empty text.

    The city itself (by name or nickname) comes first, then names and words that begin so, names that contain it, and
    typing mistakes. `among`: the cities this person may see.
    """
    rows = City.objects.all() if among is None else among
    return _ranked(rows.filter(is_active=True), text, fold, fold_city(text))[:limit]


def find_city(name: str, *, among: QuerySet[City] | None = None) -> City:
    """The active city called `name`, or nicknamed so. Raises InvalidError that names what is similar (`choices`)."""
    rows = City.objects.all() if among is None else among
    active = list(rows.filter(is_active=True))
    same = _same(active, name, (str.lower, fold, fold_city))
    if len(same) == 1:
        return same[0]
    similar = in_order(same) or _ranked(active, name, fold, fold_city(name))[:SUGGESTIONS]
    names = ", ".join(city.name for city in similar) if fold(name) else ""
    hint = _("Did you mean %(names)s?") % {"names": names} if names else _("See the list of cities.")
    raise InvalidError(
        {"city": _("There is no city «%(name)s».") % {"name": shorten(name)} + " " + hint},
        choices=similar if names else [],
    )


def district_choices(city: City) -> list[District]:
    """All districts of the city in Russian order; a city may have none."""
    return in_order(District.objects.filter(city=city)[:1000])


def search_districts(city: City, text: str, *, limit: int = LIMIT) -> list[District]:
    """The districts of the city like `text`, best first; all for an empty text."""
    by_city = _folding(city)
    return _ranked(District.objects.filter(city=city)[:1000], text, by_city, by_city(text))[:limit]


def find_district(city: City, name: str) -> District:
    """The district of the city called `name`. Raises InvalidError that lists the city's districts (`choices`)."""
    by_city = _folding(city)
    districts = district_choices(city)
    same = _same(districts, name, (str.lower, fold, by_city))
    if len(same) == 1:
        return same[0]
    names = ", ".join(district.name for district in (same or districts)[:20]) or _("none")
    raise InvalidError(
        {
            "district": _("There is no district «%(name)s» in %(city)s; its districts: %(names)s.")
            % {"name": shorten(name), "city": city.name, "names": names}
        },
        choices=same or districts,
    )


def _folding(city: City) -> Callable[[str], str]:
    return lambda name: fold_district(name, city.name)


def _same(rows: Iterable[Place], name: str, foldings: Iterable[Callable[[str], str]]) -> list[Place]:
    """The rows called so, by the strictest of the foldings under which there are any."""
    for folding in foldings:
        wanted = folding(clean(name))
        if wanted and (same := [row for row in rows if folding(row.name) == wanted]):
            return same
    return []


def _ranked(rows: Iterable[Place], text: str, folding: Callable[[str], str], meant: str) -> list[Place]:
    """Rows like `text`: best tier first, then alikeness, then Russian order."""
    wanted = fold(clean(text)[:120])
    if not wanted:
        return [] if clean(text) else in_order(rows)
    ranked = [(rank, row) for row in rows if (rank := _rank(folding(row.name), wanted, meant[:120])) is not None]
    return [row for _best, row in sorted(ranked, key=lambda pair: (pair[0], alphabetical(pair[1].name)))]


def _rank(name: str, wanted: str, meant: str) -> tuple[int, float] | None:
    """Tiers: the name itself, it begins so, a word of it begins so, it contains it, it is spelled alike."""
    if name in {wanted, meant}:
        return 0, 0
    for part in (wanted, meant):
        if name.startswith(part):
            return 1, 0
        if f" {part}" in f" {name}":
            return 2, 0
        if len(part) > 1 and part in name:
            return 3, 0
    score = fuzz.WRatio(name, meant)
    return (4, -score) if score >= SIMILAR and len(wanted) > 2 else None
