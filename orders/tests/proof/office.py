"""The other half of the reference model: what staff, the master on his job and his shift may do, and when."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from orders.tests.proof.model import SEARCH, SLA, ZONE, Company, Master, Offer, Order, Refused

OPENS, LATE, CLOSES = time(10), time(19, 30), time(20)
CANCELABLE = ("CREATED", *SEARCH, "DEFERRED", "ASSIGNED", "EN_ROUTE", "WORKING")
RETURNABLE = ("ASSIGNED", "EN_ROUTE", "WORKING")
STEPS = {"EN_ROUTE": "ASSIGNED", "WORKING": "EN_ROUTE"}


def opening(now: datetime) -> datetime:
    """`now` inside the working window, else the next time it opens."""
    here = now.astimezone(ZONE)
    if OPENS <= here.time() < CLOSES:
        return now
    return day(now, 0 if here.time() < OPENS else 1, 10)


def day(now: datetime, ahead: int, hour: int) -> datetime:
    return datetime.combine(now.astimezone(ZONE).date() + timedelta(days=ahead), time(hour), tzinfo=ZONE)


def begin(order: Order, wakes: datetime, now: datetime) -> None:
    """A new order searches, or is deferred until `wakes`."""
    if wakes > now:
        order.wakes = wakes
        order.go("DEFERRED")
    else:
        order.begin(now)
        order.go(order.searching)


class Office(Company):
    """The company with its people."""

    # --- orders come in

    def create(self, pk: int, district: int | None, category: str, *, tomorrow: bool, now: datetime) -> Order:
        """As soon as possible (late in the day: tomorrow from 10), or the slot tomorrow 13–16."""
        late = now.astimezone(ZONE).time() >= LATE
        slot = day(now, 1, 13) if tomorrow else day(now, 1, 10) if late else max(now, day(now, 0, 10))
        order = Order(pk, district, category, now, "CREATED", slot)
        wakes = day(now, 1, 10) if tomorrow or late else opening(now)
        begin(order, wakes, now)
        self.orders.append(order)
        return order

    def may_visit(self, source: Order) -> None:
        """Whether a guarantee visit may be made from this order (all of them are younger than 14 days)."""
        is_open = any(o.source is source and o.status not in ("CLOSED", "CANCELED") for o in self.orders)
        if source.status != "CLOSED" or source.source or source.master is None or is_open:
            raise Refused("conflict")

    def visit(self, pk: int, source: Order, now: datetime) -> Order:
        order = Order(pk, source.district, source.category, now, "CREATED", None, source=source)
        order.preferred = source.master
        begin(order, opening(now), now)
        self.orders.append(order)
        return order

    # --- staff

    def activate(self, order: Order, now: datetime) -> None:
        if order.status != "DEFERRED":
            raise Refused("conflict")
        order.begin(now)
        order.go(order.searching)

    def cancel(self, order: Order, *, stale: bool) -> None:
        if stale or order.status not in CANCELABLE:
            raise Refused("stale" if stale else "conflict")
        self.withdraw(order, "order_canceled")
        order.go("CANCELED")
        order.calm()

    def take_back(self, order: Order, now: datetime) -> None:
        if order.status not in RETURNABLE:
            raise Refused("conflict")
        for offer in self.offers:
            if offer.order is order and offer.state == "ACCEPTED":
                offer.end("CANCELED", "withdrawn")
        order.master = None
        order.begin(now, again=True)
        order.go(order.searching)

    def search_again(self, order: Order, now: datetime) -> None:
        if order.status not in SEARCH:
            raise Refused("conflict")
        self.withdraw(order, "withdrawn")
        order.begin(now, again=True)

    def offer_by_hand(self, order: Order, master: Master, now: datetime, *, confirmed: bool) -> None:
        marked = self.choose(order, master, confirmed=confirmed)
        if any(o.master is master for o in self.live(order)):
            raise Refused("conflict")
        self.wake(order, now)
        order.calm()
        order.rests = None
        self.offers.append(Offer(order, master, order.search, order.round, now + SLA, by_hand=True, confirmed=marked))

    def assign(self, order: Order, master: Master, now: datetime, *, confirmed: bool) -> None:
        self.choose(order, master, confirmed=confirmed)
        self.wake(order, now)
        self.give(order, master)

    def choose(self, order: Order, master: Master, *, confirmed: bool) -> bool:
        """Whether something speaks against the master; then staff must have confirmed."""
        if order.status not in (*SEARCH, "DEFERRED"):
            raise Refused("conflict")
        if master.blocked:
            raise Refused("not_found")
        full = self.active(master) >= self.limit_of(master)
        unskilled = order.category not in master.skills & self.skills
        marked = full or unskilled or master.shift != "SHIFT_ON" or master.unreachable
        if marked and not confirmed:
            raise Refused("confirm")
        return marked

    @staticmethod
    def wake(order: Order, now: datetime) -> None:
        if order.status == "DEFERRED":
            order.begin(now)
            order.go(order.searching)

    # --- the master at work

    @staticmethod
    def step(order: Order, to: str) -> None:
        if order.status == to:
            return
        if order.status != STEPS[to]:
            raise Refused("conflict")
        order.go(to)

    @staticmethod
    def finish(order: Order, total: int) -> None:
        if order.status != "WORKING":
            raise Refused("conflict")
        order.total = 0 if order.source else total
        order.go("CLOSED" if order.source else "PAYMENT")

    @staticmethod
    def start_shift(master: Master) -> None:
        if master.blocked:
            raise Refused("blocked")
        master.shift, master.break_until = "SHIFT_ON", None

    @staticmethod
    def stop_shift(master: Master) -> None:
        master.shift, master.break_until = "SHIFT_OFF", None

    @staticmethod
    def pause(master: Master, until: datetime) -> None:
        if master.shift == "SHIFT_OFF":
            raise Refused("conflict")
        master.shift, master.break_until = "BREAK", until

    def end_breaks(self, now: datetime) -> None:
        for master in self.masters:
            if master.shift == "BREAK" and master.break_until <= now:
                self.stop_shift(master)
