"""The decision log: what is kept, and how a decision reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.runtime.models import Setting
from orders.dispatch import engine, trace
from orders.dispatch.decide import decide
from orders.dispatch.values import Config, Decision, DueOrder, LeftOut, Outcome
from orders.models import DispatchBatch, DispatchDecision, DispatchTrace
from orders.tests.factories import OrderFactory
from orders.tests.worlds import Man, World
from staff.tests.factories import MasterFactory

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ORDER = DueOrder(id=7, city_id=1, district_id=11, category="ELECTRICS", status="SEARCHING", search_number=2)
MASTERS = (
    Man(5, vehicle=True, average=712345, rating=4.86),
    Man(6, free=0),
    Man(8),
    Man(9),
)


def offered() -> Decision:
    """An offer to master 5; 6 is full, 8 and 9 lack the skill."""
    world = World((ORDER,), MASTERS, {"ELECTRICS": {5, 6}}, {11: {5, 6, 8, 9}})
    (decision,) = decide(world.snapshot(), Config(), NOW, Random(0))
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


@given(st.lists(st.integers(1, 2**31 - 1)))
def test_packed_ids_come_back(ids):
    assert list(trace.unpack(trace.pack(ids))) == ids


@pytest.mark.django_db
def test_the_log_answers_why_not_ivanov():
    """What a batch leaves out is written once and read back for each of its orders."""
    order, other = OrderFactory(), OrderFactory()
    best = MasterFactory(districts=[order.district], has_vehicle=True)
    full = MasterFactory(districts=[order.district], max_active_orders_override=0)
    plumber = MasterFactory(districts=[order.district], skills=["PLUMBING"])
    far, off = MasterFactory(city=order.city), MasterFactory(city=order.city, shift_status="SHIFT_OFF")
    stranger = MasterFactory(districts=[other.district])
    engine.tick()
    decision = DispatchDecision.objects.get(order=order)
    assert (decision.search_number, decision.round_number, decision.outcome, decision.master) == (1, 1, "offered", best)
    assert trace.left_out(decision) == {
        LeftOut.OFF_SHIFT: (off.pk,), LeftOut.SKILL: (plumber.pk,), LeftOut.DISTRICT: (far.pk,),
        LeftOut.LIMIT: (full.pk,),
    }  # fmt: skip
    assert trace.left_out(DispatchDecision.objects.get(order=other)) == {}
    assert DispatchDecision.objects.get(order=other).master == stranger
    assert DispatchBatch.objects.count() == 1


@pytest.mark.django_db
def test_a_decision_from_before_the_compact_log_is_read_too():
    row = DispatchDecision(details={"left_out": {"skill": [8, 9], "limit": [6]}})
    assert trace.left_out(row) == {LeftOut.SKILL: (8, 9), LeftOut.LIMIT: (6,)}


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
    assert trace.worth_keeping(Decision(ORDER._replace(escalated=escalated), outcome)) is kept


@pytest.mark.django_db
def test_the_log_keeps_as_many_days_as_the_setting_says():
    now = timezone.now()
    order = OrderFactory()
    for days in (0, 6, 8, 20):
        batch = DispatchBatch.objects.create(decided_at=now - timedelta(days=days))
        DispatchTrace.objects.create(batch=batch, city=order.city, reason="skill", masters=b"\1")
        DispatchDecision.objects.create(
            order=order, batch=batch, decided_at=batch.decided_at, search_number=1, round_number=days, outcome="offered"
        )
    Setting.objects.create(key="decision_log_days", value="7")
    assert trace.prune(now=now, chunk=1) == 2
    assert set(DispatchDecision.objects.values_list("round_number", flat=True)) == {0, 6}
    assert DispatchTrace.objects.count() == 2
