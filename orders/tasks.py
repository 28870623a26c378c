"""Celery only wakes: each task calls one service and logs."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from orders.dispatch import engine, trace
from orders.services import place


@shared_task
def dispatch_tick() -> None:
    """The tick (30 s)."""
    engine.tick()


@shared_task
def nudge(city_id: int | None = None) -> None:
    """An event: an order is ready, or a master of the city became free."""
    engine.nudge(city_id=city_id)


@shared_task
def geocode() -> None:
    """An order's address is to be asked for. Runs in a worker of its own (queue `slow`)."""
    place.geocode_due(now=timezone.now())


@shared_task
def wake_geocoder() -> None:
    """Every minute: an order still waits for the geocoder, because its wake-up was lost or nobody answered."""
    if place.anything_to_ask(now=timezone.now()):
        place.wake_geocoder()


@shared_task
def prune_decision_log() -> None:
    """Every hour: the decision log keeps as many days as the setting says."""
    trace.prune(now=timezone.now())


@shared_task
def sweep_offers() -> None:
    """Every 5 s: an expired offer becomes an event at once, not at the next tick.

    So does an order the engine had to leave a moment ago, because its offer was just being expired by somebody else.
    """
    engine.nudge()
