"""The masters of one (city, district, category): ranked candidates, and why the others are none. Pure.

A pool is built once per batch whatever the number of its orders. Who belongs to what is a mask, an integer with a bit
for each master of the city: "knows electrics, serves the centre, has a place left" is two `&`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import compress
from random import Random

from orders.dispatch.values import Candidate, City, LeftOut, Snapshot, places

#: a column of bars → the digits of the mask of those who have a certain one, and → flags of those who have none
DIGITS = tuple(bytes(48 + (bar == wanted) for bar in range(256)) for wanted in range(len(LeftOut) + 1))
ABLE = bytes(bar == 0 for bar in range(256))
#: pools with fewer candidates than this share of their city are sorted, larger ones picked from the city's ranking
FEW = 1 / 16


class CityPool:
    """The masters of a city, ranked: those who may work now, and those whom something keeps from any order."""

    def __init__(self, city: City, rng: Random) -> None:
        self.city = city
        bars, size = city.bars, len(city.ids)
        self.able = _mask(bars, 0)
        self.barred = {reason: _mask(bars, reason.bar) for reason in LeftOut if reason.bar in bars}
        chances = array("I", rng.randbytes(4 * size))
        #: vehicle, average check, rating, chance: ranked once, every pool keeps this order
        self.rank = [worth << 32 | chance for worth, chance in zip(city.worth, chances, strict=True)]
        able = compress(range(size), bars.translate(ABLE))
        self.ranked = sorted(able, key=self.rank.__getitem__, reverse=True)
        #: places left while a batch is decided; those who have none left
        self.free = list(city.free)
        self.full = 0
        #: place → the candidates somebody looked at closely
        self.seen: dict[int, Candidate] = {}

    def take(self, place: int) -> None:
        """One place of this master is given away."""
        self.free[place] -= 1
        if self.free[place] <= 0:
            self.full |= 1 << place

    def candidate(self, place: int) -> Candidate:
        """Who that is."""
        if place not in self.seen:
            self.seen[place] = Candidate.of(self.city.ids[place], self.city.worth[place])
        return self.seen[place]

    def place(self, master_id: int) -> int | None:
        """Where the master stands in the columns."""
        place = bisect_left(self.city.ids, master_id)
        return place if place < len(self.city.ids) and self.city.ids[place] == master_id else None

    def mask(self, master_ids: Iterable[int]) -> int:
        """These masters, as far as they are of this city."""
        return sum(1 << place for place in {self.place(pk) for pk in master_ids} if place is not None)

    def names(self, mask: int) -> tuple[int, ...]:
        """Their ids, ascending."""
        return self.city.names(mask)


class Pool:
    """The candidates for one category in one district (None: in the whole city)."""

    def __init__(self, city: CityPool, district_id: int | None, category: str) -> None:
        self.city, self.district_id, self.category = city, district_id, category
        self.skilled = city.able & city.city.skills.get(category, 0)
        self.near = None if district_id is None else city.city.districts.get(district_id, 0)
        self.mask = self.skilled if self.near is None else self.skilled & self.near
        self._best: list[int] = []
        self._rest = self._ranking()

    def best(self, asked: int) -> Iterator[int]:
        """The places of those with a free place who were not asked yet, best first.

        Masters whose last place was given away in this batch are dropped for good from the head of the ranking: places
        are only taken while a batch is decided.
        """
        best, full = self._best, self.city.full
        while best and full >> best[0] & 1:
            best.pop(0)
        away, number = full | asked, 0
        while True:
            if number == len(best):
                following = next(self._rest, None)
                if following is None:
                    return
                best.append(following)
            if not away >> best[number] & 1:
                yield best[number]
            number += 1

    def count(self, asked: int) -> int:
        """How many there are of `best`."""
        return (self.mask & ~(self.city.full | asked)).bit_count()

    @cached_property
    def left_out(self) -> dict[LeftOut, int]:
        """Why the others are no candidates, whatever the order: reason → mask."""
        found = dict(self.city.barred)
        lacking = ((LeftOut.SKILL, self.city.able & ~self.skilled), (LeftOut.DISTRICT, self.skilled & ~self.mask))
        for reason, mask in lacking:
            found[reason] = found.get(reason, 0) | mask
        return {reason: mask for reason, mask in found.items() if mask}

    def traces(self) -> Iterator[tuple[LeftOut, str, int]]:
        """`left_out` in parts that other pools of the city share: (reason, key, mask)."""
        for reason, mask in self.city.barred.items():
            yield reason, "", mask
        yield LeftOut.SKILL, self.category, self.city.able & ~self.skilled
        if self.near is not None:
            yield LeftOut.DISTRICT, str(self.district_id), self.city.able & ~self.near

    def _ranking(self) -> Iterator[int]:
        mask = self.mask
        if mask.bit_count() < len(self.city.ranked) * FEW:
            return iter(sorted(places(mask), key=self.city.rank.__getitem__, reverse=True))
        return (place for place in self.city.ranked if mask >> place & 1)


class Pools:
    """The pools of a batch, each built when the first order asks for it."""

    def __init__(self, snapshot: Snapshot, rng: Random) -> None:
        self.snapshot, self.rng = snapshot, rng
        self.cities: dict[int, CityPool] = {}
        self.pools: dict[tuple[int, int | None, str], Pool] = {}

    def city(self, city_id: int) -> CityPool:
        """The masters of a city."""
        if city_id not in self.cities:
            self.cities[city_id] = CityPool(self.snapshot.cities.get(city_id) or City(city_id), self.rng)
        return self.cities[city_id]

    def pool(self, city_id: int, district_id: int | None, category: str) -> Pool:
        """Its masters for a category, in a district or (None) anywhere."""
        key = (city_id, district_id, category)
        if key not in self.pools:
            self.pools[key] = Pool(self.city(city_id), district_id, category)
        return self.pools[key]


def _mask(bars: bytes, wanted: int) -> int:
    """The masters whose bar is the wanted one; a few microseconds for a thousand of them."""
    return int(bars[::-1].translate(DIGITS[wanted]), 2) if bars else 0
