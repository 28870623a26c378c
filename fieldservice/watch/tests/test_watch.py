"""Every alert is seen to fire, once, and to be called off."""

from __future__ import annotations

import shutil
from collections import namedtuple
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisAway

from fieldservice import embedded
from fieldservice.outbox.models import Lane, Notification
from fieldservice.runtime import heartbeats
from fieldservice.runtime.models import Heartbeat, Setting
from fieldservice.tests.racing import racers
from fieldservice.watch import checks, jobs
from fieldservice.watch.look import look
from finance.models import Commission
from finance.services.commissions import mark_overdue
from finance.tests.factories import CommissionFactory
from orders.tests.factories import OrderFactory

ALERTS = -100500
MINUTE = timedelta(minutes=1)


class Clock:
    """A running system on a clock of the test: every minute all that should give a sign of life does."""

    def __init__(self) -> None:
        Setting.objects.create(key="alerts_channel_id", value=str(ALERTS))
        self.now = timezone.now()
        self.silent: set[str] = set()
        self.run(2)

    def run(self, minutes: int) -> None:
        """So many minutes, a look at each."""
        for _ in range(minutes):
            self.now += MINUTE
            for name in {"master_bot", "admin_bot", "backup", *jobs.missed_after()} - self.silent:
                heartbeats.beat(name, now=self.now)
            look(now=self.now)
            Notification.objects.filter(event="alert").update(processed_at=self.now)  # the bots deliver at once

    @property
    def said(self) -> list[str]:
        """What ALERTS heard, in order."""
        rows = Notification.objects.filter(event="alert", chat_id=ALERTS).order_by("id")
        return [("✅ " if row.payload["good"] else "") + row.payload["text"] for row in rows]


@pytest.fixture
def clock(db, settings, monkeypatch):
    settings.LANGUAGE_CODE = "en"
    monkeypatch.setattr(embedded, "needed", set)  # as in production
    return Clock()


def test_all_is_well(clock):
    clock.run(5)
    assert clock.said == []


@pytest.mark.parametrize(("name", "via"), [("master_bot", "admin"), ("admin_bot", "master")])
def test_a_silent_bot_is_told_by_the_other_one(clock, name, via):
    clock.silent = {name}
    clock.run(3)
    assert clock.said == []
    clock.run(10)
    sentence = f"No sign of life from {name} for three minutes."
    assert clock.said == [sentence]
    clock.silent = set()
    clock.run(2)
    assert clock.said == [sentence, f"✅ Over: {sentence}"]
    assert {row.bot for row in Notification.objects.all()} == {via}


def test_a_stopped_worker_or_beat_is_one_alert(clock):
    clock.silent = set(jobs.missed_after())
    clock.run(10)
    assert clock.said == ["No periodic job runs: the worker or the beat has stopped."]


def test_one_job_that_fails(clock):
    clock.silent = {"job:finance.mark_overdue"}
    clock.run(7)
    assert clock.said == ["The job finance.mark_overdue has not ended well for too long."]


def test_a_new_job_is_not_late_before_its_first_turn(clock):
    """The system has run for days; a release brought a nightly job."""
    Heartbeat.objects.filter(name="job:finance.check_ledger").delete()
    Heartbeat.objects.filter(name="watch").update(
        details={"since": (clock.now - timedelta(days=3)).isoformat(), "open": {}}
    )
    clock.silent = {"job:finance.check_ledger"}
    clock.run(3)
    assert clock.said == []
    row = Heartbeat.objects.get(name="watch")
    row.details["expected"]["job:finance.check_ledger"] = (clock.now - timedelta(hours=26)).isoformat()
    row.save()
    clock.run(1)
    assert clock.said == ["The job finance.check_ledger has not ended well for too long."]
    clock.silent = set()
    clock.run(1)
    assert "job:finance.check_ledger" not in Heartbeat.objects.get(name="watch").details["expected"]


def test_dispatch_that_is_behind(clock):
    order = OrderFactory(dispatch_at=clock.now, search_started_at=clock.now)
    clock.run(2)
    assert clock.said == []
    clock.run(2)
    assert clock.said == ["Dispatch is behind; orders that are due: 1."]
    order.dispatch_at = clock.now + timedelta(hours=1)
    order.save()
    clock.run(1)
    assert clock.said[1:] == ["✅ Over: Dispatch is behind; orders that are due: 1."]


