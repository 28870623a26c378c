"""A decision in words: the `[dist]` log line and the rows of the decision log are made from the same value.

The log is compact: what is the same for every order of a batch (who is off shift, who lacks the skill, who serves
other districts) is kept once per batch, city and reason, as a mask over the ids of the city's masters, which are kept
once per batch and city; a decision keeps only its own.
"""

from __future__ import annotations

import logging
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from fieldservice.runtime import registry
from orders.dispatch.pools import Pool
from orders.dispatch.values import Candidate, Decision, LeftOut, Outcome, places
from orders.models import DispatchDecision

log = logging.getLogger("dispatch")

#: the batch, its traces and its decisions in one statement
SAVE = """
WITH batch AS (INSERT INTO dispatch_batches(decided_at) VALUES (%(now)s) RETURNING id),
traces AS (
    INSERT INTO dispatch_traces(batch_id, city_id, reason, key, masters)
    SELECT batch.id, t.* FROM batch,
           unnest(%(cities)s::int[], %(reasons)s::text[], %(keys)s::text[], %(masters)s::bytea[]) AS t)
INSERT INTO dispatch_decisions(batch_id, decided_at, order_id, search_number, round_number, outcome, master_id,
                               candidates_count, details)
SELECT batch.id, %(now)s, o, s, r, e, m, c, d::jsonb FROM batch,
       unnest(%(order)s::int[], %(search)s::int[], %(round)s::int[], %(outcome)s::text[], %(master)s::int[],
              %(candidates)s::int[], %(details)s::text[]) AS t(o, s, r, e, m, c, d)"""

#: the trace that holds the ids of a city's masters: bit n of the others is the n-th of them
MASTERS = "masters"
#: the trace that holds (id, `Candidate.worth`) of those who stood at the top of a decision
RANKED = "ranked"
#: batches with their traces and decisions, which no foreign key ties to them
PRUNE = """
WITH old AS MATERIALIZED (
    SELECT id FROM dispatch_batches WHERE decided_at < %s ORDER BY decided_at LIMIT %s FOR UPDATE SKIP LOCKED),
traces AS (DELETE FROM dispatch_traces WHERE batch_id IN (SELECT id FROM old)),
decisions AS (DELETE FROM dispatch_decisions WHERE batch_id IN (SELECT id FROM old))
DELETE FROM dispatch_batches WHERE id IN (SELECT id FROM old)"""


def line(decision: Decision) -> str:
    """One log line without personal data."""
    order = decision.order
    chosen = ",".join(str(m.id) for m in decision.masters) or "-"
    top = " ".join(
        f"{m.id}(car={int(m.vehicle)} avg={m.average / 100:.0f} rating={m.rating:.1f})" for m in decision.top
    )
    out = " ".join(f"{reason}={mask.bit_count()}" for reason, mask in sorted(decision.left_out.items()))
    return (
        f"[dist] order={order.id} city={order.city_id} district={order.district_id} category={order.category} "
        f"search={order.search_number} round={decision.round}/{decision.rounds_limit} outcome={decision.outcome} "
        f"chosen={chosen} candidates={decision.candidates} citywide={int(decision.citywide)} "
        f"top=[{top}] left_out=[{out}]"
    )


def as_json(decision: Decision) -> dict[str, Any]:
    """For `dispatch_tick --json`."""
    return {
        "order": decision.order.id,
        "outcome": str(decision.outcome),
        "masters": [m.id for m in decision.masters],
        "search": decision.order.search_number,
        "round": decision.round,
        "rounds": decision.rounds_limit,
        "candidates": decision.candidates,
        "citywide": decision.citywide,
        "top": [_shown(m) for m in decision.top],
        "left_out": {str(reason): list(ids) for reason, ids in decision.left_out_ids.items()},
        "look_at": decision.look_at.isoformat() if decision.look_at else None,
    }


def worth_keeping(decision: Decision) -> bool:
    """Waiting is no news, and neither is the same dead end at every tick."""
    return decision.outcome != Outcome.WAITING and not (decision.outcome.escalates and decision.order.escalated)


def save(decisions: Sequence[Decision], *, now: datetime) -> None:
    """Write the decisions of a batch into the decision log: one statement."""
    if not decisions:
        return
    traces = list(_traces(dict.fromkeys(d.pool for d in decisions if d.pool)))
    params: dict[str, Any] = {
        "now": now,
        "cities": [city for city, *_ in traces],
        "reasons": [reason for _, reason, *_ in traces],
        "keys": [key for *_, key, _ in traces],
        "masters": [packed for *_, packed in traces],
        "order": [d.order.id for d in decisions],
        "search": [d.order.search_number for d in decisions],
        "round": [d.round for d in decisions],
        "outcome": [d.outcome.value for d in decisions],
        "master": [d.masters[0].id if d.masters else None for d in decisions],
        "candidates": [min(d.candidates, 32767) for d in decisions],
        "details": [_details(d) for d in decisions],
    }
    with connection.cursor() as cursor:
        cursor.execute(SAVE, params)


