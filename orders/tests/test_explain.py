"""`manage.py explain`: the story of real rows, made by the engine itself."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import CommandError, call_command

from fieldservice.lib.actor import SYSTEM
from fieldservice.runtime import registry
from geo.tests.factories import CityFactory, DistrictFactory
from orders.dispatch import engine, explain, explain_master
from orders.models import Offer, Order
from orders.services import lifecycle, manual, offers
from orders.tests.factories import OrderFactory
from orders.tests.people import as_master, staff
from staff.enums import Role, ShiftStatus
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Europe/Moscow"))


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def district():
    return DistrictFactory(name="Centre", city=CityFactory(name="Town", timezone="Asia/Yekaterinburg"))


@pytest.fixture
def order(district):
    return OrderFactory(district=district, created_at=NOON, dispatch_at=NOON)


def master(district, name: str, **values):
    return MasterFactory(full_name=name, city=district.city, **{"districts": [district]} | values)


def tick(after: float = 0) -> datetime:
    now = NOON + timedelta(seconds=after)
    engine.tick(now=now, rng=Random(1))
    return now


def text(order: Order, **options) -> str:
    output = io.StringIO()
    call_command("explain", str(order.pk), stdout=output, **options)
    return output.getvalue()


def live(order: Order) -> Offer:
    return Offer.objects.get(order=order, state="SENT")


def test_a_decision_tells_who_was_asked_why_and_who_was_left_out(order, district):
    master(district, "Master 1", has_vehicle=True, rating=4.9)
    master(district, "Master 2", rating=4.5)
    master(district, "Master 3", shift_status=ShiftStatus.SHIFT_OFF)
    master(district, "Master 4", skills=["PLUMBING"])
    master(district, "Master 5", districts=[DistrictFactory(city=district.city)])
    tick()
    told = text(order)
    assert told.startswith(f"Order #{order.pk}: Searching for a master. Electrics, Town, Centre, ")
    assert "Asia/Yekaterinburg" in told
    assert "today 14:00:00  Search 1, round 1: Master 1 (#" in told
    assert "asked, out of 2 candidates." in told
    assert "The masters of the district were looked through." in told
    assert "was ranked by: vehicle, average check 0, rating 4.9." in told
    assert "Next best: Master 2 (#" in told
    assert "off shift: 1 — Master 3" in told
    assert "without the skill: 1 — Master 4" in told
    assert "serves other districts: 1 — Master 5" in told
    assert "no answer yet, it ends today 14:02:00" in told
    assert "answers before today 14:02:00; if not, round 2 of 2 begins." in told


def test_at_most_ten_names(order, district):
    for number in range(13):
        master(district, f"Master {number}", shift_status=ShiftStatus.SHIFT_OFF)
    tick()
    line = next(line for line in text(order).splitlines() if "off shift: 13" in line)
    assert line.count("(#") == 10
    assert line.endswith("and 3 more")


def test_rounds_used_up_then_staff(order, district):
    for number in (1, 2):
        master(district, f"Master {number}")
    tick()
    offers.mark_delivered(offer_id=live(order).pk, now=NOON)
    first = live(order)
    offers.decline(offer_id=first.pk, actor=as_master(first.master), now=NOON + timedelta(seconds=34))
    tick(35)
    assert "if not, a logist is told, for all rounds are used up." in text(order)
    tick(200)
    told = text(order)
    assert "declined, after 34 seconds" in told
    assert "nobody was asked: all rounds are used up." in told
    assert told.index("nobody was asked") < told.index("escalated to a logist")
    assert "escalated to a logist: all rounds are used up (Dispatch)." in told
    assert "Waits for staff, because all rounds are used up. Admins are told today 14:13:20." in told
    tick(900)
    assert "Admins were told today 14:15:00." in text(order)
    assert "escalated to an admin" in text(order)


def test_nobody_in_the_district_means_the_whole_city(order, district):
    master(district, "Master 1", districts=[DistrictFactory(city=district.city)])
    tick()
    assert "Nobody could be asked in the district: the whole city was looked through." in text(order)


def test_nobody_at_all_is_looked_for_again(order):
    tick()
    told = text(order)
    assert "nobody was asked: no free master with this skill." in told
    assert "The engine looks again today 14:00:30." in told


def test_no_district_waits_for_staff(district):
    order = OrderFactory(district=None, city=district.city, created_at=NOON, dispatch_at=NOON)
    tick()
    assert "Waits for staff, because the order has no district." in text(order)


def test_offers_by_hand_are_told(order, district):
    chosen = master(district, "Master 1", shift_status=ShiftStatus.SHIFT_OFF)
    manual.offer(order_id=order.pk, master_id=chosen.pk, actor=staff(Role.GLOBAL_ADMIN), confirmed=True, now=NOON)
    told = text(order)
    assert "Offer to Master 1" in told
    assert "(by hand)" in told
    assert "was asked by hand: no answer yet" in text(order, master=chosen.pk)


def test_assigned_closed_deferred_set_aside(order, district):
    chosen = master(district, "Master 1")
    tick()
    offers.accept(offer_id=live(order).pk, actor=as_master(chosen), now=NOON + timedelta(seconds=5))
    assert "The order is with Master 1" in text(order)
    lifecycle.cancel(order_id=order.pk, actor=staff(Role.GLOBAL_ADMIN), reason="no need", now=NOON)
    assert "Nothing more happens: the order is over." in text(order)
    later = OrderFactory(district=district, status="DEFERRED", dispatch_at=NOON + timedelta(hours=20))
    assert "Next: the search begins tomorrow 10:00." in text(later)
    broken = OrderFactory(district=district, dispatch_error="ValueError: x", dispatch_at=NOON + timedelta(minutes=5))
    assert "Set aside after an error (ValueError: x); tried again today 14:05:00." in text(broken)


def test_json_has_the_values(order, district):
    chosen = master(district, "Master 1")
    master(district, "Master 2", is_blocked=True)
    tick()
    story = json.loads(text(order, json=True))
    (decision,) = [event for event in story["events"] if event["kind"] == "decision"]
    assert decision["outcome"] == "offered"
    assert decision["master"] == chosen.pk
    assert decision["left_out"] == {"blocked": 1}
    assert "master" not in story
    mine = json.loads(text(order, json=True, master=chosen.pk))
    assert [event["verdict"] for event in mine["master"]] == ["asked_now"]
    assert mine["eligible_now"] is False


# --- why this master? ------------------------------------------------------------------------------------------------
def why(order: Order, someone) -> str:
    return text(order, master=someone.pk)


def test_ranked_lower_says_by_what(order, district):
    first = master(district, "Master 1", has_vehicle=True)
    second = master(district, "Master 2")
    tick()
    assert "Master 1" in why(order, first)
    assert "was asked: no answer yet" in why(order, first)
    told = why(order, second)
    assert "ranked number 2: no vehicle, average check 0, rating 5.0; Master 1" in told
    assert "came first by the vehicle" in told
    assert "may be asked: nothing stands in the way.\nNext: Master 1" in told


@pytest.mark.parametrize(
    ("values", "then", "now"),
    [
        ({"shift_status": "SHIFT_OFF"}, "off shift", "is off shift"),
        ({"shift_status": "BREAK", "break_until": NOON + timedelta(minutes=65)}, "on a break", "until today 15:05:00"),
        ({"skills": ["PLUMBING"]}, "without the skill", "does not have the skill «Electrics»"),
        ({"districts": []}, "serves other districts", "does not serve this district"),
        ({"max_active_orders_override": 0}, "no free place", "has 0 of 0 active orders"),
        ({"tg_user_id": None}, "unreachable in Telegram", "cannot be reached in Telegram"),
        ({"is_blocked": True, "blocked_reason": "commission_overdue"}, "blocked", "the commission is overdue"),
        ({"moderation_status": "PENDING"}, "not approved", "your application is not approved yet"),
        ({"is_active": False}, "switched off", "your account is switched off"),
    ],
)
def test_left_out_then_and_now(order, district, values, then, now):
    master(district, "Master 1")
    other = master(district, "Master 2", **values)
    tick()
    told = why(order, other)
    assert f"Master 2 (#{other.pk}): {then}." in told
    assert "would not be asked: " in told
    assert now in told


def test_asked_before_names_round_and_end(order, district):
    best = master(district, "Master 1", has_vehicle=True)
    master(district, "Master 2")
    tick()
    offers.decline(offer_id=live(order).pk, actor=as_master(best), now=NOON + timedelta(seconds=20))
    tick(21)
    told = why(order, best)
    assert "was asked in round 1 already (declined, after 20 seconds)." in told
    assert "Now: Master 1" in told
    assert "was asked in this search, in round 1: declined" in told


def test_all_that_stands_in_the_way_is_told(order, district):
    elsewhere = MasterFactory(full_name="Master 9", skills=["PLUMBING"], shift_status="SHIFT_OFF")
    master(district, "Master 1")
    tick()
    told = why(order, elsewhere)
    assert "Master 9" in told
    assert "works in another city." in told
    assert "works in another city; is off shift; does not have the skill «Electrics»; does not serve" in told


def test_below_the_kept_ones(order, district):
    registry.write("distribution_log_topn", "1", actor=SYSTEM)
    master(district, "Master 1", has_vehicle=True)
    other = master(district, "Master 2")
    tick()
    assert "came after the first 1 of 2 candidates" in why(order, other)


def test_eligible_now_is_what_the_engine_would_do(order, district):
    """Whoever explain calls eligible, and nobody else, is a candidate of the next decision."""
    registry.write("citywide_fallback", "no", actor=SYSTEM)
    cases = [{}, {"has_vehicle": True}, {"shift_status": "SHIFT_OFF"}, {"skills": []}, {"districts": []},
             {"shift_status": "BREAK", "break_until": NOON - timedelta(minutes=1)}, {"is_deleted": True},
             {"break_until": NOON + timedelta(minutes=1)}, {"max_active_orders_override": 0}]  # fmt: skip
    people = [master(district, f"Master {n}", **values) for n, values in enumerate(cases)]
    said = {m.pk for m in people if explain_master.explain(order_id=order.pk, master_id=m.pk, now=NOON).eligible}
    tick()
    (decision,) = order.decisions.all()
    assert said == {row[0] for row in explain.top(decision)}


# --- the door --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("options", [{}, {"master": 1}])
def test_an_unknown_order_is_one_sentence(options):
    with pytest.raises(CommandError) as caught:
        call_command("explain", "999999", **options)
    assert str(caught.value) == "There is no order #999999."
    assert caught.value.returncode == 1


def test_an_unknown_master_is_one_sentence(order):
    with pytest.raises(CommandError, match="There is no master #999999"):
        call_command("explain", str(order.pk), master=999999)


def test_rows_from_plain_sql_are_told_too(district):
    order = Order.objects.create(city=district.city, category="ELECTRICS", status="SEARCHING")
    assert "Next: the engine looks at it" in text(order)
    bare = Offer.objects.create(order=order, master=master(district, "Master 1"), state="EXPIRED")
    assert "expired" in text(order)
    assert "not in the decision log" in text(order)
    assert bare.pk
