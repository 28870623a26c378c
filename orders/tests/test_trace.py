"""The decision log: what is kept, and how a decision reads."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest

from orders.dispatch import trace
from orders.dispatch.decide import decide
from orders.dispatch.values import Candidate, Config, Decision, DueOrder, Outcome, Snapshot

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ORDER = DueOrder(id=7, city_id=1, district_id=11, category="ELECTRICS", status="SEARCHING", search_number=2)
MASTERS = (
    Candidate(id=5, city_id=1, vehicle=True, average=712345, rating=4.86),
    Candidate(id=6, city_id=1, free=0),
    Candidate(id=8, city_id=1),
    Candidate(id=9, city_id=1),
)


def offered() -> Decision:
    """An offer to master 5; 6 is full, 8 and 9 lack the skill."""
    snapshot = Snapshot((ORDER,), MASTERS, {"ELECTRICS": frozenset({5, 6})}, {11: frozenset({5, 6, 8, 9})})
    (decision,) = decide(snapshot, Config(), NOW, Random(0))
    return decision


def test_the_log_line_names_numbers_and_no_people():
    assert trace.line(offered()) == (
        "[dist] order=7 city=1 district=11 category=ELECTRICS search=2 round=1/2 outcome=offered chosen=5 candidates=1 "
        "citywide=0 top=[5(car=1 avg=7123 rating=4.9)] left_out=[limit=1 skill=2]"
    )


def test_the_json_is_the_whole_decision():
    assert json.loads(json.dumps(trace.as_json(offered()))) == {
        "order": 7, "outcome": "offered", "masters": [5], "search": 2, "round": 1, "rounds": 2, "candidates": 1,
        "citywide": False, "top": [[5, True, 7123.45, 4.9]], "left_out": {"skill": [8, 9], "limit": [6]},
        "look_at": "2026-11-22T09:02:00+00:00",
    }  # fmt: skip


def test_the_row_answers_why_not_ivanov():
    row = trace.row(offered(), NOW)
    assert (row.order_id, row.search_number, row.round_number, row.outcome, row.master_id) == (7, 2, 1, "offered", 5)
    assert row.details["left_out"] == {"skill": [8, 9], "limit": [6]}


@pytest.mark.parametrize(
    ("outcome", "escalated", "kept"),
    [
        (Outcome.OFFERED, False, True),
        (Outcome.OFFERED, True, True),
        (Outcome.NO_CANDIDATES, False, True),
        (Outcome.NO_CANDIDATES, True, False),
        (Outcome.ROUNDS_USED_UP, True, False),
        (Outcome.WAITING, False, False),
    ],
)
def test_waiting_and_the_same_dead_end_are_no_news(outcome, escalated, kept):
    assert trace.worth_keeping(Decision(replace(ORDER, escalated=escalated), outcome)) is kept
