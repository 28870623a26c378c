"""The bridge to the sync services."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from django.db import connection
from django.utils import translation

from bots import db
from bots.db import THREADS, in_db, workers


def run(job: Any) -> Any:
    with workers():
        return asyncio.run(job())


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def test_the_language_goes_with_the_job() -> None:
    async def job() -> list[str]:
        found = []
        for code in ("en", "ru"):
            with translation.override(code):
                found.append(await in_db(translation.get_language))
        return found

    assert run(job) == ["en", "ru"]


def test_slow_jobs_run_side_by_side() -> None:
    async def job() -> float:
        start = time.monotonic()
        await asyncio.gather(*(in_db(time.sleep, 0.1) for _ in range(THREADS)))
        return time.monotonic() - start

    assert run(job) < 0.1 * THREADS * 0.8


@pytest.mark.django_db(transaction=True)
def test_a_cut_connection_costs_at_most_the_job_it_served() -> None:
    def kill(pid: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        connection.close()

    async def job() -> int:
        pids = {await in_db(backend) for _ in range(3)}
        for pid in pids:
            await asyncio.to_thread(kill, pid)
        return await in_db(backend)

    assert run(job) > 0
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_only_a_connection_that_has_said_something_is_asked_whether_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "THREADS", 1)  # every job has the same connection

    def is_asked() -> bool:
        asked = not connection.health_check_done
        backend()
        return asked

    def listen() -> None:
        with connection.cursor() as cursor:
            cursor.execute("LISTEN bots_test_db")

    def notify() -> None:
        with connection.cursor() as cursor:
            cursor.execute("NOTIFY bots_test_db")
        connection.close()

    async def job() -> list[bool]:
        await in_db(listen)
        found = [await in_db(is_asked)]
        await asyncio.to_thread(notify)
        await asyncio.sleep(0.2)
        return [*found, await in_db(is_asked), await in_db(is_asked)]

    assert run(job) == [False, True, False]


@pytest.mark.django_db(transaction=True)
def test_threads_and_connections_end_with_the_block() -> None:
    pids: set[int] = set()

    async def job() -> None:
        pids.update(await asyncio.gather(*(in_db(backend) for _ in range(20))))

    run(job)
    with connection.cursor() as cursor:
        for _ in range(100):
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [list(pids)])
            if cursor.fetchone()[0] == 0:
                break
            time.sleep(0.02)  # a backend needs a moment to end
        else:
            pytest.fail("connections were left open")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("bots-db")]


def test_outside_a_block_it_says_so() -> None:
    with pytest.raises(RuntimeError, match="workers"):
        asyncio.run(in_db(time.time))
