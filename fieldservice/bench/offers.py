"""`bench offers`, `bench expiry`: from the event to the message at the Bot API server, through the real processes.

A worker, a beat and the master bot work on the bench's database, with a Redis and a Telegram sandbox of their own.
The floor is a direct sendMessage to the same sandbox.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import transaction

from bots.sandbox.client import SandboxClient
from fieldservice.bench.harness import Result, Series, execute, percentile
from fieldservice.bench.installation import WAIT, company, floor, wait
from fieldservice.lib.actor import COMMAND_LINE
from fieldservice.runtime import wake
from geo.models import District
from orders.enums import Category, OfferState, OrderStatus
from orders.models import Offer
from orders.services import intake
from staff.models import Master

#: so many orders come at once; the first of them are measured
BURST, FIRST = 1000, 30
EXPIRING = 30
GOAL_MS, GOAL_BURST_MS, GOAL_EXPIRY_MS = 1000, 2000, 5000
BURST_ORDERS = """
INSERT INTO orders(city_id, district_id, category, status, type, created_at, dispatch_at, search_started_at)
  SELECT d.city_id, d.id, 'ELECTRICS', 'SEARCHING', 'NORMAL', now(), now(), now()
    FROM generate_series(1, %s) g
    JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS n FROM districts) d
      ON d.place = g %% d.n"""


def run(*, orders: int, burst: int = BURST) -> list[Result]:
    """`orders` one after another, then `burst` at once. The database is the bench's own."""
    with company(masters=3 * (orders + burst), sla=3600) as telegram:
        districts = list(District.objects.order_by("id"))
        single = Result("offers", {"orders": orders, "masters": 3 * (orders + burst)}, floor=floor(telegram))
        for number in range(orders):
            began = time.time()
            order_id = _create(districts[number % len(districts)])
            single.work.times.append((_arrival(telegram, order_id, until=began + WAIT) - began) * 1000)
        single.extra = _figures(single.work, GOAL_MS)
        return [single, _at_once(telegram, burst)]


def run_expiry(*, orders: int = EXPIRING) -> list[Result]:
    """Nobody answers: from the deadline to the message of the next master."""
    with company(masters=20 * orders, sla=5) as telegram:
        districts = list(District.objects.order_by("id"))
        result = Result("expiry", {"orders": orders, "sla_s": 5}, floor=floor(telegram))
        numbers = []
        for number in range(orders):
            numbers.append(_create(districts[number % len(districts)]))
            time.sleep(0.37)  # deadlines fall anywhere between two looks of the beat
        wait(lambda: all(_rounds(number) >= 2 for number in numbers), "second offers")
        time.sleep(1)
        for order_id in numbers:
            first, second = Offer.objects.filter(order_id=order_id).order_by("id")[:2]
            assert first.state == OfferState.EXPIRED
            assert first.expires_at is not None
            arrived = _arrivals(telegram)[_chat(second)]
            result.work.times.append((arrived - first.expires_at.timestamp()) * 1000)
        result.extra = _figures(result.work, GOAL_EXPIRY_MS)
        return [result]


def _at_once(telegram: SandboxClient, burst: int) -> Result:
    result = Result("offers at once", {"orders": burst, "measured": FIRST}, floor=floor(telegram))
    before = set(_arrivals(telegram))
    with transaction.atomic():
        execute(BURST_ORDERS, [burst])
        wake.dispatch()
        began = time.time()
    # Telegram takes 30 messages a second from a bot: the last offer of 1,000 cannot come before the 34th second
    wait(lambda: len(set(_arrivals(telegram)) - before) >= burst, f"{burst} offers", 2 * WAIT + burst / 25)
    arrived = sorted(at for chat, at in _arrivals(telegram).items() if chat not in before)
    result.work.times = [(at - began) * 1000 for at in arrived[:FIRST]]
    result.extra = _figures(result.work, GOAL_BURST_MS) | {
        "all_s": round(arrived[burst - 1] - began, 1),
        "messages_per_second": round(burst / (arrived[burst - 1] - arrived[0]), 1),
    }
    return result


def _figures(series: Series, goal: float) -> dict[str, Any]:
    p95 = percentile(series.times, 0.95)
    return {
        "p50_ms": round(percentile(series.times, 0.5), 1),
        "p95_ms": round(p95, 1),
        "max_ms": round(max(series.times), 1),
        "goal_p95_ms": goal,
        "met": p95 <= goal,
    }


def _create(district: District) -> int:
    new = intake.NewOrder(
        city_id=district.city_id,
        district_id=district.pk,
        client_phone="+79990001234",
        category=Category.ELECTRICS,
        confirm_late=True,
    )
    order = intake.create(new=new, actor=COMMAND_LINE)
    if order.status != OrderStatus.SEARCHING:
        raise RuntimeError("the bench's city sleeps: the minute before midnight is no time to measure")
    return order.pk


def _arrival(telegram: SandboxClient, order_id: int, *, until: float) -> float:
    """When (unix time) the offer of this order was taken by the Bot API server."""
    while time.time() < until:
        offer = Offer.objects.filter(order_id=order_id, delivered_at__isnull=False).first()
        if offer is not None:
            return _arrivals(telegram)[_chat(offer)]
        time.sleep(0.02)
    raise RuntimeError(f"order {order_id} was not offered to anybody in {WAIT:g} s")


def _arrivals(telegram: SandboxClient) -> dict[int, float]:
    """Chat → when its first message arrived. Every master gets one offer, so the chat names it."""
    calls = telegram.calls(bot="master", method="sendMessage", status=200)
    return {call["chat"]: call["at"] for call in reversed(calls)}


def _chat(offer: Offer) -> int:
    return Master.objects.values_list("tg_user_id", flat=True).get(pk=offer.master_id) or 0


def _rounds(order_id: int) -> int:
    return Offer.objects.filter(order_id=order_id, delivered_at__isnull=False).count()
