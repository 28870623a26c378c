"""`/metrics` for Prometheus: read from the database at the moment of the request, the same for every process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from fieldservice.outbox.models import Lane
from fieldservice.watch.checks import DUE, WAITING, query

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BEATS = "SELECT name, extract(epoch FROM %(now)s - beat_at)::float8, details ->> 'ms' FROM heartbeats"
#: by name, not "neither closed nor canceled": an index finds these among a million closed ones
OPEN_ORDERS = """
SELECT status::text, count(*) FROM orders
 WHERE status IN ('CREATED', 'SEARCHING', 'ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT', 'DEFERRED', 'GUARANTEE')
 GROUP BY 1"""
#: offers whose time to answer ended within the last hour, or has not ended yet
OFFERS = """
SELECT state::text, count(*) FROM offers WHERE expires_at > %(now)s - interval '1 hour' GROUP BY 1"""

#: what proxies add to a request
FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")


class System(Collector):
    """What goes on now."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = timezone.now()
        yield from self._dispatch(now)
        yield from self._outbox(now)
        age = _gauge("heartbeat_age_seconds", "Since the last sign of life.", ["name"])
        tick = _gauge("tick_seconds", "How long the last dispatch tick took.")
        for name, seconds, milliseconds in query(BEATS, now=now):
            age.add_metric([name], seconds)
            if name == "dispatch_tick" and milliseconds:
                tick.add_metric([], float(milliseconds) / 1000)
        yield age
        yield tick

    def _dispatch(self, now: datetime) -> Iterator[GaugeMetricFamily]:
        ((count, oldest),) = query(DUE, now=now)
        yield _gauge("orders_due", "Orders dispatch must decide about now.", value=count)
        lag = (now - oldest).total_seconds() if oldest else 0
        yield _gauge("order_due_oldest_seconds", "How long the oldest of them has been due.", value=lag)
        orders = _gauge("orders_open", "Orders that are neither closed nor canceled.", ["status"])
        for status, number in query(OPEN_ORDERS):
            orders.add_metric([status], number)
        yield orders
        offers = _gauge("offers_last_hour", "Offers whose time ended in the last hour or runs, by state.", ["state"])
        for state, number in query(OFFERS, now=now):
            offers.add_metric([state], number)
        yield offers

    def _outbox(self, now: datetime) -> Iterator[GaugeMetricFamily]:
        waiting = _gauge("outbox_waiting", "Messages that are due.", ["bot", "lane"])
        oldest_of = _gauge("outbox_oldest_seconds", "How long the oldest of them has been due.", ["bot", "lane"])
        for bot, lane, count, oldest in query(WAITING, now=now):
            labels = [bot, Lane(lane).name.lower()]
            waiting.add_metric(labels, count)
            oldest_of.add_metric(labels, (now - oldest).total_seconds())
        yield waiting
        yield oldest_of


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The gauges as text. With METRICS_TOKEN for who sends it; without, for this machine only."""
    if not _may(request):
        return HttpResponseForbidden("Set METRICS_TOKEN and send it as a bearer token.\n", content_type="text/plain")
    registry = CollectorRegistry()
    registry.register(System())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE)


def _may(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        return constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}")
    # behind a proxy everybody comes from this machine, but the proxy says for whom it asks
    local = request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"}
    return local and not any(name in request.headers for name in FORWARDED)


def _gauge(name: str, text: str, labels: list[str] | None = None, value: float | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"fieldservice_{name}", text, labels=labels, value=value)
