"""Start and stop: the work behind the functions of the package. POSIX only."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fieldservice.embedded.errors import EmbeddedError
from fieldservice.embedded.locations import SERVICES, VARIABLES
from fieldservice.embedded.postgres import Postgres
from fieldservice.embedded.redis import Redis
from fieldservice.embedded.server import Server

SERVERS: dict[str, Callable[[], Server]] = {"postgres": Postgres, "redis": Redis}


def start(services: Iterable[str]) -> list[str]:
    """See the package."""
    started: list[str] = []
    try:
        for service in _ordered(services):
            if _told(service, SERVERS[service]().start):
                started.append(service)
    except BaseException:  # also Ctrl-C: nothing stays behind
        stop(started)
        raise
    return started


def stop(services: Iterable[str]) -> list[str]:
    """See the package."""
    return [service for service in _ordered(services) if _told(service, SERVERS[service]().stop)]


def running(service: str) -> bool:
    """See the package."""
    return SERVERS[service]().ready()


def _ordered(services: Iterable[str]) -> list[str]:
    wanted = set(services)
    unknown = wanted - set(SERVICES)
    if unknown:
        raise EmbeddedError(f"There is no embedded {', '.join(sorted(unknown))}: choose from {' and '.join(SERVICES)}.")
    return [service for service in SERVICES if service in wanted]


def _told(service: str, action: Callable[[], bool]) -> bool:
    """Run `action`; what the operating system refuses becomes a sentence."""
    try:
        return action()
    except OSError as error:
        where = error.filename or error.filename2 or "a server's process"
        raise EmbeddedError(
            f"The embedded {service} is out of reach: {error.strerror or error} ({where}). Run as the user who owns "
            "that, set FIELDSERVICE_EMBEDDED_HOME to a folder of your own, "
            f"or set {VARIABLES[service]} to a real server."
        ) from error
