"""Finding places by what people call them."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from rapidfuzz import fuzz, process

from fieldservice.lib.clean import clean, shorten
from fieldservice.lib.errors import InvalidError
from geo.models import City, District, Street

ALIASES = {
    "питер": "санкт петербург",
    "спб": "санкт петербург",
    "петербург": "санкт петербург",
    "мск": "москва",
    "екб": "екатеринбург",
    "нск": "новосибирск",
    "нижний": "нижний новгород",
    "балашиха мо": "балашиха",
    "ростов": "ростов на дону",
}


def fold(name: str) -> str:
    """For comparing: lower case, ё → е, dashes, dots and brackets are spaces."""
    return " ".join(re.sub(r"[\W_]+", " ", name.lower().replace("ё", "е")).split())


def find_city(name: str) -> City:
    """The active city called `name` (or its alias). Raises InvalidError that lists what is similar."""
    wanted = fold(name)
    wanted = ALIASES.get(wanted, wanted)
    cities = list(City.objects.filter(is_active=True))
    for city in cities:
        if fold(city.name) == wanted:
            return city
    names = {city.name: fold(city.name) for city in cities}
    close = process.extract(wanted[:120], names, scorer=fuzz.WRatio, score_cutoff=70, limit=5)
    similar = [name for _folded, _score, name in close]
    hint = _("Did you mean %(names)s?") % {"names": ", ".join(similar)} if similar else _("See the list of cities.")
    raise InvalidError({"city": _("There is no city «%(name)s».") % {"name": shorten(name)} + " " + hint})


def find_district(city: City, name: str) -> District:
    """The district of the city called `name`. Raises InvalidError that lists the city's districts."""
    wanted = fold(name)
    districts = list(District.objects.filter(city=city).order_by("name"))
    for district in districts:
        if fold(district.name) == wanted:
            return district
    names = ", ".join(d.name for d in districts[:20]) or _("none")
    raise InvalidError(
        {
            "district": _("There is no district «%(name)s» in %(city)s; its districts: %(names)s.")
            % {"name": shorten(name), "city": city.name, "names": names}
        }
    )


def find_street(city: City, name: str) -> Street | None:
    """The street of the city called exactly `name`, if it is in the catalogue."""
    name, wanted = clean(name), fold(name)
    return next((s for s in Street.objects.filter(city=city, name__iexact=name)[:20] if fold(s.name) == wanted), None)
