"""Blocking, unblocking, limits, closing accounts: the master is told once, an audit row is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import check_reason
from fieldservice.lib.errors import InvalidError, NotFoundError
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from staff.enums import BlockReason, ShiftStatus
from staff.models import AuditLog, Master
from staff.scope import require, require_city

LIMIT = 20


@transaction.atomic
def block(*, master_id: int, reason: str, actor: Actor, now: datetime, tell: bool = True) -> Master:
    """Block a master. `reason`: a BlockReason value or staff's own words. A blocked one keeps the first reason.

    But staff's words replace a reason of the system's: paying a commission must not lift what staff decided.
    """
    require(actor, "master.moderate")
    if reason not in BlockReason.values:
        reason = check_reason(reason)
    master = lock(master_id, actor)
    staff_decides = actor.kind == "staff" and master.blocked_reason in BlockReason.values
    if master.is_blocked and not (staff_decides and reason != master.blocked_reason):
        return master
    return write(
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
    master = lock(master_id, actor)
    if not master.is_blocked:
        return master
    return write(
        master,
        actor,
        "unblock_master",
        {"reason": master.blocked_reason},
        ("account_unblocked", {}),
        is_blocked=False,
        blocked_at=None,
        blocked_reason=None,
    )


@transaction.atomic
def set_limit(*, master_id: int, limit: int | None, actor: Actor) -> Master:
    """How many orders the master may have at once: 0–20, None for everybody's limit."""
    require(actor, "master.moderate")
    if limit is not None and not 0 <= limit <= LIMIT:
        raise InvalidError({"limit": _("The limit is a number from 0 to %(most)s.") % {"most": LIMIT}})
    master = lock(master_id, actor)
    if master.max_active_orders_override == limit:
        return master
    return write(
        master,
        actor,
        "limit_master",
        {"limit": limit, "was": master.max_active_orders_override},
        ("limit_changed", {}),
        max_active_orders_override=limit,
    )


@transaction.atomic
def close_account(*, master_id: int, reason: str, actor: Actor) -> Master:
    """The master leaves: no orders any more, the rows stay; he may apply again. Idempotent."""
    require(actor, "master.moderate")
    reason = check_reason(reason)
    master = lock(master_id, actor)
    if master.is_deleted:
        return master
    return write(
        master,
        actor,
        "delete_master",
        {"reason": reason},
        ("account_deleted", {"reason": reason}),
        is_deleted=True,
        is_active=False,
        moderation_reason=reason,
        shift_status=ShiftStatus.SHIFT_OFF,
        break_until=None,
    )


def audit(action: str, *, actor: Actor, master_id: int | None = None, **details: Any) -> None:
    """One row of the audit log."""
    AuditLog.objects.create(
        admin_id=actor.staff_id,
        master_id=master_id,
        action=action,
        payload_json=details | ({"via": actor.via} if actor.via else {}),
    )


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[str | None]]:
    """Field → [old, new], as text, of what differs."""
    return {
        name: [None if before[name] is None else str(before[name]), None if value is None else str(value)]
        for name, value in after.items()
        if before[name] != value
    }


def write(
    master: Master,
    actor: Actor,
    action: str,
    details: dict[str, Any],
    message: tuple[str, dict[str, Any]] | bool,
    **changes: Any,
) -> Master:
    """Change a locked master: a version more, an audit row, and `message` (event, payload) to him."""
    before = {name: getattr(master, name) for name in changes}
    for name, value in changes.items():
        setattr(master, name, value)
    master.version += 1
    master.save(update_fields=[*changes, "version", "updated_at"])
    audit(action, actor=actor, master_id=master.pk, changes=differences(before, changes), **details)
    if isinstance(message, tuple):
        outbox.enqueue(Message(event=message[0], master_id=master.pk, payload=message[1]))
    return master


def lock(master_id: int, actor: Actor) -> Master:
    """The master, locked until the transaction ends. Raises NotFoundError, also for one of another city."""
    master = Master.objects.select_for_update(no_key=True).filter(pk=master_id).first()
    if master is None:
        raise NotFoundError(_("There is no such master."))
    require_city(actor, master.city_id, missing=_("There is no such master."))
    return master
