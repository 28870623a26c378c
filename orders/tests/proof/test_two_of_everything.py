"""Two beats and four workers at once do what one alone would have done: nothing twice, nothing forgotten."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.db import connection, transaction

from fieldservice.outbox.models import Notification
from fieldservice.tests.racing import racers
from geo.models import District
from geo.tests.factories import DistrictFactory
from orders.dispatch import engine
from orders.models import Offer, Order, OrderStatusHistory
from orders.services import offers
from orders.tests.proof.model import ZONE
from staff.models import Master
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db(transaction=True)
LIVE = ("SENT", "VIEWED")
HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 10, 12, tzinfo=ZONE)


def orders_in(place: District, count: int, **values: Any) -> list[int]:
    """Orders due at noon, the first the oldest."""
    now = NOON
    rows = [
        Order(
            **{"city_id": place.city_id, "district": place, "status": "SEARCHING", "dispatch_at": now} | values,
            created_at=now - HOUR + timedelta(seconds=number),
        )
        for number in range(count)
    ]
    return [order.pk for order in Order.objects.bulk_create(rows)]


def outcomes(orders: list[int]) -> list[tuple]:
    """What became of the orders, in their sequence, whatever the masters' names."""
    live = Counter(Offer.objects.filter(order__in=orders, state__in=LIVE).values_list("order_id", flat=True))
    rows = Order.objects.filter(pk__in=orders).order_by("pk")
    return [(o.status, o.escalation_reason, o.dispatch_round, o.version, live[o.pk]) for o in rows]


def everybody_at_once(now: Any) -> list[Any]:
    """Two beats and four workers: two of them serve events, two sweep."""

    def sweep() -> None:
        offers.expire_due(now=now)
        engine.nudge(now=now)

    works = [partial(engine.tick, now=now)] * 2 + [partial(engine.nudge, now=now)] * 2 + [sweep] * 2
    with racers(len(works)) as crew:
        return crew.run(*works)


def nobody_is_overfull() -> None:
    load = Counter(Offer.objects.filter(state__in=LIVE).values_list("master_id", flat=True))
    limits = dict(Master.objects.values_list("pk", "max_active_orders_override"))
    assert all(count <= limits[master] for master, count in load.items())


def test_scarce_places_go_to_the_same_orders(monkeypatch: pytest.MonkeyPatch):
    """Small batches, so that six engines really take turns over one queue."""
    found = []
    for together in (False, True):
        district = DistrictFactory()
        MasterFactory.create_batch(12, districts=[district], max_active_orders_override=2)
        orders = orders_in(district, 40)
        if together:
            monkeypatch.setattr(engine, "BATCH", 5)
            reports = [report for report in everybody_at_once(NOON) if report is not None]
            decided = [decision.order.id for report in reports for decision in report.decisions]
            assert len(decided) == len(set(decided))
            assert sum(report.set_aside != [] for report in reports) == 0
        else:
            engine.tick(now=NOON)
        found.append(outcomes(orders))
        nobody_is_overfull()
    alone, together = found
    assert alone == together
    assert [row[4] for row in alone] == [1] * 24 + [0] * 16


def test_everything_due_is_done_once(monkeypatch: pytest.MonkeyPatch):
    """New orders, deferred ones whose time has come, lapsed offers, old escalations: each event happens once."""
    monkeypatch.setattr(engine, "BATCH", 7)
    district, now = DistrictFactory(), NOON
    masters = MasterFactory.create_batch(40, districts=[district], max_active_orders_override=3)
    fresh = orders_in(district, 30)
    slot = {"timeslot_start_utc": now - HOUR, "timeslot_end_utc": now + HOUR}
    deferred = orders_in(district, 20, status="DEFERRED", **slot)
    lapsed = orders_in(district, 20, dispatch_at=now, dispatch_round=1)
    ends = {"sent_at": now - HOUR, "delivered_at": now - HOUR, "expires_at": now - timedelta(seconds=1)}
    Offer.objects.bulk_create(
        Offer(order_id=pk, master=m, state="SENT", **ends) for pk, m in zip(lapsed, masters, strict=False)
    )
    lost = orders_in(
        district, 5, district=None, no_district=True, dispatch_at=None, dist_escalated_logist_at=now - HOUR
    )
    everybody_at_once(now)
    # woken after the last batch, or a lapsed offer was still in somebody's hands: the next event serves them
    engine.nudge(now=now + timedelta(seconds=1))
    assert {row[4] for row in outcomes([*fresh, *deferred, *lapsed])} == {1}
    assert Counter(Offer.objects.values_list("state", flat=True)) == {"SENT": 70, "EXPIRED": 20}
    nobody_is_overfull()
    remarks = Counter(OrderStatusHistory.objects.values_list("order_id", "reason"))
    assert remarks == Counter(
        [(pk, "deferred_wakeup") for pk in deferred] + [(pk, "distribution_escalate_admin") for pk in lost]
    )
    told = Counter(Notification.objects.filter(event="offer").values_list("payload__offer_id", flat=True))
    assert set(told.values()) == {1}
    assert len(told) == 90  # 70 new cards, 20 lapsed ones drawn anew


def test_four_processes_are_one_engine():
    district = DistrictFactory()
    MasterFactory.create_batch(12, districts=[district], max_active_orders_override=2)
    orders = orders_in(district, 40)
    with transaction.atomic():
        # nobody begins before all four stand at the engine's door
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [engine.LOCK])
        processes = [_tick_process() for _ in range(4)]
        _all_wait(len(processes))
    printed = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, printed
    assert [row[4] for row in outcomes(orders)] == [1] * 24 + [0] * 16
    nobody_is_overfull()
    said = Counter(line.split()[0] for text in printed for line in text.splitlines() if "decision(s)" in line)
    assert sum(int(number) * times for number, times in said.items()) == 40
    escalated = Counter(OrderStatusHistory.objects.values_list("order_id", flat=True))
    assert set(escalated.values()) == {1}
    assert len(escalated) == 16


def _tick_process() -> subprocess.Popen[str]:
    at = connection.settings_dict
    # the host as a parameter: it may be the folder of a socket
    where = urlencode({name: at[name.upper()] for name in ("host", "port") if at[name.upper()]})
    login = f"{quote(at['USER'])}:{quote(at['PASSWORD'])}".rstrip(":")
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://{login}@/{at['NAME']}?{where}",
        "DJANGO_SETTINGS_MODULE": "fieldservice.settings",
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "dispatch_tick"],
        env=environment, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def _all_wait(count: int, patience: float = 60) -> None:
    """Until `count` others wait for the engine's lock."""
    deadline = time.monotonic() + patience
    waiting = 0
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            (waiting,) = cursor.fetchone()
        if waiting >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"only {waiting} of {count} processes came to the lock")
