"""Races on the real database: threads with connections of their own, started at the same moment, many times over.

Each round has one outcome, every loser is told the truth, and nobody waits for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from fieldservice.lib.errors import DomainError
from fieldservice.tests.racing import Racers, codes, racers, winners
from orders.dispatch import engine
from orders.models import DistributionMetric, Offer, Order, OrderStatusHistory
from orders.services import lifecycle, manual, offers
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import admin_of, as_master
from staff.models import Master
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 20


@pytest.fixture(scope="module")
def crew() -> Any:
    with racers(20) as found:
        yield found


def accept(offer: Offer, now: datetime | None = None) -> Callable[[], Any]:
    """A master's tap."""
    return partial(offers.accept, offer_id=offer.pk, actor=as_master(offer.master), now=now)


def accepted(order: Order) -> list[int]:
    """The masters with an accepted offer of the order."""
    return list(Offer.objects.filter(order=order, state="ACCEPTED").values_list("master_id", flat=True))


def live(order: Order) -> int:
    return Offer.objects.filter(order=order, state__in=("SENT", "VIEWED")).count()


def transitions(order: Order) -> list[tuple[str | None, str]]:
    rows = OrderStatusHistory.objects.filter(order=order).order_by("pk")
    return [(row.from_status, row.to_status) for row in rows if row.from_status != row.to_status]


def test_of_twenty_masters_one_gets_the_order(crew: Racers):
    order = OrderFactory()
    masters = MasterFactory.create_batch(20, city=order.city)
    for _round in range(ROUNDS):
        order = OrderFactory(city=order.city, district=order.district)
        Order.objects.exclude(pk=order.pk).update(status="CLOSED")
        results = crew.run(*[accept(OfferFactory(order=order, master=master)) for master in masters])
        (won,) = winners(results)
        assert codes(results) == ["taken"] * 19
        order.refresh_from_db()
        assert (order.status, order.version, order.assigned_master_id) == ("ASSIGNED", 2, won.assigned_master_id)
        assert accepted(order) == [won.assigned_master_id]
        assert (live(order), transitions(order)) == (0, [("SEARCHING", "ASSIGNED")])
        assert DistributionMetric.objects.filter(order=order).count() == 1


def test_a_double_tap_is_one_acceptance(crew: Racers):
    for _round in range(ROUNDS):
        offer = OfferFactory()
        results = crew.run(*[accept(offer)] * 4)
        assert len(winners(results)) == 1
        assert codes(results) == ["already_yours"] * 3
        assert transitions(offer.order) == [("SEARCHING", "ASSIGNED")]


def test_a_tap_at_the_deadline_wins_or_has_expired(crew: Racers):
    for _round in range(ROUNDS):
        offer = OfferFactory()
        just_in_time = offer.expires_at - timedelta(microseconds=1)
        results = crew.run(accept(offer, just_in_time), partial(offers.expire_due, now=offer.expires_at))
        offer.refresh_from_db()
        if winners(results[:1]):
            assert (offer.state, results[1]) == ("ACCEPTED", [])
        else:
            assert (offer.state, results[0].code) == ("EXPIRED", "expired")


def test_a_tap_against_a_cancellation(crew: Racers):
    seen = Counter()
    for _round in range(ROUNDS):
        offer = OfferFactory()
        order, admin = offer.order, admin_of(offer.order)
        results = crew.run(
            accept(offer), partial(lifecycle.cancel, order_id=order.pk, actor=admin, reason="client refused")
        )
        order.refresh_from_db()
        # cancelling is possible before and after: it always happens, and the master hears of it if he was faster
        assert order.status == "CANCELED"
        assert codes(results) in ([], ["withdrawn"])
        assert live(order) == 0
        assert len(transitions(order)) == 2 - len(codes(results))
        seen[len(codes(results))] += 1
    assert sum(seen.values()) == ROUNDS


def test_a_tap_against_a_return_to_search(crew: Racers):
    for _round in range(ROUNDS):
        offer = OfferFactory()
        order, admin = offer.order, admin_of(offer.order)
        results = crew.run(
            accept(offer), partial(lifecycle.return_to_search, order_id=order.pk, actor=admin, reason="client moved")
        )
        order.refresh_from_db()
        if isinstance(results[1], DomainError):  # there was nothing to return yet
            assert (results[1].code, order.status, accepted(order)) == ("conflict", "ASSIGNED", [offer.master_id])
        else:
            assert (order.status, order.assigned_master, accepted(order)) == ("SEARCHING", None, [])
            assert order.search_number == 2


