"""An installation for each test, and this process's Django pointed at it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from fieldservice import embedded
from fieldservice.celery import app
from fieldservice.embedded import locations
from fieldservice.tests.chaos.processes import Installation, answers, until

PROCESSES = ("worker", "beat", "master_bot", "admin_bot")
HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """These take minutes and two processors: only where `-m slow` asks for them."""
    if "slow" in (config.option.markexpr or ""):
        return
    mine = [item for item in items if HERE in Path(item.path).parents]
    config.hook.pytest_deselected(items=mine)
    items[:] = [item for item in items if item not in mine]


@pytest.fixture
def install(django_db_blocker: Any) -> Iterator[Callable[..., Installation]]:
    """install(SETTING="…"): a migrated installation with a sandbox; this process works in its database.

    `kind`: another class of installation.
    """
    with ExitStack() as stack:

        def make(kind: type[Installation] = Installation, **settings: str) -> Installation:
            home = embedded.home().with_name(embedded.home().name + "-chaos")
            made = stack.enter_context(kind(home, port=free_port(), settings=settings))
            stack.enter_context(django_db_blocker.unblock())
            with made.addresses():
                database, broker = embedded.database(), locations.celery_url(0)
            recreate(database)
            made.flush_redis()
            made.run(sys.executable, "manage.py", "migrate", "--verbosity", "0")
            stack.enter_context(pointed(database, broker))
            made.start("sandbox")
            until(lambda: answers(made.url), 30, "no sandbox")
            return made

        yield make


@pytest.fixture
def site(install: Callable[..., Installation]) -> Installation:
    """Everything runs."""
    made = install()
    made.start(*PROCESSES)
    made.up()
    return made


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def recreate(database: dict[str, Any]) -> None:
    """A fresh, empty database."""
    with psycopg.connect(host=database["HOST"], user=database["USER"], dbname="postgres", autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {database['NAME']} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {database['NAME']}")


class pointed:
    """Django's connections and Celery's broker of this process lead to the installation."""

    def __init__(self, database: dict[str, Any], broker: str) -> None:
        self.database, self.broker = database, broker
        self.settings: dict[str, Any] = connections.settings["default"]

    def __enter__(self) -> None:
        connections.close_all()
        self.before = dict(self.settings)
        self.settings.update(self.database)
        self.broker_before = os.environ.get("CELERY_BROKER_URL")
        os.environ["CELERY_BROKER_URL"] = self.broker  # Celery reads it at every access
        self._forget()

    def __exit__(self, *args: object) -> None:
        connections.close_all()
        self.settings.update(self.before)
        os.environ.pop("CELERY_BROKER_URL")
        if self.broker_before is not None:
            os.environ["CELERY_BROKER_URL"] = self.broker_before
        self._forget()

    def _forget(self) -> None:
        """Celery keeps connections to the old broker."""
        app._pool = None
        app.amqp._producer_pool = None
