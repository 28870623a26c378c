"""Importing places: all rows of a file or none, each new one compared with what is there (and with the file itself).

Alike by 93 and more is a duplicate; from 85 on it is doubtful, reported and left to people; below, it is new. Alikeness
is rapidfuzz's WRatio of the folded names, save that a square is never an avenue and the 1st never the 2nd.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rapidfuzz import fuzz, process

from fieldservice.lib.clean import shorten
from fieldservice.lib.errors import ConflictError, InvalidError
from geo.catalog_file import Bad, Catalog, Row
from geo.models import City, District, Street
from geo.names import OKRUGS, StreetName, fold, fold_city, fold_district, split_street
from geo.seed import built_in_cities

DUPLICATE, DOUBTFUL = 93, 85
BATCH = 2000
log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row like something that is there, and too unlike to be sure."""

    line: int
    kind: str
    name: str
    like: str
    score: int

    def __str__(self) -> str:
        return _("Line %(line)s: «%(name)s» is like «%(like)s» (%(score)s %%).") % {
            "line": self.line, "name": self.name, "like": self.like, "score": self.score
        }  # fmt: skip


@dataclass(slots=True)
class Report:
    """What an import did or, of a trial, would do. `written` False: nothing was written."""

    added: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)
    doubtful: list[Doubt] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    written: bool = False


def import_catalog(
    *, catalog: Catalog, dry_run: bool = False, with_doubtful: bool = False, progress: Progress = lambda done, of: None
) -> Report:
    """Insert what is new, fill empty centres of what is there, in one transaction; nothing if a single row is bad.

    `with_doubtful`: people have read the doubtful rows and want them. Two imports at once take turns. Raises
    ConflictError when somebody writes the same place by hand at the same moment.
    """
    try:
        report = _import(catalog, dry_run, with_doubtful, progress)
    except IntegrityError as error:  # somebody typed in the same city or district at this moment
        raise ConflictError(_("The places were changed meanwhile. Nothing was written: run it again.")) from error
    log.info("catalog_imported", extra={"added": report.added.total(), "written": report.written})
    return report


def _import(catalog: Catalog, dry_run: bool, with_doubtful: bool, progress: Progress) -> Report:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('geo.seed'))")
        run = _Import(with_doubtful, Report(bad=list(catalog.bad)))
        rows = sorted(catalog.rows, key=lambda row: ("city", "district", "street").index(row.kind))
        for number, row in enumerate(rows, 1):
            run.take(row)
            if number % 200 == 0 or number == len(rows):
                progress(number, len(rows))
        run.report.bad.sort(key=lambda bad: bad.line)
        run.report.doubtful.sort(key=lambda doubt: doubt.line)
        if not dry_run and not run.report.bad:
            run.write()
            run.report.written = True
    return run.report


