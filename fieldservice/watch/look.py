"""The watch: what is wrong now, compared with what was told already (spec §12).

A task of the beat and the admin bot both look every minute, so that neither can stop unseen; whoever comes second finds
nothing new.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from fieldservice.outbox.models import BotName
from fieldservice.runtime.models import Heartbeat
from fieldservice.watch import checks, jobs
from fieldservice.watch.alerts import announce
from fieldservice.watch.checks import Moment, Trouble

log = logging.getLogger(__name__)
NAME = "watch"
#: nobody looked for so long: what was silent meanwhile was perhaps stopped on purpose, with the watch itself
AWAY = timedelta(minutes=3)


@dataclass(slots=True)
class News:
    """What one look changed."""

    begun: list[Trouble] = field(default_factory=list)
    over: list[str] = field(default_factory=list)


@transaction.atomic
def look(*, now: datetime) -> News:
    """Tell ALERTS of troubles that are new and of those that are over."""
    Heartbeat.objects.get_or_create(name=NAME, defaults={"beat_at": now})
    row = Heartbeat.objects.select_for_update().get(name=NAME)
    since = now if now - row.beat_at > AWAY else _time(row.details.get("since")) or now
    known: dict[str, dict[str, Any]] = row.details.get("open", {})
    with translation.override(settings.LANGUAGE_CODE):
        expected = _expected(row.details, now)
        found, failed = _find(Moment(now, since, expected))
        news = News([t for key, t in found.items() if key not in known], [] if failed else sorted(known.keys() - found))
        _tell(news, known, now)
    still = {key: note for key, note in known.items() if key not in news.over}
    begun = {t.key: {"since": now.isoformat(), "text": t.text, "via": t.via} for t in news.begun}
    first = {name: moment.isoformat() for name, moment in expected.items()}
    row.beat_at, row.details = now, {"since": since.isoformat(), "open": still | begun, "expected": first}
    row.save(update_fields=["beat_at", "details"])
    return news


def expected_since(*, now: datetime) -> dict[str, datetime]:
    """Jobs that have never ended well → the first look that missed them. Empty while nobody has ever looked."""
    row = Heartbeat.objects.filter(name=NAME).first()
    return _expected(row.details, now) if row else {}


def _expected(details: dict[str, Any], now: datetime) -> dict[str, datetime]:
    seen = set(Heartbeat.objects.values_list("name", flat=True))
    known = details.get("expected", {})
    return {name: _time(known.get(name)) or now for name in {*jobs.missed_after(), checks.BACKUP_SIGN} - seen}


def _find(moment: Moment) -> tuple[dict[str, Trouble], bool]:
    """The troubles of now by key; whether a check failed, so that nothing can be said to be over."""
    found: dict[str, Trouble] = {}
    failed = False
    for check in checks.CHECKS:
        try:
            with transaction.atomic():
                found |= {trouble.key: trouble for trouble in check(moment)}
        except Exception:
            log.exception("watch_check_failed", extra={"check": check.__name__})
            failed = True
    return found, failed


def _tell(news: News, known: dict[str, dict[str, Any]], now: datetime) -> None:
    for trouble in news.begun:
        log.warning("trouble_begun", extra={"trouble": trouble.key})
        announce(trouble.text, dedup_key=f"trouble:{trouble.key}:{now.timestamp():.0f}", via=trouble.via)
    for key in news.over:
        log.info("trouble_over", extra={"trouble": key})
        text = _("Over: %(trouble)s") % {"trouble": known[key]["text"]}
        via = BotName(known[key]["via"]) if known[key].get("via") else None
        announce(text, dedup_key=f"over:{key}:{now.timestamp():.0f}", via=via, good=True)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
