"""`bench dispatch`: one drain of the queue by the engine, beside the same rows written in bulk and nothing selected."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any

from django.db import connection, transaction

from fieldservice.bench import seed
from fieldservice.bench.harness import Result, Series, counted, execute, repeat
from fieldservice.celery import set_aside_what_stays
from orders.dispatch import engine

#: the same offers, messages and order updates, arguments prepared beforehand
FLOOR = (
    """INSERT INTO offers(order_id, master_id, round_number, state, sent_at, expires_at, search_number, sla_seconds)
       SELECT o, m, 1, 'SENT', now(), now() + interval '120 s', 1, 120
         FROM unnest(%(o)s::int[], %(m)s::int[]) AS t(o, m)""",
    """UPDATE orders SET dispatch_at = now() + interval '120 s', dispatch_round = dispatch_round + 1
        WHERE id = ANY(%(o)s::int[])""",
    """INSERT INTO notifications_outbox(master_id, event, payload, lane, expires_at, dedup_key, edits_key)
       SELECT m, 'offer', p::jsonb, 0, now() + interval '120 s', 'offer:' || o, 'offer:' || o
         FROM unnest(%(o)s::int[], %(m)s::int[], %(p)s::text[]) AS t(o, m, p)""",
)


def run(*, orders: int, shape: seed.Shape, runs: int) -> Result:
    """Seed, warm up, measure. The database is the bench's own."""
    logging.disable(logging.CRITICAL)  # the log lines are the engine's, but their terminal is not
    seed.company(shape)
    result = Result("dispatch", {"orders": orders, "masters": shape.masters, "history": shape.history,
                                 "cities": shape.cities}, goal=_goal(orders, shape), floor=Series())  # fmt: skip
    seed.due(min(orders, 50))
    engine.tick(rng=Random(1))  # plans and catalogues of the connection are warm, as in a running worker
    set_aside_what_stays()
    pairs: list[tuple[int, int]] = []
    for _ in range(runs):
        seed.due(orders)
        with counted() as statements:
            result.work.times += repeat(1, lambda: engine.tick(rng=Random(1))).times
        result.statements = len(statements)
        pairs = _pairs()
        seed.due(orders)
        assert result.floor is not None
        result.floor.times += repeat(1, partial(_write, _renumbered(pairs))).times
    result.extra = {"offers": len(pairs), "idle_ms": round(_idle(), 2)}
    logging.disable(logging.NOTSET)
    return result


#: what grows → the small company, the big one, how many times longer a tick may take
GROWTH = {
    "recent history": (seed.Shape(), seed.Shape(history=1_000_000), 1.3),
    "older history": (seed.Shape(), seed.Shape(older=800_000), 1.1),
    "masters": (seed.Shape(masters=2_500), seed.Shape(masters=39_500), 4),
}


def run_growth(*, orders: int, runs: int) -> list[Result]:
    """The same due orders in a small and in a big company: the small one is the floor."""
    logging.disable(logging.CRITICAL)
    results, known = [], {}
    for name, (small, big, goal) in GROWTH.items():
        for shape in (small, big):
            if shape not in known:
                known[shape] = _ticks(orders, shape, runs)
        sizes = {"orders": orders, "masters": big.masters, "history": big.history, "older": big.older}
        results.append(Result(f"growth: {name}", sizes, known[big], known[small], goal))
    logging.disable(logging.NOTSET)
    return results


def _ticks(orders: int, shape: seed.Shape, runs: int) -> Series:
    seed.company(shape)
    seed.due(min(orders, 50))
    engine.tick(rng=Random(1))
    return repeat(runs, lambda: engine.tick(rng=Random(1)), prepare=partial(seed.due, orders))


def _goal(orders: int, shape: seed.Shape) -> float:
    if shape.masters > 20_000:
        return 5
    return 8 if orders <= 100 else 3


def _pairs() -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT order_id, master_id FROM offers ORDER BY id")
        return cursor.fetchall()


def _renumbered(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same masters for the orders that were seeded anew."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orders WHERE status = 'SEARCHING' ORDER BY id LIMIT %s", [len(pairs)])
        fresh = [row[0] for row in cursor.fetchall()]
    return [(order, master) for order, (_old, master) in zip(fresh, pairs, strict=True)]


def _write(pairs: list[tuple[int, int]]) -> None:
    for batch in _batches(pairs):
        values: dict[str, Any] = {"o": [o for o, _ in batch], "m": [m for _, m in batch],
                  "p": [json.dumps({"offer_id": 1234567})] * len(batch)}  # fmt: skip
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in FLOOR:
                cursor.execute(statement, values)


def _batches(pairs: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    for start in range(0, len(pairs), engine.BATCH):
        yield pairs[start : start + engine.BATCH]


def _idle() -> float:
    """A tick while every order waits for an answer."""
    execute("UPDATE orders SET dispatch_at = now() + interval '1 hour' WHERE status = 'SEARCHING'")
    return repeat(5, lambda: engine.tick(rng=Random(1))).median
