"""Wake-ups go to the broker after the commit, and never fail the work that wanted them."""

from __future__ import annotations

import json
from random import randrange

import pytest
import redis
from celery import current_app
from django.db import transaction

from fieldservice.runtime import wake


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


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_is_logged_and_forgotten(monkeypatch, caplog):
    monkeypatch.setattr(current_app.conf, "broker_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(current_app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    current_app.pool.force_close_all()
    current_app.amqp.__dict__.pop("producer_pool", None)
    try:
        with transaction.atomic():
            wake.dispatch()
    finally:
        monkeypatch.undo()
        current_app.pool.force_close_all()
        current_app.amqp.__dict__.pop("producer_pool", None)
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == ["wake_failed"]
