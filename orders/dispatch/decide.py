"""PURE: snapshot + config + now + rng → decisions. No database, no clock, no randomness of its own (spec §4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random

from orders.dispatch.values import Candidate, Config, Decision, DueOrder, LeftOut, Outcome, Snapshot


def decide(snapshot: Snapshot, config: Config, now: datetime, rng: Random) -> list[Decision]:
    """One decision per due order, most urgent first; capacity given to one order is not given to the next."""
    return list(_Round(snapshot, config, now, rng).decisions())


class _Group:
    """The masters of one (city, district, category): ranked candidates, and why the others are none."""

    def __init__(self, ranked: list[Candidate], left_out: dict[LeftOut, list[int]]) -> None:
        self.ranked = ranked
        self.left_out = {reason: tuple(ids) for reason, ids in left_out.items()}


class _Round:
    """One pass over the due orders with its own account of free places."""

    def __init__(self, snapshot: Snapshot, config: Config, now: datetime, rng: Random) -> None:
        self.snapshot, self.config, self.now = snapshot, config, now
        self.free = {master.id: master.free for master in snapshot.masters}
        self.by_city: dict[int, list[Candidate]] = defaultdict(list)
        noise = {master.id: rng.random() for master in snapshot.masters}
        # vehicle, average check, rating, chance: ranked once, every group keeps this order
        key = lambda m: (m.vehicle, m.average, round(m.rating, 1), noise[m.id])  # noqa: E731
        for master in sorted(snapshot.masters, key=key, reverse=True):
            self.by_city[master.city_id].append(master)
        self.groups: dict[tuple[int, int | None, str], _Group] = {}

    def decisions(self) -> Iterator[Decision]:
        for order in self.snapshot.orders:
            yield self._decide(order)

    def _decide(self, order: DueOrder) -> Decision:
        limit = self.config.rounds if order.rounds_limit is None else order.rounds_limit
        if order.live_until is not None:
            # an offer somebody holds locked may be overdue by now: look again in a second, never at once
            look_at = max(order.live_until, self.now + timedelta(seconds=1))
            return Decision(order, Outcome.WAITING, round=order.round, rounds_limit=limit, look_at=look_at)
        if order.district_id is None:
            return Decision(order, Outcome.NO_DISTRICT, round=order.round, rounds_limit=limit)
        if order.category not in self.snapshot.with_skill:
            return Decision(order, Outcome.NO_CATEGORY, round=order.round, rounds_limit=limit)
        if order.round >= limit:
            return Decision(order, Outcome.ROUNDS_USED_UP, round=order.round, rounds_limit=limit)
        return self._search(order, limit)

    def _search(self, order: DueOrder, limit: int) -> Decision:
        group, able = self._able(order, order.district_id)
        citywide = not able and self.config.citywide_fallback
        if citywide:
            group, able = self._able(order, None)
        chosen = self._choose(order, able)
        left_out = self._left_out(order, group, chosen)
        if not chosen:
            look_at = self.now + timedelta(seconds=self.config.tick_seconds)
            return Decision(
                order,
                Outcome.NO_CANDIDATES,
                round=order.round,
                rounds_limit=limit,
                citywide=citywide,
                left_out=left_out,
                look_at=look_at,
            )
        for master in chosen:
            self.free[master.id] -= 1
        return Decision(
            order,
            Outcome.OFFERED,
            masters=chosen,
            round=order.round + 1,
            rounds_limit=limit,
            candidates=len(able),
            top=tuple(able[: self.config.log_topn]),
            citywide=citywide,
            left_out=left_out,
            look_at=self.now + timedelta(seconds=self.config.sla_seconds),
        )

    def _choose(self, order: DueOrder, able: list[Candidate]) -> tuple[Candidate, ...]:
        if order.guarantee and order.preferred_master_id is not None:
            # the master who did the job is asked alone and first; not eligible or asked: the normal ranking
            first = [m for m in able if m.id == order.preferred_master_id]
            if first:
                return tuple(first)
        return tuple(able[: self.config.offers_per_round])

    def _able(self, order: DueOrder, district_id: int | None) -> tuple[_Group, list[Candidate]]:
        group = self._group(order.city_id, district_id, order.category)
        able = [m for m in group.ranked if self.free[m.id] > 0 and m.id not in order.asked]
        preferred = order.preferred_master_id
        if order.guarantee and preferred and district_id is not None and all(m.id != preferred for m in able):
            # a guarantee visit goes back to its master wherever in the city he works by now
            wide = self._group(order.city_id, None, order.category).ranked
            able = [m for m in wide if m.id == preferred and self.free[m.id] > 0 and m.id not in order.asked] + able
        return group, able

    def _group(self, city_id: int, district_id: int | None, category: str) -> _Group:
        key = (city_id, district_id, category)
        if key not in self.groups:
            self.groups[key] = self._build(self.by_city[city_id], district_id, category)
        return self.groups[key]

    def _build(self, masters: Iterable[Candidate], district_id: int | None, category: str) -> _Group:
        skilled = self.snapshot.with_skill.get(category, frozenset())
        near = None if district_id is None else self.snapshot.in_district.get(district_id, frozenset())
        ranked: list[Candidate] = []
        left_out: dict[LeftOut, list[int]] = defaultdict(list)
        for master in masters:
            if master.bar is not None:
                left_out[master.bar].append(master.id)
            elif master.id not in skilled:
                left_out[LeftOut.SKILL].append(master.id)
            elif near is not None and master.id not in near:
                left_out[LeftOut.DISTRICT].append(master.id)
            else:
                ranked.append(master)
        return _Group(ranked, left_out)

    def _left_out(
        self, order: DueOrder, group: _Group, chosen: tuple[Candidate, ...]
    ) -> dict[LeftOut, tuple[int, ...]]:
        asked = tuple(m.id for m in group.ranked if m.id in order.asked)
        full = tuple(m.id for m in group.ranked if m.id not in order.asked and self.free[m.id] <= 0)
        found = group.left_out | {LeftOut.ASKED: asked, LeftOut.LIMIT: full}
        if order.guarantee:  # its own master may come from another district of the city
            ids = {master.id for master in chosen}
            found = {reason: tuple(i for i in left if i not in ids) for reason, left in found.items()}
        return {reason: left for reason, left in found.items() if left}
