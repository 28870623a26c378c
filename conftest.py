"""Fixtures for every test: real PostgreSQL and Redis, started once for the run and stopped by whoever started them."""

from __future__ import annotations

import os
from collections.abc import Iterator

os.environ.setdefault("FIELDSERVICE_EMBEDDED_HOME", os.path.join(os.path.dirname(__file__), ".embedded-test"))
os.environ.setdefault("FIELDSERVICE_EMBEDDED_FAST", "1")

import pytest
from django.conf import settings
from django.utils import translation
from redis import Redis

from fieldservice import embedded

_started: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    """Start the embedded servers, unless TEST_DATABASE_URL / TEST_REDIS_URL name real ones."""
    if hasattr(config, "workerinput"):  # a worker of pytest-xdist: the main process has started them
        settings.CACHES["default"]["KEY_PREFIX"] = config.workerinput["workerid"]
        return
    wanted = {
        service
        for service, name in (("postgres", "TEST_DATABASE_URL"), ("redis", "TEST_REDIS_URL"))
        if not os.environ.get(name)
    }
    _started.extend(embedded.start(wanted))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what this run started."""
    if not hasattr(config, "workerinput") and _started:
        embedded.stop(_started)


@pytest.fixture(autouse=True)
def _clean_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test sees another's cached values or language (a request leaves its own active in the thread)."""
    yield
    translation.deactivate()
    if "django_db_setup" in request.fixturenames:
        _forget_cached()


def _forget_cached() -> None:
    """Empty the cache, of this process only: a worker that empties another's makes it forget what it counts."""
    from django.core.cache import cache

    if not (prefix := settings.CACHES["default"].get("KEY_PREFIX")):
        cache.clear()
        return
    redis = Redis.from_url(settings.CACHES["default"]["LOCATION"])
    if keys := list(redis.scan_iter(match=f"{prefix}:*", count=1000)):
        redis.delete(*keys)
    redis.close()
