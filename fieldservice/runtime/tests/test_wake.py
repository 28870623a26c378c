"""Wake-ups go to the broker after the commit, and never fail the work that wanted them."""

from __future__ import annotations

import json
import socket
import time
from datetime import UTC, datetime, timedelta
from random import randrange

import pytest
import redis
from celery import current_app
from django.core.cache import caches
from django.db import connection, transaction

from fieldservice.runtime import wake
from fieldservice.runtime.beat import SettingInterval
from fieldservice.runtime.models import Setting


@pytest.fixture
def sent(settings):
    """Whether a nudge for a city lies in the broker's queue, which other tests fill at the same time."""
    url = settings.CELERY_BROKER_URL.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    client = redis.Redis.from_url(url)

    def is_there(city_id: int) -> bool:
        headers = [json.loads(raw)["headers"] for raw in client.lrange("celery", 0, -1)]
        wanted = ("orders.tasks.nudge", f"{{'city_id': {city_id}}}")
        return wanted in [(header["task"], header["kwargsrepr"]) for header in headers]

    yield is_there
    client.close()


@pytest.mark.django_db(transaction=True)
def test_a_task_is_sent_after_the_commit_only(sent):
    number = randrange(10**9)
    with transaction.atomic():
        wake.dispatch(city_id=number)
        assert not sent(number)
    assert sent(number)


@pytest.mark.django_db(transaction=True)
def test_a_rollback_wakes_nobody(sent):
    number = randrange(10**9)
    with transaction.atomic():
        wake.dispatch(city_id=number)
        transaction.set_rollback(True)
    assert not sent(number)


@pytest.fixture
def broker(monkeypatch):
    """Have wake-ups go to another address."""

    def use(url: str) -> None:
        monkeypatch.setattr(current_app.conf, "broker_url", url)
        monkeypatch.setattr(current_app.conf, "broker_write_url", url)

    return use


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_is_logged_and_forgotten_at_once(broker, caplog):
    broker("redis://127.0.0.1:1/0")
    began = time.monotonic()
    with transaction.atomic():
        wake.dispatch()
    # somebody waits for the page that created the order; kombu's own patience is six seconds
    assert time.monotonic() - began < 2
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == ["wake_failed"]


@pytest.fixture
def dumb_server():
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_never_answers_does_not_hold_up_the_caller(broker, dumb_server, settings, caplog):
    settings.WAKE_TRANSPORT_OPTIONS = settings.WAKE_TRANSPORT_OPTIONS | {"socket_timeout": 0.2}
    broker(dumb_server)
    began = time.monotonic()
    wake.dispatch()
    assert time.monotonic() - began < 3
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == ["wake_failed"]


def test_every_client_of_redis_has_a_timeout(settings):
    cache = caches["default"]._cache.get_client().connection_pool.connection_kwargs
    for kwargs in (cache, settings.WAKE_TRANSPORT_OPTIONS):
        assert 0 < kwargs["socket_timeout"] <= 5
        assert 0 < kwargs["socket_connect_timeout"] <= 5


@pytest.mark.django_db(transaction=True)
def test_the_beat_gets_over_a_connection_that_was_cut():
    interval = SettingInterval("distribution_sla_seconds")
    connection.ensure_connection()
    connection.connection.close()
    interval.is_due(datetime.now(UTC))
    Setting.objects.update_or_create(key="distribution_sla_seconds", defaults={"value": "77", "value_type": "INT"})
    interval.is_due(datetime.now(UTC))
    assert interval.run_every == timedelta(seconds=77)
