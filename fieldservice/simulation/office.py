"""The office: orders come by phone, escalations are dealt with, payments are approved; clients change their minds."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial

from fieldservice.simulation.crew import Crew
from fieldservice.simulation.day import Day
from fieldservice.simulation.world import Town
from finance.models import Commission
from finance.services import commissions
from orders.enums import Category, OrderStatus
from orders.models import Order
from orders.services import intake, lifecycle, manual

#: a logist searches again so often before choosing a master himself
PATIENCE = 1


class Office:
    """Staff of all cities, one pair of hands per order."""

    def __init__(self, day: Day, crew: Crew) -> None:
        self.day, self.crew, self.plan, self.actor = day, crew, day.plan, day.world.office
        self._searched_again: Counter[int] = Counter()
        self._number = 0
        for town in day.world.towns:
            self._expect_calls(town)
        day.on_escalation = self.alarm
        crew.on_payment = self._hear_of_payment

    # --- orders ------------------------------------------------------------------------------------------------------
    def _expect_calls(self, town: Town) -> None:
        rng = self.plan.chance("calls", town.id)
        seconds, per_second = 0.0, self.plan.orders_per_hour / len(self.day.world.towns) / 3600
        while (seconds := seconds + rng.expovariate(per_second)) < self.plan.hours * 3600:
            self.day.agenda.at(town.opens + timedelta(seconds=seconds), partial(self._call, town))

    def _call(self, town: Town) -> None:
        self._number += 1
        rng = self.plan.chance("order", self._number)
        new = intake.NewOrder(
            city_id=town.id,
            client_phone=f"+7999{self._number:07d}",
            category=rng.choice(Category.values),
            district_id=None if rng.random() < self.plan.no_district else rng.choice(town.districts),
            client_name="Client",
            house=str(self._number),
            confirm_late=True,
        )
        order = self.day.door(intake.create, new=new, actor=self.actor)
        if order is not None:
            self._fate(order.pk)

    def _fate(self, order_id: int) -> None:
        """What happens to some orders later, whoever has them by then."""
        rng = self.plan.chance("fate", order_id)
        minutes, roll = rng.uniform(1, 60), rng.random()
        if roll < self.plan.cancel:
            self.day.agenda.after(partial(self._cancel, order_id), minutes=minutes)
        elif roll < self.plan.cancel + self.plan.returned:
            self.day.agenda.after(partial(self._return, order_id), minutes=minutes)

    def _cancel(self, order_id: int) -> None:
        self.day.door(lifecycle.cancel, order_id=order_id, actor=self.actor, reason="The client changed his mind.")

    def _return(self, order_id: int) -> None:
        self.day.door(lifecycle.return_to_search, order_id=order_id, actor=self.actor, reason="The master cannot come.")

    # --- escalations -------------------------------------------------------------------------------------------------
    def alarm(self, order_id: int) -> None:
        """A logist was told; he acts some minutes later."""
        if self.plan.staff_after:
            self.day.agenda.after(partial(self._help, order_id), minutes=self.plan.staff_after)

    def _help(self, order_id: int) -> None:
        order = Order.objects.get(pk=order_id)
        if order.status not in OrderStatus.SEARCH or order.dist_escalated_logist_at is None:
            return  # found a master meanwhile, or is being offered again
        if order.escalation_reason == "rounds_exhausted" and self._searched_again[order_id] < PATIENCE:
            self._searched_again[order_id] += 1
            self.day.door(manual.search_again, order_id=order_id, actor=self.actor)
        elif not self._assign(order_id):
            self.alarm(order_id)

    def _assign(self, order_id: int) -> bool:
        able = [c for c in manual.candidates(order_id=order_id, actor=self.actor) if c.available]
        able.sort(key=lambda c: (len(c.marks), len(self.crew.people[c.master_id].jobs), c.master_id))
        if not able:
            return False
        master = able[0].master_id
        if self.day.door(manual.assign, order_id=order_id, master_id=master, actor=self.actor) is None:
            return False
        self.crew.take(master, order_id)
        return True

    # --- money -------------------------------------------------------------------------------------------------------
    def _hear_of_payment(self, commission_id: int) -> None:
        minutes = self.plan.chance("approve", commission_id).uniform(1, 15)
        self.day.agenda.after(partial(self._approve, commission_id), minutes=minutes)

    def _approve(self, commission_id: int) -> None:
        done: Commission | None = self.day.door(commissions.approve, commission_id=commission_id, actor=self.actor)
        if done is not None and done.blocked_applied:  # who was blocked for it begins his shift again
            self.crew.come(self.crew.people[done.master_id])