@dataclass(slots=True)
class Pool:
    """The names of one kind within one city, or one district of it: there already, or new in this file."""

    by_key: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    #: names with the same numbers; others cannot be the same place
    names: dict[tuple[str, ...], list[str]] = field(default_factory=lambda: defaultdict(list))
    owners: dict[tuple[str, ...], list[tuple[StreetName, Any]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: StreetName, place: Any) -> None:
        """One more."""
        self.by_key[name.key].append((name, place))
        self.names[name.numbers].append(name.words)
        self.owners[name.numbers].append((name, place))

    def nearest(self, name: StreetName) -> tuple[Any, float]:
        """The place most like `name`, and how alike: 100 is the same name; below 85 nobody asks."""
        for other, place in self.by_key.get(name.key, ()):
            if name.may_be(other):
                return place, 100.0
        if name.words in OKRUGS:  # «САО» is one letter from «СВАО», and another place
            return None, 0.0
        for words, score, index in process.extract(
            name.words, self.names.get(name.numbers, ()), scorer=fuzz.WRatio, score_cutoff=DOUBTFUL, limit=20
        ):
            other, place = self.owners[name.numbers][index]
            if name.may_be(other) and words not in OKRUGS:
                return place, min(score, 99.9)
        return None, 0.0


class _Import:
    """One run: what is there, what the file adds."""

    def __init__(self, with_doubtful: bool, report: Report) -> None:
        self.with_doubtful, self.report = with_doubtful, report
        self.allowed = {fold(row["name"]): row for row in built_in_cities()}
        cities = list(City.objects.all())
        self.cities = {fold_city(city.name): city for city in cities} | {fold(city.name): city for city in cities}
        self.districts: dict[str, Pool] = {}
        self.streets: dict[str, dict[str, Pool]] = {}
        self.new: list[Any] = []
        self.changed: list[Any] = []

    def take(self, row: Row) -> None:
        """Decide about one row."""
        try:
            getattr(self, f"_take_{row.kind}")(row)
        except InvalidError as error:
            self.report.bad.append(Bad(row.line, str(error)))

    def write(self) -> None:
        """Everything that was decided."""
        models: tuple[Any, ...] = (City, District, Street)
        for model in models:
            new = [place for place in self.new if isinstance(place, model)]
            model.objects.bulk_create(new, batch_size=BATCH, ignore_conflicts=model is Street)
            changed = [place for place in self.changed if isinstance(place, model)]
            model.objects.bulk_update(changed, ["centroid_lat", "centroid_lon"], batch_size=BATCH)
        City.objects.filter(pk__in=[place.pk for place in self.changed if isinstance(place, City)]).update(
            updated_at=timezone.now()
        )

    def _take_city(self, row: Row) -> None:
        key = fold_city(row.name)
        if key in self.cities:
            self._duplicate(row, self.cities[key], 100)
            return
        if key not in self.allowed:
            raise InvalidError(self._no_city(row.name))
        known = self.allowed[key]
        city = City(name=known["name"], timezone=known["timezone"])
        city.centroid_lat, city.centroid_lon = float(known["centroid_lat"]), float(known["centroid_lon"])
        self.cities[key] = city
        self._add(row, city)

    def _take_district(self, row: Row) -> None:
        city = self._city(row.city)
        name = _plain(fold_district(row.name, city.name))
        self._compare(row, self._districts_of(city), name, District(city=city, name=row.name))

    def _take_street(self, row: Row) -> None:
        city = self._city(row.city)
        district = self._district(city, row.district) if row.district else None
        pool = self._streets_of(city).setdefault(district.name if district else "", Pool())
        self._compare(row, pool, split_street(row.name), Street(city=city, district=district, name=row.name))

    def _compare(self, row: Row, pool: Pool, name: StreetName, new: District | Street) -> None:
        place, score = pool.nearest(name)
        if score >= DUPLICATE:
            self._duplicate(row, place, score)
        elif score >= DOUBTFUL and not self.with_doubtful:
            self.report.doubtful.append(Doubt(row.line, row.kind, row.name, place.name, int(score)))
        else:
            pool.add(name, new)
            self._add(row, new)

    def _add(self, row: Row, place: Any) -> None:
        self.report.added[row.kind] += 1
        self.new.append(place)
        if row.centre:
            place.centroid_lat, place.centroid_lon = row.centre.lat, row.centre.lon

    def _duplicate(self, row: Row, place: Any, score: float) -> None:
        """Nothing is overwritten; a place without a centre gets the file's, if its name is exactly this."""
        self.report.duplicates[row.kind] += 1
        if row.centre and score == 100 and place.centroid_lat is None and place.centroid_lon is None:
            place.centroid_lat, place.centroid_lon = row.centre.lat, row.centre.lon
            if place.pk:
                self.report.filled[row.kind] += 1
                self.changed.append(place)

    def _city(self, name: str) -> City:
        city = self.cities.get(fold(name)) or self.cities.get(fold_city(name))
        if city is None:
            raise InvalidError(self._no_city(name))
        return city

    def _no_city(self, name: str) -> str:
        names = [city.name for city in self.cities.values()] + [row["name"] for row in self.allowed.values()]
        close = process.extract(fold(name), {n: fold(n) for n in names}, scorer=fuzz.WRatio, score_cutoff=75, limit=1)
        hint = " " + _("Did you mean %(names)s?") % {"names": close[0][2]} if close else ""
        return _("the company does not work in «%(name)s».") % {"name": shorten(name)} + hint

    def _district(self, city: City, name: str) -> District:
        place, score = self._districts_of(city).nearest(_plain(fold_district(name, city.name)))
        if score < 100:
            hint = " " + _("Did you mean %(names)s?") % {"names": place.name} if place else ""
            text = _("there is no district «%(name)s» in %(city)s.")
            raise InvalidError(text % {"name": shorten(name), "city": city.name} + hint)
        district: District = place
        return district

    def _districts_of(self, city: City) -> Pool:
        if city.name not in self.districts:
            rows = District.objects.filter(city_id=city.pk or 0)
            self.districts[city.name] = _pool(rows, lambda name: _plain(fold_district(name, city.name)))
        return self.districts[city.name]

    def _streets_of(self, city: City) -> dict[str, Pool]:
        """By the name of the district, empty for none: a new district has no number yet."""
        if city.name not in self.streets:
            by_district: dict[str, list[Street]] = defaultdict(list)
            for street in Street.objects.filter(city_id=city.pk or 0).select_related("district"):
                by_district[street.district.name if street.district else ""].append(street)
            self.streets[city.name] = {name: _pool(rows, split_street) for name, rows in by_district.items()}
        return self.streets[city.name]


def _pool(places: Iterable[Any], split: Callable[[str], StreetName]) -> Pool:
    pool = Pool()
    for place in places:
        pool.add(split(place.name), place)
    return pool


def _plain(name: str) -> StreetName:
    """A district's name: no kinds, its words in their order."""
    return StreetName("", name, tuple(word for word in name.split() if word.isdecimal()))
