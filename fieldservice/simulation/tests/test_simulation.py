"""Small days: the same twice, sensible answers to what is changed, and rules that do notice when they are broken."""

from __future__ import annotations

import io
import json
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from fieldservice.bench import harness
from fieldservice.simulation import invariants, run, world
from fieldservice.simulation.agenda import Agenda
from fieldservice.simulation.plan import BadPlan, Plan
from fieldservice.simulation.report import gini
from geo.tests.factories import DistrictFactory
from orders.dispatch import engine
from orders.tests.factories import OfferFactory, OrderFactory
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
SMALL = Plan(cities=1, districts=1, masters=8, orders_per_hour=16, hours=1, evening=0.2, seed=3, speed=4)
UNWILLING = replace(SMALL, accept=0.3, decline=0.5, masters=30, cancel=0)


def report(**changes):
    done, _seconds = run.run(replace(SMALL, **changes))
    return done


# --- days ------------------------------------------------------------------------------------------------------------
def test_the_same_seed_makes_the_same_day_and_more_masters_a_better_one():
    first = report()
    assert report() == first
    assert first.orders > 5
    assert first.assigned
    many = report(masters=30)
    assert many.orders == first.orders  # the same calls, whoever is there to answer them
    assert many.assigned_p95 < first.assigned_p95


def test_who_never_accepts_leaves_every_order_to_staff():
    done = report(accept=0.0, staff_after=0.0, cancel=0.0, evening=0.4)
    assert done.assigned == 0
    assert done.without_staff == 0
    assert done.to_logist == done.to_admin == done.orders
    assert sum(done.open.values()) == done.orders


def test_more_rounds_spare_staff():
    few, many = (run.run(UNWILLING.changed(f"rounds={n}"))[0] for n in (1, 4))
    assert many.to_logist < few.to_logist
    assert few.assigned  # by staff's help, too
    assert set(few.rounds) <= {"1"}
    assert set(many.rounds) > {"1"}


# --- rules -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def order():
    return OrderFactory(district=DistrictFactory(), dispatch_at=START)


def broken(now: datetime) -> str:
    with pytest.raises(invariants.InvariantBroken) as caught:
        invariants.check(now)
    return str(caught.value)


def test_two_live_offers_are_noticed(order):
    OfferFactory.create_batch(2, order=order, sent_at=START)
    assert f"order {order.pk} has 2 live offers of the engine at once" in broken(START)


def test_an_offer_past_its_deadline_is_noticed(order):
    OfferFactory(order=order, sent_at=START)
    invariants.check(START + timedelta(seconds=60))
    assert "should have ended at" in broken(START + timedelta(seconds=181))


def test_a_forgotten_order_is_noticed(order):
    invariants.check(START + timedelta(seconds=60))
    assert "should have been looked at by" in broken(START + timedelta(seconds=61))


def test_a_full_master_is_noticed(order):
    master = MasterFactory(city=order.city, max_active_orders_override=1)
    OfferFactory(order=order, master=master, sent_at=START)
    invariants.check(START)
    other = OrderFactory(district=order.district, dispatch_at=START)
    OfferFactory(order=other, master=master, sent_at=START)
    assert f"master {master.pk} has 2 orders and offers, his limit is 1" in broken(START)


def test_books_that_do_not_agree_are_noticed():
    OrderFactory(closed=True)
    with pytest.raises(invariants.InvariantBroken, match="has 0 commissions"):
        invariants.check_books()


def test_only_a_database_of_its_own_is_emptied(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "NAME", "production")
    with pytest.raises(RuntimeError, match="would be emptied"):
        world.build(SMALL)


def test_an_error_the_engine_survives_stops_the_day(monkeypatch):
    def fail(*arguments, **options):
        raise ZeroDivisionError("no reason")

    monkeypatch.setattr(engine, "decide", fail)
    with pytest.raises(invariants.InvariantBroken, match=r"the engine failed: .*no reason"):
        report()


# --- the clock, the plan, the numbers --------------------------------------------------------------------------------
def test_the_agenda_runs_in_the_order_of_time():
    agenda, seen = Agenda(START), []
    agenda.after(lambda: seen.append("later"), seconds=9)
    agenda.after(lambda: (seen.append("first"), agenda.after(lambda: seen.append("between"), seconds=3)), seconds=2)
    agenda.after(lambda: seen.append("never"), minutes=2)
    agenda.every(60, lambda: seen.append("beat"))
    agenda.run(START + timedelta(seconds=60))
    assert seen == ["beat", "first", "between", "later", "beat"]


@pytest.mark.parametrize(("at", "beat"), [(0, 0), (0.1, 5), (5, 5), (7, 10)])
def test_a_job_is_done_at_its_next_beat_once(at, beat):
    agenda, seen = Agenda(START), []
    for _ in range(2):
        agenda.next_beat(START + timedelta(seconds=at), 5, "job", lambda: seen.append(agenda.now))
    agenda.run(START + timedelta(seconds=60))
    assert seen == [START + timedelta(seconds=beat)]


def test_changes_of_a_plan():
    assert SMALL.changed("masters=9").masters == 9
    assert SMALL.changed("no-district=0.5").no_district == 0.5
    assert SMALL.changed("rounds=3").settings == {"distribution_rounds": "3"}
    assert SMALL.changed("offers_per_round=2").settings == {"offers_per_round": "2"}


@pytest.mark.parametrize("text", ["masters", "masters=x", "masters=0", "colour=red", "accept=2", "rounds=99"])
def test_a_wrong_change_is_a_sentence(text):
    with pytest.raises(BadPlan, match=r"\.$"):
        SMALL.changed(text)


@pytest.mark.parametrize(("values", "expected"), [([], 0), ([0, 0], 0), ([3, 3, 3], 0), ([0, 0, 0, 4], 0.75)])
def test_gini(values, expected):
    assert gini(values) == pytest.approx(expected)


# --- the command -----------------------------------------------------------------------------------------------------
@pytest.fixture
def _here(monkeypatch):
    """In the tests' database: making another one takes longer than everything else."""
    monkeypatch.setattr(harness, "own_database", nullcontext)


def simulate(*arguments: str) -> str:
    output = io.StringIO()
    small = (
        "--cities=1",
        "--districts=1",
        "--masters=4",
        "--orders-per-hour=6",
        "--hours=0.5",
        "--evening=0.5",
        "--speed=6",
    )
    call_command("simulate", *small, *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.usefixtures("_here")
def test_two_columns():
    told = simulate("--compare", "offers_per_round=2")
    assert told.splitlines()[0].split() == ["as", "it", "is", "offers_per_round=2"]
    assert "Every rule held at every minute." in told


@pytest.mark.usefixtures("_here")
def test_json():
    (only,) = json.loads(simulate("--json", "--set", "rounds=1"))
    assert only["plan"] == "as it is"
    assert only["orders"] >= only["closed"]


def test_wrong_input_is_a_sentence():
    with pytest.raises(CommandError, match="colour: unknown"):
        simulate("--set", "colour=red")
