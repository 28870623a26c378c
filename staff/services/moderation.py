"""Blocking and unblocking masters: the shift ends, the master is told, an audit row is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import check_reason
from fieldservice.lib.errors import NotFoundError
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from staff.enums import BlockReason, ShiftStatus
from staff.models import AuditLog, Master
from staff.scope import require, require_city


@transaction.atomic
def block(*, master_id: int, reason: str, actor: Actor, now: datetime, tell: bool = True) -> Master:
    """Block a master. `reason`: a BlockReason value or staff's own words. A blocked one keeps the first reason.

    But staff's words replace a reason of the system's: paying a commission must not lift what staff decided.
    """
    require(actor, "master.moderate")
    if reason not in BlockReason.values:
        reason = check_reason(reason)
    master = _lock(master_id, actor)
    staff_decides = actor.kind == "staff" and master.blocked_reason in BlockReason.values
    if master.is_blocked and not (staff_decides and reason != master.blocked_reason):
        return master
    return _write(
        master,
        actor,
        "block_master",
        {"reason": str(reason)},
        tell and ("account_blocked", {"reason": str(reason)}),
        is_blocked=True,
        blocked_at=now,
        blocked_reason=reason,
        shift_status=ShiftStatus.SHIFT_OFF,
        break_until=None,
    )


@transaction.atomic
def unblock(*, master_id: int, actor: Actor, now: datetime) -> Master:
    """Lift the block; the master starts the shift himself."""
    require(actor, "master.moderate")
    master = _lock(master_id, actor)
    if not master.is_blocked:
        return master
    return _write(
        master,
        actor,
        "unblock_master",
        {"reason": master.blocked_reason},
        ("account_unblocked", {}),
        is_blocked=False,
        blocked_at=None,
        blocked_reason=None,
    )


def audit(action: str, *, actor: Actor, master_id: int | None = None, **details: Any) -> None:
    """One row of the audit log."""
    AuditLog.objects.create(
        admin_id=actor.staff_id,
        master_id=master_id,
        action=action,
        payload_json=details | ({"via": actor.via} if actor.via else {}),
    )


def _write(
    master: Master,
    actor: Actor,
    action: str,
    details: dict[str, Any],
    message: tuple[str, dict[str, Any]] | bool,
    **changes: Any,
) -> Master:
    for name, value in changes.items():
        setattr(master, name, value)
    master.version += 1
    master.save(update_fields=[*changes, "version", "updated_at"])
    audit(action, actor=actor, master_id=master.pk, **details)
    if isinstance(message, tuple):
        outbox.enqueue(Message(event=message[0], master_id=master.pk, payload=message[1]))
    return master


def _lock(master_id: int, actor: Actor) -> Master:
    master = Master.objects.select_for_update(no_key=True).filter(pk=master_id).first()
    if master is None:
        raise NotFoundError(_("There is no such master."))
    require_city(actor, master.city_id, missing=_("There is no such master."))
    return master