def left_out(decision: DispatchDecision) -> dict[LeftOut, tuple[int, ...]]:
    """Why the masters of the city were no candidates, read back from the log: reason → masters."""
    details = decision.details
    if "left_out" in details:  # a decision from before the compact log
        return {LeftOut(reason): tuple(ids) for reason, ids in details["left_out"].items()}
    keys = {LeftOut.SKILL: details.get("category", ""), LeftOut.DISTRICT: str(details.get("district") or "")}
    found = {LeftOut.ASKED: set(details.get("asked", ())), LeftOut.LIMIT: set(details.get("limit", ()))}
    city = unpack(decision.traces.get((MASTERS, ""), b""))
    for (reason, key), mask in decision.traces.items():
        if reason not in (MASTERS, RANKED) and key == keys.get(LeftOut(reason), ""):
            members = {city[place] for place in places(int.from_bytes(mask, "little"))}
            found[LeftOut(reason)] = found.get(LeftOut(reason), set()) | members
    # the district's trace holds everybody who serves others, whatever his skills: the first reason counts
    found[LeftOut.DISTRICT] = found.get(LeftOut.DISTRICT, set()) - found.get(LeftOut.SKILL, set())
    chosen = set(details.get("masters", ()))
    return {reason: tuple(sorted(ids - chosen)) for reason, ids in found.items() if ids - chosen}


def top(decision: DispatchDecision) -> list[list[Any]]:
    """The best candidates, read back from the log: [master, vehicle, average check, rating], best first."""
    kept = decision.details.get("top") or []
    if kept and isinstance(kept[0], list):  # from before the compact log
        return kept
    pairs = unpack(decision.traces.get((RANKED, ""), b""), "Q")
    worth = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return [_shown(Candidate.of(pk, worth[pk])) for pk in kept if pk in worth]


def prune(*, now: datetime, chunk: int = 500) -> int:
    """Forget batches that are older than the setting allows, a few at a time; returns how many."""
    before = now - timedelta(days=registry.get("decision_log_days"))
    gone = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(PRUNE, [before, chunk])
            deleted = cursor.rowcount
        gone += deleted
        if deleted < chunk:
            return gone


def pack(numbers: Sequence[int], kind: str = "I") -> bytes:
    """Numbers as bytes: four bytes each (`Q`: eight), compressed."""
    return zlib.compress(array(kind, numbers).tobytes(), 1)


def unpack(packed: bytes, kind: str = "I") -> array[int]:
    """The numbers of `pack`."""
    numbers = array(kind)
    numbers.frombytes(zlib.decompress(packed) if packed else b"")
    return numbers


def _traces(pools: Iterable[Pool]) -> Iterator[tuple[int, str, str, bytes]]:
    """(city, reason, key, mask as bytes), each once however many pools share it; the ids of each city first."""
    seen: set[tuple[int, str, str]] = set()
    for pool in pools:
        city = pool.city.city
        if (city.id, MASTERS, "") not in seen:
            seen.add((city.id, MASTERS, ""))
            yield city.id, MASTERS, "", pack(city.ids)
            yield city.id, RANKED, "", pack([n for m in pool.city.seen.values() for n in (m.id, m.worth)], "Q")
        size = (len(city.ids) + 7) // 8
        for reason, key, mask in pool.traces():
            where = (city.id, reason.value, key)
            if mask and where not in seen:
                seen.add(where)
                yield *where, mask.to_bytes(size, "little")


def _details(decision: Decision) -> str:
    """The decision's own part of the log as JSON, written by hand: there are a thousand of them in a batch."""
    order, pool = decision.order, decision.pool
    masters = ",".join([str(m.id) for m in decision.masters])
    text = f'{{"masters":[{masters}],"rounds":{decision.rounds_limit}'
    if pool is not None:
        best = ",".join([str(m.id) for m in decision.top])
        district = "null" if pool.district_id is None else pool.district_id
        text += (
            f',"city":{order.city_id},"district":{district},"category":"{order.category}"'
            f',"citywide":{"true" if decision.citywide else "false"},"top":[{best}]'
        )
        for name, mask in (("asked", decision.asked), ("limit", decision.full & ~decision.asked)):
            if mask:
                text += f',"{name}":[{",".join(map(str, pool.city.names(mask)))}]'
    return text + "}"


def _shown(master: Candidate) -> list[Any]:
    return [master.id, master.vehicle, master.average / 100, round(master.rating, 1)]
