"""A decision in words: the `[dist]` log line and the rows of the decision log are made from the same value.

The log is compact: what is the same for every order of a batch (who is off shift, who lacks the skill, who serves
other districts) is kept once per batch, city and reason, as compressed ids; a decision keeps only its own.
"""

from __future__ import annotations

import json
import logging
import zlib
from array import array
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from fieldservice.runtime import registry
from orders.dispatch.pools import Pool
from orders.dispatch.values import Candidate, Decision, LeftOut, Outcome
from orders.models import DispatchDecision, DispatchTrace

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

#: the foreign keys take traces and decisions along
PRUNE = """
DELETE FROM dispatch_batches WHERE id = ANY(ARRAY(
    SELECT id FROM dispatch_batches WHERE decided_at < %s ORDER BY decided_at LIMIT %s FOR UPDATE SKIP LOCKED))"""


def line(decision: Decision) -> str:
    """One log line without personal data."""
    order = decision.order
    chosen = ",".join(str(m.id) for m in decision.masters) or "-"
    top = " ".join(
        f"{m.id}(car={int(m.vehicle)} avg={m.average / 100:.0f} rating={m.rating:.1f})" for m in decision.top
    )
    out = " ".join(f"{reason}={len(ids)}" for reason, ids in sorted(decision.left_out.items()))
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
        "top": _top(decision),
        "left_out": {str(reason): list(ids) for reason, ids in decision.left_out.items()},
        "look_at": decision.look_at.isoformat() if decision.look_at else None,
    }


def worth_keeping(decision: Decision) -> bool:
    """Waiting is no news, and neither is the same dead end at every tick."""
    return decision.outcome != Outcome.WAITING and not (decision.outcome.escalates and decision.order.escalated)


def save(decisions: Sequence[Decision], *, now: datetime) -> None:
    """Write the decisions of a batch into the decision log: one statement."""
    if not decisions:
        return
    shown: dict[int, str] = {}
    traces = list(_traces({id(d.pool): d.pool for d in decisions if d.pool}.values()))
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
        "details": [_details(d, shown) for d in decisions],
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
    rows = DispatchTrace.objects.filter(batch_id=decision.batch_id, city_id=details.get("city"))
    for reason, key, masters in rows.values_list("reason", "key", "masters"):
        if key == keys.get(LeftOut(reason), ""):
            found[LeftOut(reason)] = found.get(LeftOut(reason), set()) | set(unpack(masters))
    # the district's trace holds everybody who serves others, whatever his skills: the first reason counts
    found[LeftOut.DISTRICT] = found.get(LeftOut.DISTRICT, set()) - found.get(LeftOut.SKILL, set())
    chosen = set(details.get("masters", ()))
    return {reason: tuple(sorted(ids - chosen)) for reason, ids in found.items() if ids - chosen}


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


def pack(ids: Iterable[int]) -> bytes:
    """Ids as bytes: sorted, four bytes each, compressed."""
    return zlib.compress(array("I", sorted(ids)).tobytes(), 1)


def unpack(packed: bytes | memoryview) -> array[int]:
    """The ids of `pack`."""
    ids = array("I")
    ids.frombytes(zlib.decompress(bytes(packed)))
    return ids


def _traces(pools: Iterable[Pool | None]) -> Iterable[tuple[int, str, str, bytes]]:
    """(city, reason, key, packed masters), each once however many pools share it."""
    seen: set[tuple[int, str, str]] = set()
    for pool in filter(None, pools):
        for reason, key, who in pool.traces():
            where = (pool.city.id, reason.value, key)
            if where not in seen:
                seen.add(where)
                if ids := who():
                    yield *where, pack(ids)


def _details(decision: Decision, shown: dict[int, str]) -> str:
    """The decision's own part of the log as JSON, written by hand: there are a thousand of them in a batch.

    `shown` remembers the JSON of a candidate, who stands at the top of many decisions.
    """
    order, pool = decision.order, decision.pool
    masters = ",".join([str(m.id) for m in decision.masters])
    text = f'{{"masters":[{masters}],"rounds":{decision.rounds_limit}'
    if pool is not None:
        top = ",".join([shown.get(m.id) or _shown(m, shown) for m in decision.top])
        district = "null" if pool.district_id is None else pool.district_id
        text += (
            f',"city":{order.city_id},"district":{district},"category":"{order.category}"'
            f',"citywide":{"true" if decision.citywide else "false"},"top":[{top}]'
        )
        asked = decision.asked
        for name, ids in (("asked", asked), ("limit", decision.full - asked)):
            if ids:
                text += f',"{name}":[{",".join(map(str, sorted(ids)))}]'
    return text + "}"


def _shown(master: Candidate, shown: dict[int, str]) -> str:
    shown[master.id] = text = json.dumps([master.id, master.vehicle, master.average / 100, round(master.rating, 1)])
    return text


def _top(decision: Decision) -> list[list[Any]]:
    return [[m.id, m.vehicle, m.average / 100, round(m.rating, 1)] for m in decision.top]
