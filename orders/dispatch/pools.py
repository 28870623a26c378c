"""The masters of one (city, district, category): ranked candidates, and why the others are none. Pure.

A pool is built once per batch whatever the number of its orders. Reasons are kept as sets that are subtracted when
somebody asks, because almost nobody does: nine decisions of ten are only written down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from orders.dispatch.values import Candidate, LeftOut, Snapshot


class CityPool:
    """The masters of a city: those who may work now, best first, and those whom something keeps from any order."""

    def __init__(self, city_id: int, ranked: Iterable[Candidate]) -> None:
        self.id = city_id
        self.free: list[Candidate] = []
        self.barred: dict[LeftOut, list[int]] = {}
        for master in ranked:
            if master.bar is None:
                self.free.append(master)
            else:
                self.barred.setdefault(master.bar, []).append(master.id)
        self.place = {master.id: place for place, master in enumerate(self.free)}
        self.ids = frozenset(self.place)


class Pool:
    """The candidates for one category in one district (None: in the whole city)."""

    def __init__(self, city: CityPool, snapshot: Snapshot, district_id: int | None, category: str) -> None:
        self.city, self.district_id, self.category = city, district_id, category
        self.skilled = city.ids & snapshot.with_skill.get(category, frozenset())
        self.near = None if district_id is None else snapshot.in_district.get(district_id, frozenset())
        self.ids = self.skilled if self.near is None else self.skilled & self.near
        places = sorted(map(city.place.__getitem__, self.ids))
        self.ranked = [city.free[place] for place in places]

    def able(self, free: dict[int, int], asked: frozenset[int]) -> Iterator[Candidate]:
        """Those with a free place who were not asked yet, best first.

        Masters whose last place was given away in this batch are dropped for good from the head of the list: places
        are only taken while a batch is decided.
        """
        while self.ranked and free[self.ranked[0].id] <= 0:
            self.ranked.pop(0)
        return (m for m in self.ranked if free[m.id] > 0 and m.id not in asked)

    def count(self, full: set[int], asked: frozenset[int]) -> int:
        """How many there are of `able`."""
        away = (self.ids & full) | (self.ids & asked) if asked else self.ids & full
        return len(self.ids) - len(away)

    @cached_property
    def left_out(self) -> dict[LeftOut, frozenset[int]]:
        """Why the others are no candidates, whatever the order: reason → masters."""
        found = {reason: frozenset(ids) for reason, ids in self.city.barred.items()}
        for reason, ids in ((LeftOut.SKILL, self.city.ids - self.skilled), (LeftOut.DISTRICT, self.skilled - self.ids)):
            found[reason] = found.get(reason, frozenset()) | ids
        return {reason: ids for reason, ids in found.items() if ids}

    def traces(self) -> Iterator[tuple[LeftOut, str, Callable[[], Iterable[int]]]]:
        """`left_out` in parts that other pools of the city share: (reason, key, who). Called only where it is new."""
        for reason, ids in self.city.barred.items():
            yield reason, "", lambda ids=ids: ids  # type: ignore[misc]
        yield LeftOut.SKILL, self.category, lambda: self.city.ids - self.skilled
        near = self.near
        if near is not None:
            yield LeftOut.DISTRICT, str(self.district_id), lambda: self.city.ids - near
