"""PURE: snapshot + config + now + rng → decisions. No database, no clock, no randomness of its own (spec §4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from random import Random

from orders.dispatch.pools import Pool, Pools
from orders.dispatch.values import Config, Decision, DueOrder, Outcome, Snapshot


def decide(snapshot: Snapshot, config: Config, now: datetime, rng: Random) -> list[Decision]:
    """One decision per due order, most urgent first; capacity given to one order is not given to the next."""
    batch = _Batch(snapshot, config, now, rng)
    return [batch.decide(order) for order in snapshot.orders]


class _Batch:
    """One pass over the due orders; its pools keep account of the free places."""

    def __init__(self, snapshot: Snapshot, config: Config, now: datetime, rng: Random) -> None:
        self.categories, self.config, self.now = snapshot.categories, config, now
        self.offered_until = now + timedelta(seconds=config.sla_seconds)
        self.wanted = max(config.log_topn, config.offers_per_round)
        self.pools = Pools(snapshot, rng)

    def decide(self, order: DueOrder) -> Decision:
        """What to do with one order."""
        limit = self.config.rounds if order.rounds_limit is None else order.rounds_limit
        if order.live_until is not None:
            # an offer somebody holds locked may be overdue by now: look again in a second, never at once
            look_at = max(order.live_until, self.now + timedelta(seconds=1))
            return Decision(order, Outcome.WAITING, round=order.round, rounds_limit=limit, look_at=look_at)
        if order.district_id is None:
            return Decision(order, Outcome.NO_DISTRICT, round=order.round, rounds_limit=limit)
        if order.category not in self.categories:
            return Decision(order, Outcome.NO_CATEGORY, round=order.round, rounds_limit=limit)
        if order.round >= limit:
            return Decision(order, Outcome.ROUNDS_USED_UP, round=order.round, rounds_limit=limit)
        return self._search(order, limit)

    def _search(self, order: DueOrder, limit: int) -> Decision:
        city = self.pools.city(order.city_id)
        asked = city.mask(order.asked) if order.asked else 0
        own = self._own_master(order, asked) if order.guarantee else None
        pool, best = self._best(order, order.district_id, asked, own)
        citywide = not best and self.config.citywide_fallback
        if citywide:
            pool, best = self._best(order, None, asked, own)
        asked, full = asked & pool.mask, city.full & pool.mask
        if not best:
            look_at = self.now + timedelta(seconds=self.config.tick_seconds)
            return Decision(order, Outcome.NO_CANDIDATES, round=order.round, rounds_limit=limit, citywide=citywide,
                            look_at=look_at, pool=pool, asked=asked, full=full)  # fmt: skip
        candidates = max(pool.count(asked), len(best))
        # the master whose work it is, is asked alone
        chosen = best[: self.config.offers_per_round if own is None else 1]
        for place in chosen:
            city.take(place)
        return Decision(
            order, Outcome.OFFERED, masters=tuple(map(city.candidate, chosen)), round=order.round + 1,
            rounds_limit=limit, candidates=candidates, top=tuple(map(city.candidate, best[: self.config.log_topn])),
            citywide=citywide, look_at=self.offered_until, pool=pool, asked=asked, full=full,
        )  # fmt: skip

    def _best(self, order: DueOrder, district_id: int | None, asked: int, own: int | None) -> tuple[Pool, list[int]]:
        """The pool, and the places of its best candidates: as many as are asked or logged."""
        pool = self.pools.pool(order.city_id, district_id, order.category)
        best = list(islice(pool.best(asked), self.wanted))
        return pool, best if own is None else [own, *(place for place in best if place != own)]

    def _own_master(self, order: DueOrder, asked: int) -> int | None:
        """A guarantee visit goes back to its master wherever in the city he works by now, if he can take it."""
        pool = self.pools.pool(order.city_id, None, order.category)
        own = pool.city.mask([order.preferred_master_id or 0]) & pool.mask & ~(asked | pool.city.full)
        return own.bit_length() - 1 if own else None
