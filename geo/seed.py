"""The 78 cities and their districts that every installation starts with (`manage.py seed_geo`)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone

from geo.models import City, District
from geo.names import fold

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Seeded:
    """How many rows the lists have, and how many of them were missing."""

    cities: int
    districts: int
    added: int

    def __str__(self) -> str:
        return f"{self.cities} cities, {self.districts} districts: {self.added} added"


def seed_geo() -> Seeded:
    """Insert the missing cities and districts; give cities without a time zone or a centre theirs.

    Whatever staff changed stays: only empty fields are filled, and `Ростов на Дону` is `Ростов-на-Дону`, because a
    second spelling is not a second city. Two runs at once take turns.
    """
    cities, districts = built_in_cities(), list(_read("districts"))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('geo.seed'))")
        added = _add_cities(cities)
        by_name = {fold(city.name): city for city in City.objects.all()}
        _fill_empty(cities, by_name)
        added += _add_districts(districts, by_name)
    return Seeded(len(cities), len(districts), added)


def built_in_cities() -> list[dict[str, str]]:
    """The cities of the list: name, timezone, centroid_lat, centroid_lon."""
    return list(_read("cities"))


def _read(name: str) -> Iterator[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _add_cities(rows: list[dict[str, str]]) -> int:
    known = {fold(name) for name in City.objects.values_list("name", flat=True)}
    missing = [City(name=row["name"], **_place(row)) for row in rows if fold(row["name"]) not in known]
    City.objects.bulk_create(missing, ignore_conflicts=True)
    return len(missing)


def _place(row: dict[str, str]) -> dict[str, str | float]:
    return {
        "timezone": row["timezone"],
        "centroid_lat": float(row["centroid_lat"]),
        "centroid_lon": float(row["centroid_lon"]),
    }


def _fill_empty(rows: list[dict[str, str]], by_name: dict[str, City]) -> None:
    changed = []
    for row in rows:
        city, place = by_name[fold(row["name"])], _place(row)
        if city.centroid_lat is not None or city.centroid_lon is not None:
            place = {"timezone": place["timezone"]}  # half a centre is somebody's work in progress, not ours to mix
        empty = {field: value for field, value in place.items() if getattr(city, field) in (None, "")}
        if empty:
            vars(city).update(empty, updated_at=timezone.now())
            changed.append(city)
    City.objects.bulk_update(changed, ["timezone", "centroid_lat", "centroid_lon", "updated_at"])


def _add_districts(rows: list[dict[str, str]], by_name: dict[str, City]) -> int:
    known = {(city, fold(name)) for city, name in District.objects.values_list("city_id", "name")}
    missing = [
        District(city=city, name=row["district"])
        for row in rows
        if ((city := by_name[fold(row["city"])]).pk, fold(row["district"])) not in known
    ]
    District.objects.bulk_create(missing, ignore_conflicts=True)
    return len(missing)
