"""What can be wrong with a running system: each check reads and returns the troubles of this moment.

In SQL, because these are looks across all parts, and the parts must not know who watches them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from fieldservice import embedded
from fieldservice.outbox.models import BotName, Lane
from fieldservice.runtime import registry, replica
from fieldservice.watch import jobs

BOT_SILENT = timedelta(minutes=3)
#: less than the shortest patience with a single job
JOBS_SILENT = timedelta(minutes=4)
UNASSIGNED = timedelta(minutes=10)
BACKUP = timedelta(hours=26)
BACKUP_SIGN = "backup"
DISK_FULL = 0.9
REPLICA_LATE = timedelta(minutes=1)
LAG = {Lane.OFFER: 30, Lane.PERSONAL: 300, Lane.CHANNEL: 900, Lane.BROADCAST: 7200}
ATTEMPTS = 5

BEATS = "SELECT name, beat_at FROM heartbeats"
DUE = """
SELECT count(*), min(dispatch_at) FROM orders
 WHERE status IN ('SEARCHING', 'GUARANTEE') AND assigned_master_id IS NULL AND dispatch_at IS NOT NULL
   AND dispatch_at <= %(now)s"""
WITHOUT_MASTER = """
SELECT count(*), min(search_started_at) FROM orders
 WHERE status IN ('SEARCHING', 'GUARANTEE') AND assigned_master_id IS NULL AND search_started_at <= %(before)s"""
WAITING = """
SELECT bot, lane, count(*), min(due_at) FROM notifications_outbox
 WHERE processed_at IS NULL AND due_at <= %(now)s AND (expires_at IS NULL OR expires_at > %(now)s) GROUP BY bot, lane"""
UNMARKED = """
SELECT count(*), min(deadline_at) FROM commissions WHERE status = 'WAIT_PAY' AND deadline_at < %(before)s"""
FAILING = """
SELECT bot, count(*) FROM notifications_outbox
 WHERE processed_at IS NULL AND attempt_count >= %(attempts)s GROUP BY bot"""


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, and since when somebody has been looking without a break: what was silent before cannot be blamed."""

    now: datetime
    watching_since: datetime
    #: what has given no sign of life yet → since when one is expected: a new job is not late before its first turn
    expected_since: Mapping[str, datetime] = field(default_factory=dict)

    def silent(self, last: datetime | None) -> timedelta:
        """How long there was no sign of life while somebody looked."""
        return self.now - max(last or self.watching_since, self.watching_since)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something to tell ALERTS once, and once more when it is over. `key` says which trouble it is."""

    key: str
    text: str
    #: the bot that shall tell it
    via: BotName | None = None


def bots(moment: Moment) -> Iterator[Trouble]:
    """A bot that was there and is silent. The master bot tells it of the admin bot, which cannot."""
    beats = dict(query(BEATS))
    for name, via in (("master_bot", None), ("admin_bot", BotName.MASTER)):
        if name in beats and moment.silent(beats[name]) > BOT_SILENT:
            yield Trouble(f"silent:{name}", _("No sign of life from %(name)s for three minutes.") % {"name": name}, via)


def periodic_jobs(moment: Moment) -> Iterator[Trouble]:
    """Jobs that did not run. All of them at once: the worker or the beat is gone."""
    beats = dict(moment.expected_since) | dict(query(BEATS))
    patience = jobs.missed_after()
    missed = sorted(name for name, limit in patience.items() if moment.silent(beats.get(name)) > limit)
    if all(moment.silent(beats.get(name)) > JOBS_SILENT for name in patience):
        yield Trouble("jobs", _("No periodic job runs: the worker or the beat has stopped."))
        return
    for name in missed:
        job = name.removeprefix(jobs.PREFIX)
        yield Trouble(f"job:{job}", _("The job %(name)s has not ended well for too long.") % {"name": job})


def dispatch_queue(moment: Moment) -> Iterator[Trouble]:
    """Orders that are due and that nobody looks at."""
    ((count, oldest),) = query(DUE, now=moment.now)
    limit = timedelta(seconds=max(120, 4 * registry.get("distribution_tick_seconds")))
    if count and moment.silent(oldest) > limit:
        yield Trouble("queue", _("Dispatch is behind; orders that are due: %(count)s.") % {"count": count})


def unassigned(moment: Moment) -> Iterator[Trouble]:
    """Orders that have been searching for long; told anew when the list has been empty."""
    ((count, _oldest),) = query(WITHOUT_MASTER, before=moment.now - UNASSIGNED)
    if count:
        yield Trouble("unassigned", _("Orders without a master for ten minutes: %(count)s.") % {"count": count})


def outbox(moment: Moment) -> Iterator[Trouble]:
    """Messages that wait too long, and those that fail again and again."""
    for bot, lane, count, oldest in query(WAITING, now=moment.now):
        if moment.silent(oldest).total_seconds() > LAG[Lane(lane)]:
            values = {"count": count, "bot": bot, "lane": Lane(lane).label}
            text = _("Messages wait too long: %(count)s of the %(bot)s bot, lane “%(lane)s”.") % values
            yield Trouble(f"outbox:{bot}:{lane}", text, _other(bot))
    for bot, count in query(FAILING, attempts=ATTEMPTS):
        text = _("Messages of the %(bot)s bot that fail again and again: %(count)s.") % {"count": count, "bot": bot}
        yield Trouble(f"failing:{bot}", text, _other(bot))


def backup(moment: Moment) -> Iterator[Trouble]:
    """The newest backup is too old. An embedded server is a demo and needs none."""
    last = dict(query(BEATS)).get(BACKUP_SIGN, moment.expected_since.get(BACKUP_SIGN))
    if "postgres" not in embedded.needed() and moment.silent(last) > BACKUP:
        yield Trouble("backup", _("There has been no backup for 26 hours."))


def disk(moment: Moment) -> Iterator[Trouble]:
    """The disks of the program, the photos and the backups."""
    backups = Path(settings.BASE_DIR) / settings.BACKUP_DIR
    for folder in {Path(settings.BASE_DIR), Path(settings.MEDIA_ROOT), backups}:
        if folder.exists() and (usage := shutil.disk_usage(folder)).used > DISK_FULL * (usage.used + usage.free):
            values = {"name": folder.name, "free": f"{usage.free / 2**30:.1f}"}
            yield Trouble(f"disk:{folder.name}", _("The disk of “%(name)s” is nearly full: %(free)s GB left.") % values)


def redis(moment: Moment) -> Iterator[Trouble]:
    """Without Redis no tick runs, and the bots cannot hold a dialog."""
    try:
        cache.get("watch")
    except (RedisError, OSError):
        yield Trouble("redis", _("Redis cannot be reached."))


def overdue(moment: Moment) -> Iterator[Trouble]:
    """Commissions that should have become overdue long ago: the job fails, or fails for these."""
    patience = timedelta(minutes=settings.OVERDUE_WATCHDOG_MIN)
    ((count, oldest),) = query(UNMARKED, before=moment.now - patience)
    if count and moment.silent(oldest) > patience:
        yield Trouble("overdue", _("Commissions past their deadline that nobody marks: %(count)s.") % {"count": count})


def replica_behind(moment: Moment) -> Iterator[Trouble]:
    """Where there is a replica for exports: it answers, and is not far behind. A moment behind is normal."""
    if not replica.is_set():
        return
    try:
        replica.catch_up(patience=1)
    except replica.NotUsable as trouble:
        if trouble.behind is None or trouble.behind > REPLICA_LATE:
            text = _("The replica is not used: %(reason)s. Exports come from the main server.")
            yield Trouble("replica", text % {"reason": trouble})


CHECKS: tuple[Callable[[Moment], Iterator[Trouble]], ...] = (
    bots, periodic_jobs, dispatch_queue, unassigned, overdue, outbox, backup, disk, redis, replica_behind,
)  # fmt: skip


def query(sql: str, **params: Any) -> list[tuple[Any, ...]]:
    """The rows of one look."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def _other(bot: str) -> BotName:
    return BotName.ADMIN if bot == BotName.MASTER else BotName.MASTER
