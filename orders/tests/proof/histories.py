"""Many people at once over a few orders, written down: what each did, from when to when, and what he was told."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.utils import timezone

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import DomainError
from fieldservice.tests.racing import Racers
from geo.models import District
from geo.tests.factories import DistrictFactory
from orders.dispatch import engine
from orders.models import Offer, Order
from orders.services import lifecycle, manual, offers
from orders.tests.people import staff
from staff.enums import Role
from staff.models import Master
from staff.tests.factories import MasterFactory

SLA = timedelta(seconds=120)
LIMITS = (1, 1, 2, 2, 3, None)  # None: the setting, 5
SETTING = 5
#: what people do in a race, and how often
DEEDS = {
    "accept": 8, "accept_newest": 4, "decline": 3, "expire": 1, "tick": 2, "nudge": 1, "cancel": 1, "return": 2,
    "again": 1, "offer": 2, "assign": 1,
}  # fmt: skip
TAKES, RELEASES = ("accept", "assign"), ("return", "cancel")


@dataclass
class Event:
    """One deed. `code` is empty when it was done; `at` is the virtual time it was told; the rest is real time."""

    thread: int
    deed: str
    at: datetime
    began: float = 0
    ended: float = 0
    order: int = 0
    master: int = 0
    offer: int = 0
    code: str = ""

    def __str__(self) -> str:
        what = f"order={self.order} master={self.master} offer={self.offer}"
        return f"{self.began:.4f}–{self.ended:.4f} thread {self.thread} {self.deed} {what} → {self.code or 'done'}"


@dataclass
class Town:
    """Where all rounds of a test happen; masters are made fit again before each round."""

    district: District
    masters: list[Master]
    admin: Actor

    def limit(self, master: int) -> int:
        found = next(m.max_active_orders_override for m in self.masters if m.pk == master)
        return SETTING if found is None else found


@dataclass
class History:
    """A round: its orders and events."""

    seed: int
    start: datetime
    orders: list[int]
    events: list[Event] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"seed {self.seed}, orders {self.orders}, virtual start {self.start:%H:%M:%S}"]
        return "\n".join(lines + [str(event) for event in sorted(self.events, key=lambda e: e.began)])

    def done(self, *deeds: str, order: int = 0, master: int = 0) -> list[Event]:
        """What was done, of one kind, with an order, by or to a master."""
        found = [e for e in self.events if e.deed in deeds and not e.code]
        return [e for e in found if order in (0, e.order) and master in (0, e.master)]


def found_town() -> Town:
    district = DistrictFactory()
    masters = [MasterFactory(districts=[district], max_active_orders_override=limit) for limit in LIMITS]
    return Town(district, masters, staff(Role.CITY_ADMIN, district.city))


def prepare(town: Town, seed: int, count: int) -> History:
    """New orders with live offers; everything from before is over."""
    rng, start = Random(seed), timezone.now()
    Offer.objects.exclude(state__in=("EXPIRED", "DECLINED", "CANCELED")).update(state="CANCELED")
    Order.objects.exclude(status="CLOSED").update(status="CLOSED", dispatch_at=None)
    Master.objects.update(is_blocked=False, blocked_reason=None, shift_status="SHIFT_ON")
    rows = []
    for _ in range(count):
        own = rng.choice(town.masters) if rng.random() < 0.2 else None
        kind = "GUARANTEE" if own else "NORMAL"
        rows.append(
            Order(
                city_id=town.district.city_id, district=town.district, status="GUARANTEE" if own else "SEARCHING",
                type=kind, preferred_master=own, dispatch_round=1, rounds_limit=3, created_at=start,
                dispatch_at=start + SLA,
            )
        )  # fmt: skip
    orders = Order.objects.bulk_create(rows)
    asked = [
        Offer(order=o, master=m, state="SENT", sent_at=start, delivered_at=start, expires_at=start + SLA)
        for o in orders
        for m in rng.sample(town.masters, rng.randint(1, 4))
    ]
    Offer.objects.bulk_create(asked)
    return History(seed, start, [o.pk for o in orders])


def race(town: Town, history: History, crew: Racers, *, deeds: int) -> None:
    """Each thread does its deeds one after another, all begin at the same moment. The seed decides who does what."""
    rng = Random(history.seed)
    pairs = list(Offer.objects.filter(order_id__in=history.orders).values_list("pk", "order_id", "master_id"))
    scripts = []
    for thread in range(crew.count):
        names = rng.choices(list(DEEDS), weights=list(DEEDS.values()), k=deeds)
        scripts.append([plan(name, thread, rng, town, history, sorted(pairs)) for name in names])
    works = [lambda script=script: [do(event, town, history) for event in script] for script in scripts]
    for events in crew.run(*works):
        history.events += events


def plan(deed: str, thread: int, rng: Random, town: Town, history: History, pairs: list[tuple]) -> Event:
    late = rng.random() < (0.25 if deed in ("expire", "tick") else 0.05)
    event = Event(thread, deed, history.start + timedelta(seconds=121 if late else 10))
    event.order, event.master = rng.choice(history.orders), rng.choice(town.masters).pk
    if deed in ("accept", "decline"):
        event.offer, event.order, event.master = rng.choice(pairs)
    return event


def do(event: Event, town: Town, history: History) -> Event:
    """The deed itself, timed. An unexpected error is kept as a code that no checker allows."""
    if event.deed == "accept_newest":  # whatever the engine or the office has just sent to this master
        newest = Offer.objects.filter(master_id=event.master, state="SENT", order_id__in=history.orders).last()
        event.deed = "accept" if newest else "nothing"
        event.offer, event.order = (newest.pk, newest.order_id) if newest else (0, 0)
    event.began = time.monotonic()
    try:
        verbs(event, town).get(event.deed, lambda: None)()
    except DomainError as error:
        event.code = error.code
    except Exception as error:  # noqa: BLE001 - the checker speaks, with the whole history
        event.code = f"!{type(error).__name__}: {error}"
    event.ended = time.monotonic()
    return event


def verbs(event: Event, town: Town) -> dict[str, Callable[[], Any]]:
    me = Actor("MASTER", master_id=event.master)
    order = {"order_id": event.order, "actor": town.admin, "now": event.at}
    return {
        "accept": lambda: offers.accept(offer_id=event.offer, actor=me, now=event.at),
        "decline": lambda: offers.decline(offer_id=event.offer, actor=me, now=event.at),
        "expire": lambda: offers.expire_due(now=event.at),
        "tick": lambda: engine.tick(now=event.at),
        "nudge": lambda: engine.nudge(city_id=town.district.city_id, now=event.at),
        "cancel": lambda: lifecycle.cancel(**order, reason="the client refused"),
        "return": lambda: lifecycle.return_to_search(**order, reason="the client waits"),
        "again": lambda: manual.search_again(**order),
        "offer": lambda: manual.offer(**order, master_id=event.master),
        "assign": lambda: manual.assign(**order, master_id=event.master),
    }
