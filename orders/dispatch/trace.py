"""A decision in words: the `[dist]` log line and the row of the decision log are made from the same value."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from orders.dispatch.values import Decision, Outcome
from orders.models import DispatchDecision

log = logging.getLogger("dispatch")


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
    """For `dispatch_tick --json` and the decision log."""
    return {
        "order": decision.order.id,
        "outcome": str(decision.outcome),
        "masters": [m.id for m in decision.masters],
        "search": decision.order.search_number,
        "round": decision.round,
        "rounds": decision.rounds_limit,
        "candidates": decision.candidates,
        "citywide": decision.citywide,
        "top": [[m.id, m.vehicle, m.average / 100, round(m.rating, 1)] for m in decision.top],
        "left_out": {str(reason): list(ids) for reason, ids in decision.left_out.items()},
        "look_at": decision.look_at.isoformat() if decision.look_at else None,
    }


def worth_keeping(decision: Decision) -> bool:
    """Waiting is no news, and neither is the same dead end at every tick."""
    return decision.outcome != Outcome.WAITING and not (decision.outcome.escalates and decision.order.escalated)


def row(decision: Decision, now: datetime) -> DispatchDecision:
    """The row of the decision log."""
    details = {
        key: value for key, value in as_json(decision).items() if key in {"top", "left_out", "citywide", "masters"}
    }
    return DispatchDecision(
        order_id=decision.order.id,
        decided_at=now,
        search_number=decision.order.search_number,
        round_number=decision.round,
        outcome=str(decision.outcome),
        candidates_count=min(decision.candidates, 32767),
        master_id=decision.masters[0].id if decision.masters else None,
        details=details,
    )
