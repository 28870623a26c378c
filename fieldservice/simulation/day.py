"""The day itself: the product's own jobs on the virtual clock, and the doors people go through."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar
from unittest import mock

from django.db import connection

from fieldservice.lib.errors import DomainError
from fieldservice.runtime import registry, wake
from fieldservice.simulation import invariants
from fieldservice.simulation.agenda import Agenda
from fieldservice.simulation.plan import Plan
from fieldservice.simulation.world import World
from finance.services import commissions
from orders.dispatch import engine
from orders.services import offers
from staff.services import shifts

T = TypeVar("T")
SWEEP, BREAKS, OVERDUE, CHECK = 5.0, 30.0, 60.0, 60.0
#: from a commit to the worker that was woken by it
WAKE = 0.1
#: whether the engine could find anything at all: wider than its own conditions, and a tenth of its statements
SOMETHING = """
SELECT EXISTS (SELECT FROM offers WHERE state IN ('SENT', 'VIEWED') AND coalesce(expires_at, sent_at) <= %(now)s)
    OR EXISTS (SELECT FROM orders WHERE status IN ('CREATED', 'DEFERRED', 'SEARCHING', 'GUARANTEE')
                  AND (dispatch_at <= %(now)s OR escalation_reason = 'no_candidates'
                       OR dist_escalated_admin_at IS NULL AND dist_escalated_logist_at <= %(told)s))"""

#: what the engine did since the last look
NEWS = """
(SELECT 'offer', id, order_id, master_id, search_number FROM offers WHERE id > %(offer)s ORDER BY id)
UNION ALL
(SELECT 'escalation', id, order_id, NULL, NULL FROM order_status_history
  WHERE id > %(history)s AND reason = 'distribution_escalate_logist' ORDER BY id)"""


class Asked(NamedTuple):
    """A new offer."""

    id: int
    order_id: int
    master_id: int
    search: int


class Day:
    """Runs the engine's jobs as Celery's beat would, and wakes it as the worker would."""

    def __init__(self, plan: Plan, world: World) -> None:
        self.plan, self.world = plan, world
        self.agenda = Agenda(min(town.opens for town in world.towns))
        self.end = max(town.opens for town in world.towns) + timedelta(hours=plan.hours + plan.evening)
        #: what became of calls that were refused, by the error's code
        self.refused: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        #: told of each new offer and of each escalation to a logist
        self.on_offer: Callable[[Asked], None] = lambda offer: None
        self.on_escalation: Callable[[int], None] = lambda order_id: None
        self._admin_after: int = registry.get("escalate_to_admin_after_min")
        self._woken: list[int | None] = []
        self._errors: list[str] = []
        self._seen_offer = self._seen_history = 0

    @property
    def now(self) -> datetime:
        """Virtual."""
        return self.agenda.now

    def run(self) -> None:
        """Until the evening. Raises InvariantBroken."""
        self.agenda.every(registry.get("distribution_tick_seconds"), self._tick)
        self.agenda.every(CHECK, lambda: invariants.check(self.now))
        with self._wakes_are_ours(), _errors() as self._errors:
            self.agenda.run(self.end)
        invariants.check(self.now)
        invariants.check_books()

    def door(self, verb: Callable[..., T], **arguments: Any) -> T | None:
        """Call a service at the virtual time; None when it refuses. Those it wakes are nudged a moment later."""
        try:
            return verb(**arguments, now=self.now)
        except DomainError as error:
            self._woken.clear()
            self.refused[f"{verb.__name__}: {error.code or type(error).__name__}"] += 1
            return None
        finally:
            for city_id in dict.fromkeys(self._woken):
                self.agenda.after(partial(self._nudge, city_id), seconds=WAKE)
            self._woken.clear()

    def sweep_at(self, deadline: datetime) -> None:
        """An offer ends then: the sweep after it will find it."""
        self.agenda.next_beat(deadline, SWEEP, "sweep", self._sweep)

    def breaks_end_at(self, moment: datetime) -> None:
        """A break ends then."""
        self.agenda.next_beat(moment, BREAKS, "breaks", partial(self.door, shifts.end_breaks))

    def overdue_at(self, deadline: datetime) -> None:
        """A commission is due then."""
        late = deadline + timedelta(milliseconds=1)
        self.agenda.next_beat(late, OVERDUE, "overdue", partial(self.door, commissions.mark_overdue))

    def _tick(self) -> None:
        self._engine("tick", engine.tick)

    def _nudge(self, city_id: int | None = None) -> None:
        self._engine("nudge", partial(engine.nudge, city_id=city_id))

    def _sweep(self) -> None:
        self.calls["sweep"] += 1
        if offers.expire_due(now=self.now):
            self._nudge()

    def _engine(self, name: str, verb: Callable[..., engine.Report]) -> None:
        self.calls[name] += 1
        if not self._something_due():
            return
        self.calls[f"{name} with work"] += 1
        report = verb(now=self.now, rng=self.plan.chance("rank", self.now))
        if report.set_aside or self._errors:
            why = "; ".join(self._errors) or f"orders {report.set_aside} were set aside"
            raise invariants.InvariantBroken(f"At {self.now:%H:%M:%S} UTC the engine failed: {why}")
        self._news()

    def _something_due(self) -> bool:
        told = self.now - timedelta(minutes=self._admin_after)
        with connection.cursor() as cursor:
            cursor.execute(SOMETHING, {"now": self.now, "told": told})
            return bool(cursor.fetchone()[0])

    def _news(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(NEWS, {"offer": self._seen_offer, "history": self._seen_history})
            rows = cursor.fetchall()
        for kind, pk, order_id, master_id, search in rows:
            if kind == "offer":
                self._seen_offer = pk
                self.on_offer(Asked(pk, order_id, master_id, search))
            else:
                self._seen_history = pk
                self.on_escalation(order_id)

    @contextmanager
    def _wakes_are_ours(self) -> Iterator[None]:
        """Instead of Celery tasks, which would come in real time, note who was to be woken."""
        with mock.patch.object(wake, "after_commit", lambda task, city_id=None: self._woken.append(city_id)):
            yield


@contextmanager
def _errors() -> Iterator[list[str]]:
    """What the engine survived, but logged as an error: a batch that failed and was served one by one."""
    found: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: found.append(_told(record))  # type: ignore[method-assign]
    log = logging.getLogger("dispatch")
    log.addHandler(handler)
    try:
        yield found
    finally:
        log.removeHandler(handler)


def _told(record: logging.LogRecord) -> str:
    return f"{record.getMessage()}: {record.exc_info[1]!r}" if record.exc_info else record.getMessage()
