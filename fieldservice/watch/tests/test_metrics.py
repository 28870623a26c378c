"""What Prometheus reads, and who else may."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.utils import timezone

from fieldservice.outbox.models import Lane, Notification
from fieldservice.watch.metrics import OPEN_ORDERS
from orders.dispatch import engine
from orders.enums import OrderStatus
from orders.tests.factories import OfferFactory, OrderFactory
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db


def samples(client) -> dict[str, float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    lines = [line for line in response.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_the_gauges(client, django_assert_max_num_queries):
    engine.tick()
    OrderFactory()
    OfferFactory(order__dispatch_at=None)
    Notification.objects.create(event="x", bot="admin", chat_id=1, lane=Lane.PERSONAL, due_at=timezone.now())
    with django_assert_max_num_queries(6):
        found = samples(client)
    assert found["fieldservice_orders_due"] == 1
    assert 0 < found["fieldservice_order_due_oldest_seconds"] < 60
    assert found['fieldservice_orders_open{status="SEARCHING"}'] == 2
    assert found['fieldservice_offers_last_hour{state="SENT"}'] == 1
    assert found['fieldservice_outbox_waiting{bot="admin",lane="personal"}'] == 1
    assert 0 < found["fieldservice_tick_seconds"] < 10
    assert 0 <= found['fieldservice_heartbeat_age_seconds{name="dispatch_tick"}'] < 60


def test_closed_orders_are_not_read():
    """A scrape comes every few seconds, and there may be a million of them."""
    assert all((f"'{status}'" in OPEN_ORDERS) == (status not in OrderStatus.FINAL) for status in OrderStatus)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + OPEN_ORDERS)
        assert re.search(r"Index Cond: \(?\(?status = ANY", "\n".join(row[0] for row in cursor.fetchall()))


def test_an_empty_system_has_gauges_too(client):
    assert samples(client)["fieldservice_order_due_oldest_seconds"] == 0


def test_nobody_is_named(client):
    MasterFactory(full_name="Ivan", phone="+79990000000")
    assert not re.search(r"Ivan|\+7999", client.get("/metrics").content.decode())


@pytest.mark.parametrize(
    ("token", "headers", "address", "status"),
    [
        ("", {}, "127.0.0.1", 200),
        ("", {}, "10.0.0.7", 403),
        ("", {"X-Real-IP": "8.8.8.8"}, "127.0.0.1", 403),
        ("", {"X-Forwarded-For": "8.8.8.8"}, "127.0.0.1", 403),  # a proxy on this machine asks for somebody
        ("right", {}, "127.0.0.1", 403),
        ("right", {"Authorization": "Bearer wrong"}, "10.0.0.7", 403),
        ("right", {"Authorization": "Bearer right", "X-Forwarded-For": "8.8.8.8"}, "10.0.0.7", 200),
    ],
)
def test_who_may(client, settings, token, headers, address, status):
    settings.METRICS_TOKEN = token
    assert client.get("/metrics", headers=headers, REMOTE_ADDR=address).status_code == status
