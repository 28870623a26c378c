"""Hypothesis drives the real services and the reference model through the same days, step by step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any, ClassVar

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import DomainError
from fieldservice.runtime.models import Setting
from orders.dispatch import engine
from orders.models import Order
from orders.services import guarantee, intake, lifecycle, manual, offers
from orders.services.schedule import Slot
from orders.tests.proof import agreement, model
from orders.tests.proof.office import Office, day
from orders.tests.proof.world import World
from staff.models import Master, Skill
from staff.services import moderation, shifts

CATEGORIES = ("ELECTRICS", "PLUMBING")
WHICH = st.integers(0, 11)
SELDOM = [False, False, False, True]
NOON = datetime(2026, 3, 10, 12, tzinfo=model.ZONE)
have = lambda what: precondition(lambda self: getattr(self.company, what))  # noqa: E731


class Dispatch(RuleBasedStateMachine):
    """`company` is the model; the database is the thing under test. Every rule takes a second of virtual time."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.now, self.company = NOON, Office()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    @initialize(
        rounds=st.integers(1, 3),
        per_round=st.sampled_from([1, 1, 2]),
        limits=st.lists(st.sampled_from([None, None, 0, 1, 3]), min_size=5, max_size=5),
        hour=st.sampled_from([0, 0, 0, 7, 20]),
        visit=st.booleans(),
    )
    def found(self, rounds: int, per_round: int, limits: list[int | None], hour: int, visit: bool) -> None:
        """The company begins: its settings and masters, the hour of the day."""
        self.now += timedelta(hours=hour)
        self.company = Office(rounds, per_round, limit=2, skills=set(CATEGORIES), masters=self.world.people())
        self.company.orders.append(self.world.done(self.company.masters))
        for master, limit in zip(self.company.masters, limits, strict=True):
            self.write(master, max_active_orders_override=limit)
            master.limit = limit
        Setting.objects.bulk_create(
            Setting(key=key, value=str(value), value_type="INT")
            for key, value in (
                ("distribution_rounds", rounds), ("offers_per_round", per_round), ("max_active_orders", 2)
            )
        )  # fmt: skip
        for district, category in ((0, "ELECTRICS"), (1, "PLUMBING"), (0, "PLUMBING")):
            self.create(district, category, tomorrow=False)
        if visit:
            self.visit(0)

    # --- the means

    def both(self, real: Callable[[], Any], expected: Callable[[], Any]) -> Any:
        """Do it in both worlds; a refusal must have one of the true reasons. Returns what the real one returned."""
        self.now += timedelta(seconds=1)
        reasons: set[str] = set()
        answer: Any = None
        try:
            expected()
        except model.Refused as refused:
            reasons = refused.codes
        try:
            answer, said = real(), ""
        except DomainError as error:
            said = error.code
        assert (said in reasons) if said else not reasons, f"answered {said or 'yes'}; true is {reasons or 'yes'}"
        return answer

    def order(self, which: int) -> model.Order:
        return self.company.orders[-1 - which % len(self.company.orders)]

    def offer(self, which: int) -> model.Offer:
        """Mostly one that is live, often one of a guarantee visit: these are rare."""
        live = [o for o in self.company.offers if o.live]
        visits = [o for o in live if o.order.source]
        among = visits if visits and 4 <= which < 8 else live if live and which < 9 else self.company.offers
        return among[-1 - which % len(among)]

    def master(self, which: int) -> model.Master:
        return self.company.masters[which % len(self.company.masters)]

    @staticmethod
    def write(master: model.Master, **values: Any) -> None:
        Master.objects.filter(pk=master.pk).update(**values)

    @staticmethod
    def actor(master: model.Master) -> Actor:
        return Actor("MASTER", master_id=master.pk)

    # --- orders come in

    @rule(
        district=st.sampled_from([0, 0, 1, 2]), category=st.sampled_from(CATEGORIES), tomorrow=st.sampled_from(SELDOM)
    )
    @precondition(lambda self: len(self.company.orders) < 8)
    def create(self, district: int, category: str, tomorrow: bool) -> None:
        place = [*self.world.districts, None][district]
        slot = Slot(day(self.now, 1, 13), day(self.now, 1, 16)) if tomorrow else None
        new = intake.NewOrder(
            city_id=self.world.city.pk, client_phone="+79990001122", category=category, slot=slot, confirm_late=True,
            district_id=place,
        )  # fmt: skip
        made = intake.create(new=new, actor=self.world.admin, now=self.now)
        self.company.create(made.pk, place, category, tomorrow=tomorrow, now=self.now)
        self.now += timedelta(seconds=1)

    @rule(which=WHICH)
    @precondition(lambda self: any(o.status == "CLOSED" for o in self.company.orders))
    def visit(self, which: int) -> None:
        closed = [o for o in self.company.orders if o.status == "CLOSED"]
        source = closed[-1] if which < 8 else self.order(which)
        made = self.both(
            lambda: guarantee.create(source_order_id=source.pk, actor=self.world.admin, now=self.now),
            lambda: self.company.may_visit(source),
        )
        if made is not None:
            self.company.visit(made.pk, source, self.now)

    # --- time and the engine

    @rule(seconds=st.sampled_from([0, 0, 0, 5, 29, 60, 118, 119, 120, 300, 601, 3600, 6 * 3600]))
    def tick(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        report = self.both(lambda: engine.tick(now=self.now, rng=Random(0)), lambda: self.company.tick(self.now))
        assert not report.set_aside

    @rule(seconds=st.sampled_from([0, 0, 30, 119]), somebody_is_free=st.booleans(), only_sweep=st.sampled_from(SELDOM))
    def nudge(self, seconds: int, somebody_is_free: bool, only_sweep: bool) -> None:
        self.now += timedelta(seconds=seconds)
        if only_sweep:
            self.both(lambda: offers.expire_due(now=self.now), lambda: self.company.expire(self.now))
            return
        city = self.world.city.pk if somebody_is_free else None
        report = self.both(
            lambda: engine.nudge(city_id=city, now=self.now, rng=Random(0)),
            lambda: self.company.nudge(self.now, somebody_is_free=somebody_is_free),
        )
        assert not report.set_aside

    # --- masters answer

    @rule(which=WHICH, seconds=st.sampled_from([0, 0, 60, 118, 119]))
    @have("offers")
    def accept(self, which: int, seconds: int) -> None:
        offer = self.offer(which)
        self.now += timedelta(seconds=seconds)
        self.both(
            lambda: offers.accept(offer_id=offer.pk, actor=self.actor(offer.master), now=self.now),
            lambda: self.company.accept(offer, self.now),
        )

    @rule(which=WHICH, delivered=st.booleans())
    @have("offers")
    def decline(self, which: int, delivered: bool) -> None:
        offer = self.offer(which)
        if delivered:
            self.both(
                lambda: offers.mark_delivered(offer_id=offer.pk, now=self.now),
                lambda: self.company.deliver(offer, self.now),
            )
        self.both(
            lambda: offers.decline(offer_id=offer.pk, actor=self.actor(offer.master), now=self.now),
            lambda: self.company.decline(offer, self.now),
        )

    @rule(which=WHICH, seconds=st.sampled_from([0, 0, 1, 60, 125]), viewed=st.booleans())
    @have("offers")
    def deliver(self, which: int, seconds: int, viewed: bool) -> None:
        offer = self.offer(which)
        self.now += timedelta(seconds=seconds)
        if viewed:
            offers.mark_viewed(offer_id=offer.pk, actor=self.actor(offer.master), now=self.now)
            offer.state = "VIEWED" if offer.state == "SENT" else offer.state
        self.both(
            lambda: offers.mark_delivered(offer_id=offer.pk, now=self.now),
            lambda: self.company.deliver(offer, self.now),
        )

    @rule(which=WHICH)
    @have("offers")
    def undeliverable(self, which: int) -> None:
        offer = self.offer(which)
        self.both(
            lambda: offers.undeliverable(offer_id=offer.pk, now=self.now), lambda: self.company.undeliverable(offer)
        )

    # --- the job

    @rule(which=WHICH, total=st.sampled_from([3000, 5000, 9000]), paid=st.booleans())
    @precondition(lambda self: any(o.master for o in self.company.orders))
    def work(self, which: int, total: int, paid: bool) -> None:
        """The next step of a job, or one that is not its turn."""
        mine = [o for o in self.company.orders if o.master]
        order = mine[-1 - which % len(mine)]
        if order.status == "WORKING" and which < 10:
            self.finish(order, total, paid)
            return
        to = "WORKING" if order.status == "EN_ROUTE" or which > 10 else "EN_ROUTE"
        verb = lifecycle.depart if to == "EN_ROUTE" else lifecycle.start_work
        self.both(
            lambda: verb(order_id=order.pk, actor=self.actor(order.master), now=self.now),
            lambda: self.company.step(order, to),
        )

    def finish(self, order: model.Order, total: int, paid: bool) -> None:
        with transaction.atomic():
            row = lifecycle.lock(order.pk)
            lifecycle.finish(row, actor=self.actor(order.master), total_sum=total, now=self.now)
            self.company.finish(order, total)
            if paid and order.status == "PAYMENT":
                lifecycle.close_paid(row, actor=self.world.admin, now=self.now)
                order.go("CLOSED")

    # --- staff

    @rule(which=WHICH, verb=st.sampled_from(["activate", "again", "again", "return", "return", "cancel", "stale"]))
    @have("orders")
    def staff(self, which: int, verb: str) -> None:
        order, company = self.order(which), self.company
        seen = order.moves
        who = {"order_id": order.pk, "actor": self.world.admin}
        why = {**who, "reason": "the client asks for it"}
        real, mirror = {
            "activate": (lambda: lifecycle.activate(**who, now=self.now), lambda: company.activate(order, self.now)),
            "again": (lambda: manual.search_again(**who, now=self.now), lambda: company.search_again(order, self.now)),
            "return": (
                lambda: lifecycle.return_to_search(**why, now=self.now), lambda: company.take_back(order, self.now)
            ),
            "cancel": (
                lambda: lifecycle.cancel(**why, version=seen, now=self.now),
                lambda: company.cancel(order, stale=False),
            ),
            "stale": (
                lambda: lifecycle.cancel(**why, version=seen - 1, now=self.now),
                lambda: company.cancel(order, stale=True),
            ),
        }[verb]  # fmt: skip
        self.both(real, mirror)

    @rule(which=WHICH, whom=WHICH, confirmed=st.booleans(), at_once=st.sampled_from([False, False, True]))
    @have("orders")
    def by_hand(self, which: int, whom: int, confirmed: bool, at_once: bool) -> None:
        """Offer the order, or assign it at once."""
        order, master = self.order(which), self.master(whom)
        verb, mirror = (manual.assign, self.company.assign) if at_once else (manual.offer, self.company.offer_by_hand)
        self.both(
            lambda: verb(
                order_id=order.pk, master_id=master.pk, actor=self.world.admin, confirmed=confirmed, now=self.now
            ),
            lambda: mirror(order, master, self.now, confirmed=confirmed),
        )

    # --- masters and their circumstances

    @rule(whom=WHICH, verb=st.sampled_from(["start", "start", "stop", "pause", "resume", "end"]))
    def shift(self, whom: int, verb: str) -> None:
        master = self.master(whom)
        who = {"master_id": master.pk, "actor": self.actor(master)}
        until = self.now + timedelta(minutes=15, seconds=1)  # `both` takes its second first
        real, mirror = {
            "start": (lambda: shifts.start(**who), lambda: self.company.start_shift(master)),
            "resume": (lambda: shifts.resume(**who), lambda: self.company.start_shift(master)),
            "end": (lambda: shifts.end_breaks(now=self.now), lambda: self.company.end_breaks(self.now)),
            "stop": (lambda: shifts.stop(**who), lambda: self.company.stop_shift(master)),
            "pause": (
                lambda: shifts.take_break(minutes=15, now=self.now, **who), lambda: self.company.pause(master, until)
            ),
        }[verb]  # fmt: skip
        self.both(real, mirror)

    @rule(
        whom=WHICH,
        what=st.sampled_from(["limit", "district", "skill", "reachable", "block", "unblock", "switch"]),
        value=st.integers(0, 2),
    )
    def change(self, whom: int, what: str, value: int) -> None:
        """The office edits a master's card or the list of skills; he comes back to the bot."""
        master, admin = self.master(whom), self.world.admin
        if what == "limit":
            master.limit = (None, 1, 0)[value]
            self.write(master, max_active_orders_override=master.limit)
        elif what == "reachable":
            master.unreachable = False
            self.write(master, unreachable_at=None)
        elif what == "district":
            master.districts = set(self.world.districts[:value])
            Master.objects.get(pk=master.pk).districts.set(master.districts)
        elif what == "skill":
            master.skills = set(CATEGORIES[:value])
            Master.objects.get(pk=master.pk).skills.set(Skill.objects.filter(code__in=master.skills))
        elif what == "block":
            moderation.block(master_id=master.pk, reason="rude to clients", actor=admin, now=self.now)
            master.block()
        elif what == "unblock":
            moderation.unblock(master_id=master.pk, actor=admin, now=self.now)
            master.blocked = False
        else:
            Skill.objects.filter(code="PLUMBING").update(is_active=value > 0)
            self.company.skills = set(CATEGORIES if value else CATEGORIES[:1])

    @invariant()
    def agreement_holds(self) -> None:
        agreement.name_new_offers(self.company)
        agreement.agree(self.company)
        agreement.invariants(self.now)
        assert Order.objects.count() == len(self.company.orders)
