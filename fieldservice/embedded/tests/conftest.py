"""Real servers, each test in a home of its own. The clients are psycopg and redis-py, never Django."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from fieldservice import embedded
from fieldservice.embedded import locations, locks
from fieldservice.embedded.postgres import Postgres
from fieldservice.embedded.redis import Redis

Command = Callable[..., subprocess.Popen[str]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A new home; its servers are stopped and its socket folder is removed at the end."""
    folder = tmp_path / "home"
    monkeypatch.setenv("FIELDSERVICE_EMBEDDED_HOME", str(folder))
    monkeypatch.setenv("FIELDSERVICE_EMBEDDED_FAST", "1")
    # pytest reuses its folder names: a run that was killed may have left this one, with another owner
    shutil.rmtree(locations.socket_dir(), ignore_errors=True)
    yield folder
    used = {folder, locations.home()}
    for path in used:
        monkeypatch.setenv("FIELDSERVICE_EMBEDDED_HOME", str(path))
        embedded.stop()
        if locations.socket_dir().exists():
            locations.socket_dir().rmdir()


@pytest.fixture
def run() -> Command:
    """Start `python -m fieldservice.embedded …` in a process of its own."""

    def start(
        *arguments: str, python: tuple[str, ...] = (sys.executable,), **environment: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*python, "-m", "fieldservice.embedded", *arguments],
            cwd=locations.PROJECT,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def ask(query: str) -> list[tuple[object, ...]]:
    """The rows of a query in the embedded database."""
    entry = embedded.database()
    with psycopg.connect(dbname=entry["NAME"], user=entry["USER"], host=entry["HOST"], autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def client() -> redis.Redis:
    """A client of the embedded Redis."""
    return redis.Redis.from_url(embedded.redis_url(0))


def kill(server: Postgres | Redis) -> None:
    """Kill the server as the machine's out-of-memory killer would, and wait until it has really gone."""
    pid = server.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while locks.held(server.alive):
        time.sleep(0.01)
