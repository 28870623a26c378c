"""Deciding on applications, and on skills that masters ask for later. Staff are told; one decides, once."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import check_reason
from fieldservice.lib.errors import ConflictError, StaleError
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from fieldservice.runtime import wake
from staff.enums import BlockReason, ModerationStatus
from staff.models import Master, MasterSkill
from staff.scope import require
from staff.selectors import has_applied, moderators
from staff.services.moderation import lock, write


@transaction.atomic
def approve(*, master_id: int, actor: Actor, now: datetime, version: int | None = None) -> Master:
    """The master may work. What closed or blocked the account before is over, except an unpaid debt.

    Raises StaleError when the caller saw another `version` of the application, ConflictError when it is decided.
    """
    master = _pending(master_id, actor, version)
    unblocked = {} if master.blocked_reason == BlockReason.COMMISSION_OVERDUE else UNBLOCKED
    write(
        master,
        actor,
        "approve_master",
        {"applied_at": master.applied_at.isoformat() if master.applied_at else None},
        ("moderation_approved", {}),
        moderation_status=ModerationStatus.APPROVED,
        moderation_reason=None,
        verified_at=now,
        verified_by_id=actor.staff_id,
        is_active=True,
        is_deleted=False,
        **unblocked,
    )
    sent(master)
    return master


UNBLOCKED = {"is_blocked": False, "blocked_at": None, "blocked_reason": None}


@transaction.atomic
def reject(*, master_id: int, reason: str, actor: Actor, now: datetime, version: int | None = None) -> Master:
    """The application is turned down; the master is told why and may correct it and apply again."""
    reason = check_reason(reason)
    master = _pending(master_id, actor, version)
    write(
        master,
        actor,
        "reject_master",
        {"reason": reason},
        ("moderation_rejected", {"reason": reason}),
        moderation_status=ModerationStatus.REJECTED,
        moderation_reason=reason,
        verified_by_id=actor.staff_id,
    )
    sent(master)
    return master


@transaction.atomic
def ask_skills(*, master_id: int, skill_ids: list[int], actor: Actor, now: datetime) -> Master:
    """Skills the master wants besides; he works with the old ones until staff have decided. None: he asks no more."""
    master = lock(master_id, actor)
    before = master.skills_wanted if asked_skills(master) else None
    if skill_ids == asked_skills(master):
        return master
    master.skills_wanted = {"ids": sorted(skill_ids), "at": now.isoformat()} if skill_ids else None
    Master.objects.filter(pk=master.pk).update(skills_wanted=master.skills_wanted)
    for occasion in filter(None, (before, master.skills_wanted)):
        _tell_staff(master, "skills", occasion["at"])
    return master


def asked_skills(master: Master) -> list[int]:
    """The ids of the skills the master asks for; none for a row of another form."""
    wanted = master.skills_wanted
    return list(wanted["ids"]) if isinstance(wanted, dict) and {"ids", "at"} <= wanted.keys() else []


@transaction.atomic
def decide_skills(
    *, master_id: int, granted: bool, actor: Actor, now: datetime, seen: list[int] | None = None
) -> Master:
    """Give the master the skills asked for, or not; he is told. `seen`: the ids the caller was shown."""
    require(actor, "master.moderate")
    master = lock(master_id, actor)
    asked = asked_skills(master)
    if not asked:
        raise ConflictError(_("This was decided already."))
    if seen is not None and seen != asked:
        raise StaleError(_("The master asks for other skills now: look once more, please."))
    if granted:
        MasterSkill.objects.bulk_create(
            [MasterSkill(master=master, skill_id=pk) for pk in asked], ignore_conflicts=True
        )
        if master.city_id is not None:
            wake.dispatch(city_id=master.city_id)
    occasion = master.skills_wanted["at"]  # type: ignore[index]
    action = "grant_skills" if granted else "refuse_skills"
    told = ("skills_decided", {"skills": asked, "granted": granted})
    write(master, actor, action, {"skills": asked}, told, skills_wanted=None)
    _tell_staff(master, "skills", occasion)
    return master


def sent(master: Master) -> None:
    """The application was sent: the moderators of the city are told."""
    _tell_staff(master, "application", occasion(master))


def occasion(master: Master) -> str:
    """Tells one application of a master from the next."""
    return master.applied_at.isoformat() if master.applied_at else ""


def edits_key(what: str, master_id: int, occasion: str, staff_id: int) -> str:
    """The outbox key of the one message a staff member sees about this."""
    return f"{what}:{master_id}:{occasion}:{staff_id}"


def _tell_staff(master: Master, what: str, occasion: str) -> None:
    """The first message is sent to each moderator of the city; later ones edit it: what became of it."""
    outbox.enqueue(
        Message(
            event=what,
            staff_id=member.pk,
            payload={"master_id": master.pk, "occasion": occasion},
            edits_key=edits_key(what, master.pk, occasion, member.pk),
        )
        for member in moderators(master.city_id)
    )


def _pending(master_id: int, actor: Actor, version: int | None) -> Master:
    require(actor, "master.moderate")
    master = lock(master_id, actor)
    if master.moderation_status != ModerationStatus.PENDING or not has_applied(master):
        raise ConflictError(
            _("This application was decided already: %(status)s.") % {"status": master.get_moderation_status_display()}
        )
    if version is not None and master.version != version:
        raise StaleError(_("The application has changed: look once more, please."))
    return master
