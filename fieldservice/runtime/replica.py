"""The PostgreSQL that exports are read from, where there is one of its own (REPLICA_DATABASE_URL).

A streaming stand-by holds what the main server had committed a moment ago. An export must hold what was committed when
it was begun, so the stand-by is asked for only when it has come that far; if it does not, the main server serves.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS, connections
from django.db import Error as DatabaseError
from django.utils.translation import gettext as _

log = logging.getLogger(__name__)
ALIAS = "replica"
#: seconds an export waits for the stand-by to catch up, and between two looks
PATIENCE, LOOK = 10.0, 0.1
#: which cluster and which of its databases: places in the log of another one mean nothing
WHO = "system_identifier || '/' || current_database() FROM pg_control_system()"
HERE = f"SELECT pg_current_wal_lsn()::text, {WHO}"
# one that was started and never fed again knows of no transaction: it is late since its start
THERE = f"""
SELECT pg_is_in_recovery(), coalesce(pg_last_wal_replay_lsn() >= %s::pg_lsn, false),
       now() - coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time()), {WHO}"""


class NotUsable(Exception):
    """Nothing can be read from the replica now; says why, to a person. `behind`: it is only late, by so much."""

    def __init__(self, reason: str, behind: timedelta | None = None) -> None:
        super().__init__(reason)
        self.behind = behind


def is_set() -> bool:
    """Whether this installation has one."""
    return ALIAS in connections


def sources() -> list[str]:
    """Where to read a long list from, in this order: the next one when one breaks off."""
    if not is_set():
        return [DEFAULT_DB_ALIAS]
    try:
        catch_up(patience=PATIENCE)
    except NotUsable as trouble:
        log.warning("replica_not_used", extra={"reason": str(trouble)})
        return [DEFAULT_DB_ALIAS]
    return [ALIAS, DEFAULT_DB_ALIAS]


def catch_up(*, patience: float) -> None:
    """Wait until the replica holds what is committed now, for at most so many seconds. Raises NotUsable."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(HERE)
        wanted, who = cursor.fetchone()
    limit = time.monotonic() + patience
    while (behind := _behind(wanted, who)) is not None:
        if time.monotonic() > limit:
            raise NotUsable(_("it has not caught up with the main server"), behind)
        time.sleep(LOOK)


def _behind(wanted: str, main: str) -> timedelta | None:
    """How old the replica's picture is; None when it holds everything of `main` up to the place `wanted`."""
    try:
        with connections[ALIAS].cursor() as cursor:
            cursor.execute(THERE, [wanted])
            standby, there, age, who = cursor.fetchone()
    except DatabaseError:
        connections[ALIAS].close()
        raise NotUsable(_("it does not answer")) from None
    if not standby or who != main:
        raise NotUsable(_("it is no stand-by of the main server"))
    behind: timedelta = age
    return None if there else behind
