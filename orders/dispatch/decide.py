"""PURE: snapshot + config + now + rng → decisions. No database, no clock, no randomness of its own (spec §4)."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import islice
from random import Random

from orders.dispatch.pools import CityPool, Pool
from orders.dispatch.values import Candidate, Config, Decision, DueOrder, Outcome, Snapshot


def decide(snapshot: Snapshot, config: Config, now: datetime, rng: Random) -> list[Decision]:
    """One decision per due order, most urgent first; capacity given to one order is not given to the next."""
    batch = _Batch(snapshot, config, now, rng)
    return [batch.decide(order) for order in snapshot.orders]


class _Batch:
    """One pass over the due orders with its own account of free places."""

    def __init__(self, snapshot: Snapshot, config: Config, now: datetime, rng: Random) -> None:
        self.snapshot, self.config, self.now = snapshot, config, now
        self.offered_until = now + timedelta(seconds=config.sla_seconds)
        self.free = {master.id: master.free for master in snapshot.masters}
        #: masters whose last place was given away by this batch
        self.full: set[int] = {master.id for master in snapshot.masters if master.free <= 0}
        self.cities = self._rank(rng)
        self.pools: dict[tuple[int, int | None, str], Pool] = {}

    def _rank(self, rng: Random) -> dict[int, CityPool]:
        """Vehicle, average check, rating, chance: ranked once, every pool keeps this order."""
        masters = self.snapshot.masters
        draw = rng.random
        keys = [(m.vehicle, m.average, round(m.rating, 1), draw()) for m in masters]
        by_city: dict[int, list[Candidate]] = defaultdict(list)
        for place in sorted(range(len(masters)), key=keys.__getitem__, reverse=True):
            by_city[masters[place].city_id].append(masters[place])
        return {city: CityPool(city, ranked) for city, ranked in by_city.items()}

    def decide(self, order: DueOrder) -> Decision:
        """What to do with one order."""
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
        pool, top = self._able(order, order.district_id)
        citywide = not top and self.config.citywide_fallback
        if citywide:
            pool, top = self._able(order, None)
        chosen = self._choose(order, top)
        if not chosen:
            look_at = self.now + timedelta(seconds=self.config.tick_seconds)
            return Decision(order, Outcome.NO_CANDIDATES, round=order.round, rounds_limit=limit, citywide=citywide,
                            look_at=look_at, pool=pool, full=frozenset(pool.ids & self.full))  # fmt: skip
        full = frozenset(pool.ids & self.full)
        count = max(pool.count(self.full, order.asked), len(top))
        for master in chosen:
            self._take(master)
        return Decision(
            order, Outcome.OFFERED, masters=chosen, round=order.round + 1, rounds_limit=limit, candidates=count,
            top=tuple(top[: self.config.log_topn]), citywide=citywide, look_at=self.offered_until, pool=pool, full=full,
        )  # fmt: skip

    def _take(self, master: Candidate) -> None:
        self.free[master.id] -= 1
        if self.free[master.id] <= 0:
            self.full.add(master.id)

    def _choose(self, order: DueOrder, top: list[Candidate]) -> tuple[Candidate, ...]:
        if order.guarantee and order.preferred_master_id is not None:
            # the master who did the job is asked alone and first; not eligible or asked: the normal ranking
            first = [m for m in top if m.id == order.preferred_master_id]
            if first:
                return tuple(first)
        return tuple(top[: self.config.offers_per_round])

    def _able(self, order: DueOrder, district_id: int | None) -> tuple[Pool, list[Candidate]]:
        """The pool, and its best candidates: as many as are asked or logged."""
        pool = self._pool(order.city_id, district_id, order.category)
        wanted = max(self.config.log_topn, self.config.offers_per_round)
        top = list(islice(pool.able(self.free, order.asked), wanted))
        if order.guarantee and (own := self._own_master(order)) is not None:
            # a guarantee visit goes back to its master wherever in the city he works by now
            top = [own, *(m for m in top if m.id != own.id)]
        return pool, top

    def _own_master(self, order: DueOrder) -> Candidate | None:
        master_id = order.preferred_master_id
        if master_id is None or master_id in order.asked or self.free.get(master_id, 0) <= 0:
            return None
        pool = self._pool(order.city_id, None, order.category)
        return pool.city.free[pool.city.place[master_id]] if master_id in pool.ids else None

    def _pool(self, city_id: int, district_id: int | None, category: str) -> Pool:
        key = (city_id, district_id, category)
        if key not in self.pools:
            city = self.cities.get(city_id) or CityPool(city_id, ())
            self.pools[key] = Pool(city, self.snapshot, district_id, category)
        return self.pools[key]