def test_a_tap_against_an_assignment_by_hand(crew: Racers):
    for _round in range(ROUNDS):
        offer = OfferFactory()
        order, admin = offer.order, admin_of(offer.order)
        other = MasterFactory(city=order.city, districts=[order.district])
        results = crew.run(accept(offer), partial(manual.assign, order_id=order.pk, master_id=other.pk, actor=admin))
        order.refresh_from_db()
        assert len(winners(results)) == 1
        if winners(results[:1]):
            assert (order.assigned_master, results[1].code) == (offer.master, "conflict")
        else:
            assert (order.assigned_master, results[0].code) == (other, "taken")
        assert transitions(order) == [("SEARCHING", "ASSIGNED")]


def test_a_tap_against_an_offer_by_hand_to_the_same_master(crew: Racers):
    for _round in range(ROUNDS):
        order = OrderFactory()
        master, admin = MasterFactory(districts=[order.district]), admin_of(order)
        results = crew.run(*[partial(manual.offer, order_id=order.pk, master_id=master.pk, actor=admin)] * 3)
        assert (len(winners(results)), codes(results), live(order)) == (1, ["conflict"] * 2, 1)


def test_the_last_place_is_given_once(crew: Racers):
    for _round in range(ROUNDS):
        master = MasterFactory(max_active_orders_override=1)
        both = [OfferFactory(order__city=master.city, order__district=None, master=master) for _ in range(2)]
        results = crew.run(*[accept(offer) for offer in both])
        assert (len(winners(results)), codes(results)) == (1, ["limit"])
        assert Order.objects.filter(assigned_master=master, status="ASSIGNED").count() == 1


def test_two_stale_writers_one_is_told(crew: Racers):
    for _round in range(ROUNDS):
        order = OrderFactory(assigned=True)
        admin = admin_of(order)
        results = crew.run(
            partial(lifecycle.cancel, order_id=order.pk, actor=admin, reason="client refused", version=1),
            partial(lifecycle.return_to_search, order_id=order.pk, actor=admin, reason="client moved", version=1),
        )
        assert (len(winners(results)), codes(results)) == (1, ["stale"])
        assert len(transitions(order)) == 1


def test_answers_of_masters_during_ticks_lose_nothing(crew: Racers):
    """Taps, declines and overdue offers while two engines run: no deadlock, no double offer, limits hold."""
    for number in range(ROUNDS):
        _close_all()
        order = OrderFactory()
        orders = [order, *OrderFactory.create_batch(5, city=order.city, district=order.district)]
        masters = MasterFactory.create_batch(8, city=order.city, districts=[order.district])
        first = [
            OfferFactory(order=o, master=m, order__dispatch_at=None) for o, m in zip(orders, masters, strict=False)
        ]
        now = timezone.now() + timedelta(seconds=number % 2 * 121)  # every other time their time is just up
        crew.run(
            *[accept(offer) for offer in first[:3]],
            *[partial(offers.decline, offer_id=offer.pk, actor=as_master(offer.master)) for offer in first[3:]],
            partial(engine.tick, now=now),
            partial(engine.tick, now=now),
            partial(engine.nudge, city_id=order.city_id),
        )
        _check_invariants()


def test_two_engines_offer_each_order_once_and_fill_no_master_twice(crew: Racers):
    for _round in range(ROUNDS):
        _close_all()
        order = OrderFactory()
        OrderFactory.create_batch(11, city=order.city, district=order.district)
        MasterFactory.create_batch(4, city=order.city, districts=[order.district], max_active_orders_override=2)
        now = timezone.now()
        reports = crew.run(*[partial(engine.tick, now=now)] * 3)
        assert sum(len(report.decisions) for report in reports) == 12
        assert Offer.objects.filter(state="SENT").count() == 8
        _check_invariants()
        escalated = Order.objects.filter(status="SEARCHING", escalation_reason="no_candidates")
        assert escalated.count() == 4


def _close_all() -> None:
    Order.objects.update(status="CLOSED")
    Offer.objects.update(state="CANCELED")
    Master.objects.update(shift_status="SHIFT_OFF")


def _check_invariants() -> None:
    """What must hold whatever happened."""
    open_offers = list(Offer.objects.filter(state__in=("SENT", "VIEWED")).values_list("order_id", "master_id"))
    assert len({order for order, _master in open_offers}) == len(open_offers)
    load = Counter(master for _order, master in open_offers)
    load += Counter(
        Order.objects.filter(status="ASSIGNED")
        .exclude(assigned_master=None)
        .values_list("assigned_master_id", flat=True)
    )
    for master in Master.objects.filter(pk__in=load):
        limit = master.max_active_orders_override
        assert load[master.pk] <= (5 if limit is None else limit)
    for order in Order.objects.filter(status__in=("SEARCHING", "ASSIGNED")):
        assert accepted(order) == ([order.assigned_master_id] if order.status == "ASSIGNED" else [])
        assert (order.status == "ASSIGNED") == (order.assigned_master_id is not None)
        # a searching order is looked at again, or staff were told
        assert order.status == "ASSIGNED" or order.dispatch_at or order.escalation_reason