def test_commissions_that_nobody_marks(clock, settings):
    settings.OVERDUE_WATCHDOG_MIN = 5
    commission = CommissionFactory(deadline_at=clock.now)
    clock.run(5)
    assert clock.said == []
    clock.run(2)
    sentence = "Commissions past their deadline that nobody marks: 1."
    assert clock.said == [sentence]
    mark_overdue(now=clock.now)
    Notification.objects.exclude(event="alert").update(processed_at=clock.now)  # the bots tell master and admins
    clock.run(1)
    assert clock.said == [sentence, f"✅ Over: {sentence}"]
    assert Commission.objects.get(pk=commission.pk).status == "OVERDUE"


def test_orders_without_a_master(clock):
    OrderFactory.create_batch(2, dispatch_at=None, search_started_at=clock.now)
    clock.run(9)
    assert clock.said == []
    clock.run(5)
    assert clock.said == ["Orders without a master for ten minutes: 2."]


@pytest.mark.parametrize(("lane", "minutes"), [(Lane.OFFER, 1), (Lane.PERSONAL, 6), (Lane.CHANNEL, 16)])
def test_messages_that_wait(clock, lane, minutes):
    Notification.objects.create(event="x", bot="admin", chat_id=1, lane=lane, due_at=clock.now)
    clock.run(minutes - 1)
    assert clock.said == []
    clock.run(1)
    (sentence,) = clock.said
    assert sentence.startswith("Messages wait too long: 1 of the admin bot")
    assert Notification.objects.get(event="alert").bot == "master"


def test_a_message_that_is_no_longer_wanted_is_not_missed(clock):
    stale = {"due_at": clock.now, "expires_at": clock.now + MINUTE}
    Notification.objects.create(event="x", bot="admin", chat_id=1, lane=Lane.OFFER, **stale)
    clock.run(3)
    assert clock.said == []


def test_messages_that_fail_again_and_again(clock):
    Notification.objects.create(
        event="x", bot="master", chat_id=1, attempt_count=5, due_at=clock.now + timedelta(hours=1)
    )
    clock.run(1)
    assert clock.said == ["Messages of the master bot that fail again and again: 1."]


def test_a_missing_backup(clock):
    clock.silent = {"backup"}
    Heartbeat.objects.filter(name="watch").update(details={"since": str(clock.now - timedelta(days=2)), "open": {}})
    Heartbeat.objects.filter(name="backup").update(beat_at=clock.now - timedelta(hours=26, minutes=-2))
    clock.run(1)
    assert clock.said == []
    clock.run(2)
    assert clock.said == ["There has been no backup for 26 hours."]


def test_a_full_disk(clock, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100 * 2**30, 95 * 2**30, 5 * 2**30))
    clock.run(2)
    assert clock.said
    assert all(sentence.endswith("is nearly full: 5.0 GB left.") for sentence in clock.said)


def test_redis_away(clock, monkeypatch):
    def away(*arguments):
        raise RedisAway

    monkeypatch.setattr(type(cache._connections[cache._alias]), "get", away)
    clock.run(2)
    assert clock.said == ["Redis cannot be reached."]


def test_a_system_that_was_stopped_for_the_night_is_not_reproached(clock):
    """Signs of life are hours old at the first look, and everybody is just starting."""
    clock.now += timedelta(hours=9)
    look(now=clock.now)
    clock.silent = {"master_bot", *jobs.missed_after()}
    clock.run(3)
    assert clock.said == []
    clock.run(1)
    assert clock.said == ["No sign of life from master_bot for three minutes."]


def test_a_check_that_fails_hides_no_other_and_ends_no_trouble(clock, monkeypatch):
    clock.silent = {"master_bot"}
    clock.run(5)

    def broken(moment):
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")
        yield

    monkeypatch.setattr(checks, "CHECKS", (broken, checks.unassigned))
    OrderFactory(dispatch_at=None, search_started_at=clock.now - timedelta(hours=1))
    clock.run(1)
    assert clock.said[1:] == ["Orders without a master for ten minutes: 1."]


@pytest.mark.django_db(transaction=True)
def test_watchers_at_the_same_moment_tell_it_once():
    Setting.objects.create(key="alerts_channel_id", value=str(ALERTS))
    OrderFactory(dispatch_at=None, search_started_at=timezone.now() - timedelta(hours=1))
    with racers(4) as crew:
        crew.run(*[lambda: look(now=timezone.now())] * 4)
    assert Notification.objects.filter(event="alert").count() == 1


@pytest.mark.django_db
def test_a_job_that_ends_well_leaves_a_sign(monkeypatch):
    from orders import tasks

    monkeypatch.setattr(jobs, "_written", {})
    tasks.prune_decision_log.apply()
    assert Heartbeat.objects.filter(name="job:orders.prune_decision_log").exists()


def test_every_sign_of_life_fits_the_column():
    assert all(len(name) < 64 for name in jobs.missed_after())
