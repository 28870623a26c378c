"""What is told about time: deadlines that come near, reports nobody looks at."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from fieldservice.runtime import registry
from finance.enums import CommissionStatus as S
from finance.models import Commission
from finance.services import notices

log = logging.getLogger(__name__)


def remind(*, now: datetime, limit: int = 500) -> int:
    """Masters whose deadline is near, once for each offset (60 and 15 min). Returns how many were told.

    One message even when both offsets have passed (the job was away); none about an offset longer than the term.
    """
    offsets = _offsets()
    if not offsets:
        return 0
    last = Coalesce("reminded_at", "created_at")
    near = Commission.objects.annotate(last=last).filter(status=S.WAIT_PAY, deadline_at__gt=now)
    due = Q.create(
        [
            Q(deadline_at__lte=now + timedelta(minutes=minutes), last__lt=F("deadline_at") - timedelta(minutes=minutes))
            for minutes in offsets
        ],
        connector=Q.OR,
    )
    ids = list(near.filter(due).order_by("deadline_at").values_list("pk", flat=True)[:limit])
    return _each(ids, lambda pk: _remind_one(pk, offsets, now))


def alert_waiting_reports(*, now: datetime, limit: int = 500) -> int:
    """Reports that wait longer than the setting: the admins are told once. Returns how many."""
    since = now - timedelta(minutes=registry.get("commission_report_alert_min"))
    waiting = Commission.objects.filter(
        is_paid=False, report_alerted_at__isnull=True, paid_reported_at__lte=since, status__in=S.UNPAID
    )
    return _each(
        list(waiting.order_by("paid_reported_at").values_list("pk", flat=True)[:limit]),
        lambda pk: _alert_one(pk, since, now),
    )


def _offsets() -> list[int]:
    """Minutes before the deadline, shortest first; 0 switches one off."""
    values = registry.read(["commission_reminder_first_min", "commission_reminder_last_min"])
    return sorted({minutes for minutes in values.values() if minutes})


def _is_due(commission: Commission, offsets: list[int], now: datetime) -> bool:
    moments = (commission.deadline_at - timedelta(minutes=minutes) for minutes in offsets)
    latest = max((moment for moment in moments if moment <= now), default=None)
    # a row without a reminder counts from its creation: an offset longer than the whole term is no news
    return latest is not None and (commission.reminded_at or commission.created_at) < latest


@transaction.atomic
def _remind_one(commission_id: int, offsets: list[int], now: datetime) -> bool:
    commission = _lock(commission_id)
    if commission.status != S.WAIT_PAY or commission.deadline_at <= now or not _is_due(commission, offsets, now):
        return False
    commission.reminded_at = now
    commission.save(update_fields=["reminded_at"])
    notices.tell_master(commission, "commission_reminder", expires=commission.deadline_at)
    return True


@transaction.atomic
def _alert_one(commission_id: int, since: datetime, now: datetime) -> bool:
    commission = _lock(commission_id)
    reported = commission.paid_reported_at
    if commission.is_paid or reported is None or reported > since or commission.report_alerted_at:
        return False
    commission.report_alerted_at = now
    commission.save(update_fields=["report_alerted_at"])
    notices.tell_admins(commission, "commission_report_waits", f"waits:{int(reported.timestamp())}", channel=True)
    return True


def _lock(commission_id: int) -> Commission:
    # the commission alone: nothing of its order or master is written
    return Commission.objects.select_for_update(no_key=True, of=("self",)).select_related("order").get(pk=commission_id)


def _each(ids: list[int], work: Callable[[int], bool]) -> int:
    done = 0
    for pk in ids:
        try:
            done += work(pk)
        except Exception:  # one bad row must not silence the others
            log.exception("reminder_failed", extra={"commission": pk})
    return done
