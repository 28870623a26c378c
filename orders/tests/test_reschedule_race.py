"""Two of the office move one visit while its master accepts and the engine ticks: one of them is first, for all."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

import pytest

from fieldservice.lib.errors import DomainError
from fieldservice.tests.racing import racers
from orders.dispatch import engine
from orders.enums import OfferState
from orders.models import Offer, Order
from orders.services import correction, offers
from orders.services.schedule import Slot
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import as_master, staff
from staff.enums import Role

NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Europe/Moscow"))
ROUNDS = 12


def slot(days: int) -> Slot:
    day = NOON + timedelta(days=days)
    return Slot(day.replace(hour=13), day.replace(hour=16))


@pytest.mark.django_db(transaction=True)
def test_one_move_wins_and_no_offer_outlives_it() -> None:
    boss, one, two = staff(Role.GLOBAL_ADMIN), slot(1), slot(2)
    with racers(4) as crew:
        for number in range(ROUNDS):
            offer = OfferFactory(order=OrderFactory(dispatch_at=NOON), expires_at=NOON + timedelta(minutes=2))
            move = partial(correction.reschedule, order_id=offer.order_id, actor=boss, version=1, now=NOON)
            moved_one, moved_two, accepted, _report = crew.run(
                partial(move, slot=one),
                partial(move, slot=two),
                partial(offers.accept, offer_id=offer.pk, actor=as_master(offer.master), now=NOON),
                partial(engine.tick, now=NOON, rng=Random(number)),
            )
            done = [not isinstance(answer, DomainError) for answer in (moved_one, moved_two, accepted)]
            order, offer = Order.objects.get(pk=offer.order_id), Offer.objects.get(pk=offer.pk)
            # all three saw version 1: whoever was first is the only one
            assert sum(done) == 1
            assert order.version == 2
            if done[2]:
                assert (order.status, order.assigned_master_id) == ("ASSIGNED", offer.master_id)
                continue
            expected = one if done[0] else two
            assert (order.timeslot_start_utc, order.dispatch_at) == (expected.start, expected.start.replace(hour=10))
            assert (order.status, offer.state, offer.close_reason) == ("SEARCHING", OfferState.CANCELED, "withdrawn")
            assert not Offer.objects.filter(order=order, state__in=OfferState.LIVE).exists()
