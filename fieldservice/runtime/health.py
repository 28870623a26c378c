"""Is the system able to work? `/readyz` for load balancers."""

from __future__ import annotations

import logging

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database and Redis answer, else 503 and which of them does not."""
    found = parts()
    return JsonResponse(
        {name: "ok" if ok else "down" for name, ok in found.items()}, status=200 if all(found.values()) else 503
    )


def parts() -> dict[str, bool]:
    """Which of the servers answer."""
    return {"database": _database(), "redis": _redis()}


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return True
    except DatabaseError:
        log.exception("health_database")
        return False


def _redis() -> bool:
    try:
        cache.get("health")
        return True
    except (RedisError, OSError):
        log.exception("health_redis")
        return False
