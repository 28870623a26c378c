"""Who knows what and who serves where: masks over the masters of a city, kept by a process between batches.

Skills and districts hardly ever change, and reading them costs a batch more than everything else it reads. Every change
of theirs leaves a row in `coverage_changes` (triggers, `staff/migrations/0003_coverage_changes.py`), so one look at
that small table tells whether what is kept still holds: the same rows, the same coverage. The look comes first; a
change that commits after it is found by the next batch.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from django.db import connection

VERSION = "SELECT count(*), sum(id) FROM coverage_changes"
COVERAGE = """
SELECT NULL::int, 'skill', code, NULL::int[] FROM skills WHERE is_active
UNION ALL
SELECT m.city_id, 'skill', s.code, array_agg(m.id)
  FROM masters m JOIN master_skills ms ON ms.master_id = m.id JOIN skills s ON s.id = ms.skill_id
 WHERE m.city_id = ANY(%(cities)s) AND s.is_active GROUP BY m.city_id, s.code
UNION ALL
SELECT m.city_id, 'district', md.district_id::text, array_agg(m.id)
  FROM masters m JOIN master_districts md ON md.master_id = m.id
 WHERE m.city_id = ANY(%(cities)s) GROUP BY m.city_id, md.district_id"""


@dataclass(slots=True)
class CityCoverage:
    """Who covers what in one city: ids, and the masks made of them for the columns of the last batch."""

    skills: dict[str, array[int]] = field(default_factory=dict)
    districts: dict[int, array[int]] = field(default_factory=dict)
    ids: Sequence[int] = ()
    skill_masks: dict[str, int] = field(default_factory=dict)
    district_masks: dict[int, int] = field(default_factory=dict)

    def place(self, ids: Sequence[int]) -> None:
        """Make the masks for a city whose masters are `ids`, in this order."""
        if self.ids == ids:
            return
        bits = _Bits(zip(ids, map((1).__lshift__, range(len(ids))), strict=True))
        self.skill_masks = {code: bits.mask(members) for code, members in self.skills.items()}
        self.district_masks = {district: bits.mask(members) for district, members in self.districts.items()}
        self.ids = ids


class Coverage(threading.local):
    """What this thread knows about the cities it has served."""

    def __init__(self) -> None:
        self.version: tuple[Any, ...] = ()
        self.categories: frozenset[str] = frozenset()
        self.cities: dict[int, CityCoverage] = {}

    def read(self, cities: Sequence[int]) -> None:
        """Look whether anything changed, and read the cities that are not known; one or two queries."""
        version = _query(VERSION)[0]
        if version != self.version:
            self.version, self.cities = version, {}
        missing = [city for city in cities if city not in self.cities]
        if not missing:
            return
        found = {city: CityCoverage() for city in missing}
        categories = set()
        for city, kind, key, members in _query(COVERAGE, {"cities": missing}):
            if city is None:
                categories.add(key)
            elif kind == "skill":
                found[city].skills[key] = array("i", members)
            else:
                found[city].districts[int(key)] = array("i", members)
        self.categories = frozenset(categories)
        self.cities.update(found)

    def masks(self, city: int, ids: Sequence[int]) -> tuple[Mapping[str, int], Mapping[int, int]]:
        """Category → mask and district → mask, for a city that was read, whose masters are `ids`."""
        known = self.cities[city]
        known.place(ids)
        return known.skill_masks, known.district_masks


class _Bits(dict[int, int]):
    """Master → his bit; 0 for those of no column, whom the city has deleted."""

    def mask(self, members: Iterable[int]) -> int:
        return sum(map(self.get, members, repeat(0)))


coverage = Coverage()


def _query(sql: str, params: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
