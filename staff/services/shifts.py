"""A master's shift: on, off, break, return. THE writer of `Master.shift_status` (with moderation, which ends it)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from fieldservice.runtime import wake
from staff.enums import ShiftStatus
from staff.models import Master, ShiftChange
from staff.scope import require_city
from staff.selectors import block_reason

BREAKS = (15, 60, 120)
REMINDER = timedelta(minutes=10)
#: how long changes of shifts are kept
KEPT = timedelta(days=90)


@transaction.atomic
def start(*, master_id: int, actor: Actor, now: datetime | None = None) -> Master:
    """Begin the shift. Raises ConflictError with the reason when the master may not work."""
    return _begin(_lock(master_id, actor))


@transaction.atomic
def resume(*, master_id: int, actor: Actor, now: datetime | None = None) -> Master:
    """Return from a break."""
    return _begin(_lock(master_id, actor))


@transaction.atomic
def stop(*, master_id: int, actor: Actor, now: datetime | None = None) -> Master:
    """End the shift; live offers and active orders stay."""
    return _set(_lock(master_id, actor), ShiftStatus.SHIFT_OFF)


@transaction.atomic
def take_break(*, master_id: int, minutes: int, actor: Actor, now: datetime | None = None) -> Master:
    """Pause for 15, 60 or 120 minutes; on a break it is extended from now on."""
    if minutes not in BREAKS:
        raise InvalidError({"minutes": _("A break lasts 15 minutes, 1 hour or 2 hours.")})
    master = _lock(master_id, actor)
    if master.shift_status == ShiftStatus.SHIFT_OFF:
        raise ConflictError(_("You are off shift: there is nothing to pause."))
    return _set(master, ShiftStatus.BREAK, until=(now or timezone.now()) + timedelta(minutes=minutes))


def end_breaks(*, now: datetime, limit: int = 1000) -> int:
    """Breaks that are over end the shift; each master is told once, with a button to go on. Returns how many."""
    with transaction.atomic():
        over = list(
            Master.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(shift_status=ShiftStatus.BREAK, break_until__lte=now)
            .order_by("break_until")[:limit]
        )
        Master.objects.filter(pk__in=[m.pk for m in over]).update(
            shift_status=ShiftStatus.SHIFT_OFF, break_until=None, updated_at=now
        )
        outbox.enqueue(Message(event="break_over", master_id=m.pk) for m in over)
    return len(over)


def remind_breaks(*, now: datetime, limit: int = 1000) -> int:
    """Masters whose break ends within ten minutes are told, once for each end. Returns how many are on such a break."""
    soon = Master.objects.filter(shift_status=ShiftStatus.BREAK, break_until__gt=now, break_until__lte=now + REMINDER)
    ends = [(pk, until) for pk, until in soon.order_by("break_until").values_list("pk", "break_until")[:limit] if until]
    outbox.enqueue(
        Message(
            event="break_reminder",
            master_id=pk,
            payload={"until": until.isoformat()},
            expires_at=until,
            dedup_key=f"break:{pk}:{until.isoformat()}",
        )
        for pk, until in ends
    )
    return len(ends)


def forget_changes(*, now: datetime, limit: int = 20_000) -> int:
    """Changes of shifts older than 90 days go, a part at a time; returns how many."""
    old = ShiftChange.objects.filter(at__lt=now - KEPT).order_by("at").values_list("pk", flat=True)[:limit]
    return ShiftChange.objects.filter(pk__in=list(old)).delete()[0]


def _begin(master: Master) -> Master:
    reason = block_reason(master)
    if reason:
        raise ConflictError(_("You cannot start a shift: %(reason)s.") % {"reason": reason}, code="blocked")
    if master.city_id is not None:
        wake.dispatch(city_id=master.city_id)
    return _set(master, ShiftStatus.SHIFT_ON)


def _set(master: Master, status: ShiftStatus, until: datetime | None = None) -> Master:
    master.shift_status, master.break_until = status, until
    master.save(update_fields=["shift_status", "break_until", "updated_at"])
    return master


def _lock(master_id: int, actor: Actor) -> Master:
    master = Master.objects.select_for_update(no_key=True).filter(pk=master_id).first()
    if master is None or (actor.kind == "master" and actor.master_id != master_id):
        raise NotFoundError(_("There is no such master."))
    require_city(actor, master.city_id, missing=_("There is no such master."))
    return master
