"""Two of the office mend one order while its master accepts and the engine ticks: nobody gets the job as it was."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

import pytest

from fieldservice.lib.errors import DomainError
from fieldservice.tests.racing import late, racers
from geo.tests.factories import DistrictFactory
from orders.dispatch import engine
from orders.enums import OfferState
from orders.models import Offer, Order
from orders.services import offers, rerouting
from orders.services.rerouting import Route
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import as_master, staff
from staff.enums import Role
from staff.tests.factories import MasterFactory

NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Europe/Moscow"))
ROUNDS = 12


@pytest.mark.django_db(transaction=True)
def test_one_mends_it_and_no_offer_of_the_old_job_outlives_it() -> None:
    boss = staff(Role.GLOBAL_ADMIN)
    won = {"trade": 0, "place": 0, "master": 0}
    with racers(4) as crew:
        for number in range(ROUNDS):
            order = OrderFactory(dispatch_at=NOON, category="ELECTRICS")
            other = DistrictFactory(city=order.city)
            electrician = MasterFactory(city=order.city, districts=[order.district], skills=["ELECTRICS"])
            plumber = MasterFactory(city=order.city, districts=[order.district], skills=["PLUMBING"])
            offer = OfferFactory(order=order, master=electrician, expires_at=NOON + timedelta(minutes=2))
            mend = partial(rerouting.reroute, order_id=order.pk, actor=boss, version=1, now=NOON)
            # the first two rounds have a sure winner each, so that both ends are seen; the others are a race
            office, man = [(0, 60), (60, 0)][number] if number < 2 else (0, number % 4)
            trade, place, accepted, _report = crew.run(
                partial(late, office, partial(mend, to=Route("PLUMBING", order.district_id))),
                partial(late, office, partial(mend, to=Route("ELECTRICS", other.pk))),
                partial(late, man, partial(offers.accept, offer_id=offer.pk, actor=as_master(electrician), now=NOON)),
                partial(engine.tick, now=NOON, rng=Random(number)),
            )
            done = [not isinstance(answer, DomainError) for answer in (trade, place, accepted)]
            order, offer = Order.objects.get(pk=order.pk), Offer.objects.get(pk=offer.pk)
            # all three saw version 1: whoever was first is the only one
            assert sum(done) == 1
            assert order.version == 2
            won[("trade", "place", "master")[done.index(True)]] += 1
            if done[2]:
                assert (order.status, order.assigned_master, order.category) == ("ASSIGNED", electrician, "ELECTRICS")
                continue
            assert (order.category, order.district_id) == (
                ("PLUMBING", offer.order.district_id) if done[0] else ("ELECTRICS", other.pk)
            )
            assert (order.status, offer.state, offer.close_reason) == ("SEARCHING", OfferState.CANCELED, "withdrawn")
            engine.tick(now=NOON, rng=Random(number))
            live = Offer.objects.get(order=order, state__in=OfferState.LIVE)
            assert (live.master, live.search_number) == (plumber if done[0] else electrician, 2)
    assert 0 < won["master"] < ROUNDS, f"one side was always first, which proves nothing: {won}"
