"""The masters: shifts and breaks, answers to offers, one job after another, payment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from fieldservice.lib.actor import Actor
from fieldservice.simulation.day import Asked, Day
from finance.models import Commission
from finance.services import commissions, settlement
from orders.models import Offer
from orders.services import lifecycle, offers
from orders.services.files import FileRef
from staff.services import shifts


@dataclass(slots=True)
class Person:
    """One master. `jobs`: orders he took, the first is the one he works on."""

    id: int
    off_at: datetime
    jobs: list[int] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        """He, at the services' doors."""
        return Actor("MASTER", master_id=self.id, via="simulation")


class Crew:
    """All masters of the company."""

    def __init__(self, day: Day) -> None:
        self.day, self.plan = day, day.plan
        self.people: dict[int, Person] = {}
        #: told of each reported payment
        self.on_payment: Callable[[int], None] = lambda commission_id: None
        self._breaks: dict[int, int] = defaultdict(int)
        for number, town in day.world.masters.items():
            self._plan_shift(number, town.opens)
        day.on_offer = self.hear

    # --- shifts ------------------------------------------------------------------------------------------------------
    def _plan_shift(self, number: int, opens: datetime) -> None:
        rng = self.plan.chance("shift", number)
        begins = opens + timedelta(hours=rng.uniform(0, 0.2) * self.plan.hours)
        person = Person(number, begins + timedelta(hours=rng.uniform(0.6, 0.95) * self.plan.hours))
        self.people[number] = person
        self.day.agenda.at(begins, partial(self.come, person))
        self.day.agenda.at(person.off_at, partial(self._go, person))
        for share in (rng.uniform(0.2, 0.5), rng.uniform(0.5, 0.8)):
            pause = rng.choice((15, 15, 60))
            self.day.agenda.at(begins + share * (person.off_at - begins), partial(self._pause, person, pause))

    def come(self, person: Person) -> None:
        """Begin or resume the shift, if it is not over."""
        if self.day.now < person.off_at:
            self.day.door(shifts.start, master_id=person.id, actor=person.actor)

    def _go(self, person: Person) -> None:
        self.day.door(shifts.stop, master_id=person.id, actor=person.actor)

    def _pause(self, person: Person, minutes: int) -> None:
        if self.day.door(shifts.take_break, master_id=person.id, minutes=minutes, actor=person.actor) is None:
            return
        self._breaks[person.id] += 1
        rng = self.plan.chance("break", person.id, self._breaks[person.id])
        if rng.random() < 0.7:  # comes back in time
            self.day.agenda.after(partial(self.come, person), minutes=minutes * rng.uniform(0.8, 0.98))
        else:  # the break ends his shift; he notices later
            self.day.breaks_end_at(self.day.now + timedelta(minutes=minutes))
            self.day.agenda.after(partial(self.come, person), minutes=minutes + rng.uniform(3, 20))

    # --- offers ------------------------------------------------------------------------------------------------------
    def hear(self, offer: Asked) -> None:
        """An offer was written: it arrives, and is answered or not."""
        rng = self.plan.chance("answer", offer.order_id, offer.master_id, offer.search)
        plan, pk, person = self.plan, offer.id, self.people[offer.master_id]
        self.day.agenda.after(partial(self._arrive, pk), seconds=rng.uniform(0.2, 1.5))
        (answer,) = rng.choices(("accept", "decline", "ignore"), (plan.accept, plan.decline, plan.ignore))
        seconds = 5 + rng.expovariate(1 / 30)  # most within a minute, a few too late
        if answer == "accept":
            self.day.agenda.after(partial(self._accept, person, pk), seconds=seconds)
        elif answer == "decline":
            self.day.agenda.after(partial(self._decline, person, pk), seconds=seconds)

    def _arrive(self, offer_id: int) -> None:
        self.day.door(offers.mark_delivered, offer_id=offer_id)
        deadline = Offer.objects.values_list("expires_at", flat=True).get(pk=offer_id)
        self.day.sweep_at(deadline or self.day.now)

    def _accept(self, person: Person, offer_id: int) -> None:
        offers.mark_viewed(offer_id=offer_id, actor=person.actor)
        order = self.day.door(offers.accept, offer_id=offer_id, actor=person.actor)
        if order is not None:
            self.take(person.id, order.pk)

    def _decline(self, person: Person, offer_id: int) -> None:
        self.day.door(offers.decline, offer_id=offer_id, actor=person.actor)

    # --- work --------------------------------------------------------------------------------------------------------
    def take(self, master_id: int, order_id: int) -> None:
        """The order is his: he does it after those he has."""
        person = self.people[master_id]
        person.jobs.append(order_id)
        if len(person.jobs) == 1:
            self._next(person)

    def _next(self, person: Person) -> None:
        if not person.jobs:
            return
        order_id, pace = person.jobs[0], self.plan.speed
        rng = self.plan.chance("work", order_id)
        setting_out, driving, working = rng.uniform(1, 6), rng.uniform(10, 30), rng.uniform(20, 75)
        steps = ((lifecycle.depart, setting_out), (lifecycle.start_work, setting_out + driving))
        for verb, minutes in steps:
            self.day.agenda.after(partial(self._step, verb, person, order_id), minutes=minutes / pace)
        done = (setting_out + driving + working) / pace
        total = Decimal(round(rng.lognormvariate(8.3, 0.5)))
        self.day.agenda.after(partial(self._finish, person, order_id, total), minutes=done)

    def _step(self, verb: Callable[..., object], person: Person, order_id: int) -> None:
        if order_id in person.jobs and self.day.door(verb, order_id=order_id, actor=person.actor) is None:
            self._drop(person, order_id)

    def _finish(self, person: Person, order_id: int, total: Decimal) -> None:
        if order_id not in person.jobs:  # taken back or cancelled before
            return
        act = FileRef(file_type="PHOTO", file_id=f"act-{order_id}")
        commission = self.day.door(
            settlement.close_job, order_id=order_id, actor=person.actor, total_sum=total, act=act
        )
        self._drop(person, order_id)
        if commission is not None:
            self._owe(person, commission)

    def _drop(self, person: Person, order_id: int) -> None:
        person.jobs.remove(order_id)
        self._next(person)

    def _owe(self, person: Person, commission: Commission) -> None:
        rng = self.plan.chance("pay", commission.order_id)
        self.day.overdue_at(commission.deadline_at)
        due = self.day.now + timedelta(minutes=rng.uniform(3, 45))
        if rng.random() >= self.plan.pay:
            due = commission.deadline_at + timedelta(minutes=rng.uniform(5, 60))
        self.day.agenda.at(due, partial(self._pay, person, commission.pk))

    def _pay(self, person: Person, commission_id: int) -> None:
        if self.day.door(commissions.report_paid, commission_id=commission_id, actor=person.actor):
            self.on_payment(commission_id)
