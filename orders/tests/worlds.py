"""Invented companies for `decide`, said the way people think of them; the snapshot has them in columns and masks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from orders.dispatch.values import Candidate, City, DueOrder, LeftOut, Snapshot

CITY = 1


class Man(NamedTuple):
    """A master, with whatever `decide` may know of him."""

    id: int
    city_id: int = CITY
    vehicle: bool = False
    average: int = 0
    rating: float = 5.0
    free: int = 1
    bar: LeftOut | None = None


class World(NamedTuple):
    """Due orders, masters, who knows what and who serves where."""

    orders: tuple[DueOrder, ...]
    masters: tuple[Man, ...]
    with_skill: Mapping[str, Iterable[int]]
    in_district: Mapping[int, Iterable[int]]

    def snapshot(self) -> Snapshot:
        """As `decide` sees it."""
        cities = {man.city_id for man in self.masters}
        return Snapshot(self.orders, {pk: self._city(pk) for pk in cities}, frozenset(self.with_skill))

    def _city(self, city_id: int) -> City:
        men = sorted(man for man in self.masters if man.city_id == city_id)
        bars = [man.bar or (LeftOut.LIMIT if man.free <= 0 else None) for man in men]

        def mask(ids: Iterable[int]) -> int:
            return sum(1 << place for place, man in enumerate(men) if man.id in set(ids))

        return City(
            city_id,
            [man.id for man in men],
            [Candidate(man.id, man.vehicle, man.average, man.rating).worth for man in men],
            [man.free for man in men],
            bytes(bar.bar if bar else 0 for bar in bars),
            {category: mask(ids) for category, ids in self.with_skill.items()},
            {district: mask(ids) for district, ids in self.in_district.items()},
        )
