"""Accept × accept × decline × expire × cancel × return × by hand × tick, with real threads, judged afterwards."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from fieldservice.tests.racing import racers
from orders.dispatch import engine
from orders.models import Offer, Order
from orders.tests.proof.histories import Town, found_town, prepare, race
from orders.tests.proof.judge import LIVE, Judge

pytestmark = pytest.mark.django_db(transaction=True)
THREADS, ORDERS, DEEDS = 6, 10, 6


class Complaints(logging.Handler):
    """Errors the engine survived: a batch that failed by a deadlock would be hidden by the next try."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()}: {record.exc_info and record.exc_info[1]}")


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    handler, log = Complaints(), logging.getLogger("dispatch")
    log.addHandler(handler)
    yield handler.lines
    log.removeHandler(handler)


def play(seeds: range, complaints: list[str]) -> Counter[str]:
    """Every seed is one round of orders; stops at the first wrong history and prints it. Returns what was answered."""
    town, said = found_town(), Counter()
    with racers(THREADS) as crew:
        for seed in seeds:
            history = prepare(town, seed, ORDERS)
            race(town, history, crew, deeds=DEEDS)
            wrong = Judge(town, history).verdicts() + complaints
            wrong += everybody_is_served(history.orders, town, history.start + timedelta(hours=1))
            assert not wrong, "\n".join([*wrong, "", str(history)])
            said.update(f"{event.deed}: {event.code or 'done'}" for event in history.events)
    return said


def everybody_is_served(orders: list[int], town: Town, later: object) -> list[str]:
    """The next tick reaches every order of the race that still searches: somebody is asked or staff know."""
    engine.tick(now=later)
    searching = Order.objects.filter(pk__in=orders, status__in=("SEARCHING", "GUARANTEE"))
    asked = set(Offer.objects.filter(order__in=searching, state__in=LIVE).values_list("order_id", flat=True))
    return [f"#{o.pk} was forgotten" for o in searching if o.pk not in asked and o.dist_escalated_logist_at is None]


def test_three_hundred_orders(complaints: list[str]):
    said = play(range(30), complaints)
    # the rounds were races: winners and losers of many kinds
    assert said["accept: done"] > 50
    assert {"accept: taken", "accept: expired", "cancel: done", "return: done"} <= set(said)


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(4))
def test_ten_thousand_orders(part: int, complaints: list[str]):
    first = 1000 + part * 250
    said = play(range(first, first + 250), complaints)
    print(sorted(said.items()))
