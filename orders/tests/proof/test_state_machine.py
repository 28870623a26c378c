"""Whatever people do in whatever order: engine and reference model agree after every step (goals, Reliability)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from orders.tests.proof.machine import Dispatch
from orders.tests.proof.world import build

pytestmark = pytest.mark.django_db


def run(examples: int, steps: int, *, derandomize: bool) -> None:
    Dispatch.world = build()
    run_state_machine_as_test(
        Dispatch,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=derandomize,
            deadline=None,
            database=None,
            print_blob=True,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(600)
def test_the_engine_agrees_with_the_model():
    run(25, 40, derandomize=True)


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(4))
def test_the_engine_agrees_with_the_model_for_long(part: int):
    """In parts, so that several processes can share the work; each part draws its own examples."""
    run(500, 40, derandomize=False)
