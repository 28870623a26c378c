"""PostgreSQL and Redis: there, new enough, filled in, and of one mind about the time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError

from fieldservice import embedded
from fieldservice.runtime import replica
from fieldservice.watch.setup.finding import Finding, mind, ok, wrong

OLDEST_POSTGRES, OLDEST_REDIS = 15, (6, 2)
#: seconds: sessions, deadlines on the screen and one-time codes are off by so much
SKEW = 2.0
#: web 8 threads + worker 2 + both bots 6 each, and somebody who looks
FEWEST_CONNECTIONS = 40
SQL = {
    "version": "SHOW server_version_num",
    "encoding": "SHOW server_encoding",
    "connections": "SHOW max_connections",
    "time": "SELECT extract(epoch FROM clock_timestamp())::float8",
}
STAFF = "SELECT count(*) FROM staff_users WHERE role = 'GLOBAL_ADMIN' AND is_active"


def database() -> Iterator[Finding]:
    """The database itself. Nothing more is asked when it cannot be reached."""
    if "postgres" in embedded.needed():
        yield mind(
            "DATABASE_URL", "not set: the embedded server, for demo only. Set it to postgres://user:password@host/name."
        )
    try:
        facts = {name: _value(sql) for name, sql in SQL.items()}
    except DatabaseError as error:
        yield wrong(
            "PostgreSQL",
            f"cannot be reached ({_first_line(error)}). Start it, or mend DATABASE_URL.",
        )
        return
    version = int(facts["version"]) // 10000
    if version < OLDEST_POSTGRES:
        yield wrong("PostgreSQL", f"is version {version}: move to {OLDEST_POSTGRES} or newer.")
    else:
        yield ok("PostgreSQL", f"version {version} answers.")
    if facts["encoding"] != "UTF8":
        yield wrong(
            "PostgreSQL",
            f"keeps text as {facts['encoding']}: make the database with ENCODING 'UTF8' and restore into it.",
        )
    if int(facts["connections"]) < FEWEST_CONNECTIONS:
        yield mind("PostgreSQL", f"allows {facts['connections']} connections: set max_connections to 100.")
    yield _skew("PostgreSQL", float(facts["time"]))
    yield from _contents()


def _contents() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _back in missing[:3])
        more = " …" if len(missing) > 3 else ""
        yield wrong("migrations", f"{len(missing)} not applied ({names}{more}): run `manage.py migrate`.")
        return
    yield ok("migrations", "all applied.")
    if not _value("SELECT count(*) FROM cities"):
        yield wrong("cities", "there are none: run `manage.py seed_geo`.")
    if not (settings.GLOBAL_ADMINS_TG_IDS or _value(STAFF)):
        yield wrong(
            "GLOBAL_ADMINS_TG_IDS",
            "not set, and there is no active global admin: nobody can let anybody in. Set it to your Telegram id, "
            "or run `manage.py createsuperuser`.",
        )
    else:
        yield ok("global admins", "there is one.")


def replica_for_exports() -> Iterator[Finding]:
    """REPLICA_DATABASE_URL, where it is set."""
    if not replica.is_set():
        return
    try:
        replica.catch_up(patience=5)
    except replica.NotUsable as trouble:
        yield mind(
            "REPLICA_DATABASE_URL",
            f"is not used: {trouble}. Exports come from the main server; mend it, or leave it empty.",
        )
    else:
        yield ok("REPLICA_DATABASE_URL", "has all that the main server has.")


def queue() -> Iterator[Finding]:
    """Redis: Celery's queue, dialogs of the bots, the cache."""
    if "redis" in embedded.needed():
        yield mind("REDIS_URL", "not set: the embedded server, for demo only. Set it to redis://host:6379/0.")
    try:
        with redis.Redis.from_url(settings.REDIS_FSM_URL, **settings.REDIS_TIMEOUTS) as client:
            info: dict[str, Any] = client.info()
            seconds = client.time()[0]
    except (RedisError, OSError) as error:
        yield wrong("Redis", f"cannot be reached ({type(error).__name__}). Start it, or mend REDIS_URL.")
        return
    version = tuple(int(part) for part in str(info["redis_version"]).split(".")[:2])
    if version < OLDEST_REDIS:
        yield wrong("Redis", f"is version {info['redis_version']}: move to 6.2 or newer.")
    else:
        yield ok("Redis", f"version {info['redis_version']} answers.")
    if info.get("maxmemory") and info.get("maxmemory_policy") != "noeviction":
        policy = info["maxmemory_policy"]
        yield mind(
            "Redis", f"throws data away when it is full ({policy}), dialogs too: set maxmemory-policy noeviction."
        )
    yield _skew("Redis", float(seconds))


def _skew(where: str, theirs: float) -> Finding:
    # Redis tells whole seconds, and the answer has taken its time
    off = abs(time.time() - theirs)
    if off > SKEW:
        return wrong(
            "clock", f"this machine and {where} differ by {off:.0f} s: let both follow NTP (timedatectl set-ntp true)."
        )
    return ok("clock", f"agrees with {where}.")


def _value(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def _first_line(error: Exception) -> str:
    """The server's words without the rest: the address in them holds no password."""
    return str(error).strip().partition("\n")[0][:200]
