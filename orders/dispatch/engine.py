"""The engine: `tick` and `nudge` are the same call, snapshot → decide → apply, one short transaction per batch."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import TypeVar

from django.db import connection, transaction
from django.utils import timezone

from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from fieldservice.runtime import heartbeats, registry
from orders.dispatch import deferred, escalation, trace
from orders.dispatch.apply import apply
from orders.dispatch.decide import decide
from orders.dispatch.snapshot import agenda, claim, load, load_config
from orders.dispatch.values import Config, Decision
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import offers

T = TypeVar("T")
log = logging.getLogger("dispatch")
BATCH = 2000
#: serialises batches, so that two engines never count the same free place twice; freed by the commit, cannot leak
LOCK = 982734
SET_ASIDE = timedelta(minutes=5)


@dataclass(slots=True)
class Report:
    """What one call did."""

    expired: int = 0
    woken: list[int] = field(default_factory=list)
    escalated_to_admins: list[int] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    set_aside: list[int] = field(default_factory=list)


def tick(*, now: datetime | None = None, rng: Random | None = None) -> Report:
    """Expire overdue offers, wake deferred orders, escalate, then serve every due order."""
    now, began = now or timezone.now(), time.perf_counter()
    config, report = load_config(), Report()
    todo = agenda(config=config, now=now)
    if todo.overdue:
        report.expired = len(offers.expire_due(now=now))
    if todo.asleep:
        _wake(report, now=now)
    if todo.with_logists_too_long:
        report.escalated_to_admins = _alert_admins(report, config=config, now=now)
    if any(todo):
        serve_due(report, config=config, now=now, rng=rng)
    took = round((time.perf_counter() - began) * 1000, 1)
    heartbeats.beat("dispatch_tick", now=now, decisions=len(report.decisions), expired=report.expired, ms=took)
    return report


def _wake(report: Report, *, now: datetime) -> None:
    """Deferred orders whose time has come; where a batch fails, one by one, and only the guilty one is set aside."""
    looked = 1
    while looked:
        try:
            woken, looked = deferred.wake_many(now=now, skip=report.set_aside)
            report.woken += woken
        except Exception:
            log.exception("dispatch_wake_failed")
            for order_id in deferred.due(now=now):
                if _guarded(report, order_id, now, partial(deferred.wake, order_id, now=now)):
                    report.woken.append(order_id)
            return


def _alert_admins(report: Report, *, config: Config, now: datetime) -> list[int]:
    try:
        return escalation.to_admins(config=config, now=now)
    except Exception:
        log.exception("dispatch_escalation_failed")
    done: list[int] = []
    for order_id in escalation.with_logists_too_long(config=config, now=now):
        work = partial(escalation.to_admins, config=config, now=now, only=order_id)
        done += _guarded(report, order_id, now, work) or []
    return done


def nudge(*, city_id: int | None = None, now: datetime | None = None, rng: Random | None = None) -> Report:
    """Something happened: serve what is due now. `city_id`: a master became free there, look at stuck orders, too."""
    now = now or timezone.now()
    if city_id is not None:
        _look_again_at_stuck(city_id, now)
    config, report = load_config(), Report()
    todo = agenda(config=config, now=now)
    if todo.overdue:
        report.expired = len(offers.expire_due(now=now))
    return serve_due(report, config=config, now=now, rng=rng) if todo.overdue or todo.due else report


def serve_due(report: Report, *, config: Config, now: datetime, rng: Random | None = None) -> Report:
    """All due orders, batch by batch; a failed batch is served one by one, and only the guilty order is set aside."""
    batch = partial(_batch, config=config, now=now, rng=rng or Random())
    while True:
        seen = len(report.set_aside)
        try:
            decisions = batch(skip=report.set_aside)
            over = len(decisions) < BATCH
        except Exception:
            log.exception("dispatch_batch_failed")
            decisions = _one_by_one(report, batch, now=now)
            over = not decisions and len(report.set_aside) == seen
        report.decisions += decisions
        if over:
            return report


def _batch(
    *, config: Config, now: datetime, rng: Random, only: int | None = None, skip: Sequence[int] = ()
) -> list[Decision]:
    with transaction.atomic():
        _take_turns()
        orders = claim(now=now, limit=BATCH, only=only, skip=skip)
        if not orders:
            return []
        decisions = decide(load(orders, config=config, now=now), config, now, rng)
        news = apply(decisions, config=config, now=now)
    for decision in news if trace.log.isEnabledFor(logging.INFO) else ():  # after the commit: nobody waits for the log
        trace.log.info(trace.line(decision))
    return decisions


def _one_by_one(report: Report, batch: Callable[..., list[Decision]], *, now: datetime) -> list[Decision]:
    due = Order.objects.filter(status__in=OrderStatus.SEARCH, assigned_master__isnull=True, dispatch_at__lte=now)
    due = due.exclude(pk__in=report.set_aside)
    done: list[Decision] = []
    for order_id in due.order_by("dispatch_at").values_list("pk", flat=True)[:BATCH]:
        done += _guarded(report, order_id, now, partial(batch, only=order_id)) or []
    return done


def _look_again_at_stuck(city_id: int, now: datetime) -> None:
    with transaction.atomic():
        # two of these at once would lock the same orders in different sequence; and a batch that is deciding
        # without the master who just came must be over, or its answer would hide him until the next tick
        _take_turns()
        Order.objects.filter(
            city_id=city_id,
            status__in=OrderStatus.SEARCH,
            assigned_master__isnull=True,
            escalation_reason="no_candidates",
            dispatch_at__gt=now,
        ).update(dispatch_at=now)


def _take_turns() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _guarded(report: Report, order_id: int, now: datetime, work: Callable[[], T]) -> T | None:
    try:
        return work()
    except Exception as error:
        log.exception("dispatch_order_failed", extra={"order": order_id})
        report.set_aside.append(order_id)
        try:
            _set_aside(order_id, f"{type(error).__name__}: {error}"[:500], now)
        except Exception:  # even that cannot be written: the order fails again next time, the others go on
            log.exception("dispatch_set_aside_failed", extra={"order": order_id})
        return None


def _set_aside(order_id: int, error: str, now: datetime) -> None:
    """The order is looked at again in five minutes; ALERTS is told once an hour."""
    with transaction.atomic():
        Order.objects.filter(pk=order_id).update(dispatch_error=error, dispatch_at=now + SET_ASIDE)
        channel = registry.get("alerts_channel_id")
        if channel:
            outbox.enqueue(
                Message(
                    event="dispatch_error",
                    chat_id=channel,
                    payload={"order_id": order_id},
                    dedup_key=f"dispatch_error:{order_id}:{now:%Y%m%d%H}",
                )
            )
