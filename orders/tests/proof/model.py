"""What must hold, small enough to be read: a company of orders, masters and offers without database, locks or SQL.

Written from the specification (§3, §4, §5, §7), not from the code. Where people get an answer, the model knows the set
of true reasons for a refusal, not which of them is said first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

SLA, TICK, PATIENCE = timedelta(seconds=120), timedelta(seconds=30), timedelta(minutes=10)
ZONE = timezone(timedelta(hours=3))  # Moscow
ACTIVE = ("ASSIGNED", "EN_ROUTE", "WORKING", "PAYMENT")
SEARCH = ("SEARCHING", "GUARANTEE")
#: an order that staff must act on is not looked at before
STAFF = datetime.max.replace(tzinfo=ZONE)


class Refused(Exception):
    """The verb must be refused with one of these codes."""

    def __init__(self, *codes: str) -> None:
        super().__init__(*codes)
        self.codes = set(codes)


@dataclass(eq=False)
class Master:
    pk: int
    vehicle: bool
    rating: float
    skills: set[str]
    districts: set[int]
    limit: int | None
    shift: str = "SHIFT_ON"
    break_until: datetime | None = None
    blocked: bool = False
    unreachable: bool = False

    def block(self) -> None:
        if not self.blocked:
            self.blocked, self.shift, self.break_until = True, "SHIFT_OFF", None


@dataclass(eq=False)
class Order:
    pk: int
    district: int | None
    category: str
    created: datetime
    status: str
    slot: datetime | None
    wakes: datetime | None = None
    source: Order | None = None
    preferred: Master | None = None
    master: Master | None = None
    total: int = 0
    moves: int = 1  # transitions so far; the first one is the creation
    search: int = 1
    round: int = 0
    rounds: int | None = None  # frozen at the first decision of a search
    rests: datetime | None = None  # with nobody asked now: the next look; None is at once
    reason: str | None = None
    told_logist: datetime | None = None
    told_admin: datetime | None = None
    logist_notices: int = 0
    admin_notices: int = 0
    closed: datetime | None = None

    def go(self, status: str) -> None:
        self.status, self.moves = status, self.moves + 1

    def calm(self) -> None:
        """The episode of an escalation is over."""
        self.reason = self.told_logist = self.told_admin = None

    def begin(self, now: datetime, *, again: bool = False) -> None:
        """A search begins: nobody was asked, no round is used."""
        self.round, self.rounds, self.rests = 0, None, now
        self.search += again
        self.calm()

    @property
    def searching(self) -> str:
        return "GUARANTEE" if self.source else "SEARCHING"


@dataclass(eq=False)
class Offer:
    order: Order
    master: Master
    search: int
    round: int
    deadline: datetime
    by_hand: bool = False
    confirmed: bool = False
    delivered: bool = False
    state: str = "SENT"
    why: str = ""
    pk: int | None = None

    @property
    def live(self) -> bool:
        return self.state in ("SENT", "VIEWED")

    def end(self, state: str, why: str = "") -> None:
        self.state, self.why = state, why


@dataclass(eq=False)
class Company:
    """One city. `rounds`, `per_round`, `limit`: the settings."""

    rounds: int = 2
    per_round: int = 1
    limit: int = 2
    masters: list[Master] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    skills: set[str] = field(default_factory=set)  # those that are switched on

    # --- what is true now

    def live(self, order: Order) -> list[Offer]:
        return [o for o in self.offers if o.order is order and o.live]

    def active(self, master: Master) -> int:
        return sum(o.master is master and o.status in ACTIVE for o in self.orders)

    def load(self, master: Master) -> int:
        return self.active(master) + sum(o.master is master and o.live for o in self.offers)

    def limit_of(self, master: Master) -> int:
        return self.limit if master.limit is None else master.limit

    def asked(self, order: Order) -> set[Master]:
        return {o.master for o in self.offers if o.order is order and o.search == order.search}

    def average(self, master: Master, now: datetime) -> float:
        done = [
            o.total
            for o in self.orders
            if o.master is master
            and o.status in ("PAYMENT", "CLOSED")
            and not o.source
            and o.created >= now - timedelta(days=7)
        ]
        return round(sum(done) / len(done), 2) if done else 0

    def able(self, order: Order, now: datetime) -> list[Master]:
        """All in the city who could be asked, the best first."""
        found = [
            m
            for m in self.masters
            if not m.blocked
            and not m.unreachable
            and m.shift == "SHIFT_ON"
            and order.category in m.skills & self.skills
            and self.load(m) < self.limit_of(m)
            and m not in self.asked(order)
        ]
        return sorted(found, key=lambda m: (m.vehicle, self.average(m, now), m.rating), reverse=True)

    def chosen(self, order: Order, now: datetime) -> list[Master]:
        able = self.able(order, now)
        if order.preferred in able:
            return [order.preferred]
        near = [m for m in able if order.district in m.districts]
        return (near or able)[: self.per_round]

    # --- the engine

    def tick(self, now: datetime) -> None:
        self.expire(now)
        for order in self.orders:
            if order.status == "DEFERRED" and order.wakes <= now:
                order.begin(now)
                order.go(order.searching)
        for order in self.orders:
            if order.told_logist and order.told_logist <= now - PATIENCE and not order.told_admin:
                order.told_admin = now
                order.admin_notices += 1
        self.serve(now)

    def nudge(self, now: datetime, *, somebody_is_free: bool = False) -> None:
        if somebody_is_free:
            for order in self.orders:
                if order.reason == "no_candidates":
                    order.rests = now
        self.expire(now)
        self.serve(now)

    def expire(self, now: datetime) -> None:
        for offer in self.offers:
            if offer.live and offer.deadline <= now:
                offer.end("EXPIRED", "expired")
                if self.is_own_guarantee(offer) and offer.delivered:
                    offer.master.block()
                offer.order.rests = None

    def serve(self, now: datetime) -> None:
        due = [
            o for o in self.orders if o.status in SEARCH and not self.live(o) and (o.rests is None or o.rests <= now)
        ]
        for order in sorted(due, key=lambda o: self.urgency(o, now)):
            self.decide(order, now)

    @staticmethod
    def urgency(o: Order, now: datetime) -> tuple:
        waits_for_slot = o.slot is None or o.slot > now
        return o.told_admin is None, not o.source, waits_for_slot, o.told_logist is None, o.created, o.pk

    def decide(self, order: Order, now: datetime) -> None:
        order.rounds = self.rounds if order.rounds is None else order.rounds
        if order.district is None:
            self.escalate(order, "no_district", STAFF, now)
        elif order.category not in self.skills:
            self.escalate(order, "no_category", STAFF, now)
        elif order.round >= order.rounds:
            self.escalate(order, "rounds_exhausted", STAFF, now)
        elif chosen := self.chosen(order, now):
            order.round += 1
            order.rests = None
            order.calm()
            self.offers += [Offer(order, m, order.search, order.round, now + SLA) for m in chosen]
        else:
            self.escalate(order, "no_candidates", now + TICK, now)

    def escalate(self, order: Order, reason: str, rests: datetime, now: datetime) -> None:
        order.reason, order.rests = reason, rests
        if order.told_logist is None:
            order.told_logist = now
            order.logist_notices += 1

    # --- masters

    def accept(self, offer: Offer, now: datetime) -> None:
        if why := self.over(offer, now) or self.unfit(offer, now):
            raise Refused(*why)
        offer.end("ACCEPTED")
        self.give(offer.order, offer.master)

    def decline(self, offer: Offer, now: datetime) -> None:
        if why := self.over(offer, now):
            raise Refused(*why)
        offer.end("DECLINED")
        offer.order.rests = None
        if self.is_own_guarantee(offer):
            offer.master.block()

    def over(self, offer: Offer, now: datetime) -> set[str]:
        """Everything that is true about an offer which cannot be answered any more."""
        order, mine = offer.order, offer.order.master is offer.master
        held = order.master is not None and order.status in (*ACTIVE, "CLOSED")
        truths = {
            "already_yours": mine and order.status in ACTIVE,
            "changed": mine and order.status == "CLOSED",
            "taken": (held and not mine) or offer.why == "taken",
            "declined": offer.state == "DECLINED",
            "withdrawn": offer.why in ("withdrawn", "order_canceled")
            or (offer.why == "assigned" and not mine)
            or order.status == "CANCELED",
            "expired": offer.state == "EXPIRED" or (offer.live and offer.deadline <= now),
        }
        return {code for code, is_so in truths.items() if is_so}

    def unfit(self, offer: Offer, now: datetime) -> set[str]:
        master = offer.master
        if master.blocked:
            return {"blocked"}
        if offer.confirmed:
            return set()
        pausing = master.shift == "BREAK" and (master.break_until is None or master.break_until > now)
        truths = {
            "off_shift": master.shift == "SHIFT_OFF" or pausing,
            "limit": self.active(master) >= self.limit_of(master),
        }
        return {code for code, is_so in truths.items() if is_so}

    def deliver(self, offer: Offer, now: datetime) -> None:
        if offer.live and not offer.delivered:
            offer.delivered, offer.deadline = True, max(offer.deadline, now + SLA)

    def undeliverable(self, offer: Offer) -> None:
        if not offer.live:
            return
        offer.end("EXPIRED", "undeliverable")
        offer.master.unreachable = True
        order = offer.order
        order.rests = None
        same_round = [
            o
            for o in self.offers
            if o.order is order and (o.search, o.round) == (order.search, order.round) and not o.by_hand
        ]
        if offer in same_round and all(o.why == "undeliverable" for o in same_round):
            order.round -= 1  # nobody was asked in this round

    @staticmethod
    def is_own_guarantee(offer: Offer) -> bool:
        return offer.order.source is not None and offer.master is offer.order.preferred and not offer.by_hand

    def give(self, order: Order, master: Master) -> None:
        order.master = master
        order.go("ASSIGNED")
        order.calm()
        for offer in self.live(order):
            offer.end("CANCELED", "assigned" if offer.master is master else "taken")

    def withdraw(self, order: Order, why: str) -> None:
        for offer in self.live(order):
            offer.end("CANCELED", why)
