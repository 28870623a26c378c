"""Invite codes for masters: issued by staff, used once."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError
from fieldservice.lib.fields import parse_code
from geo.models import City
from staff.enums import Role
from staff.models import Master, MasterInviteCode
from staff.scope import require, require_city
from staff.services.moderation import audit

#: no letters and digits that are taken for one another
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LIFE = timedelta(days=7)
DOUBLE_TAP = timedelta(seconds=3)


@transaction.atomic
def issue(*, actor: Actor, now: datetime, city: City | None = None, comment: str = "") -> MasterInviteCode:
    """A new code, good for seven days and one application; with `city` for that city only.

    Only a GLOBAL_ADMIN may leave the city open. A second tap gets the same code.
    """
    require(actor, "master.moderate")
    if city is None and actor.kind == "staff" and actor.role != Role.GLOBAL_ADMIN:
        raise InvalidError({"city": _("Choose one of your cities, please.")})
    if city is not None:
        require_city(actor, city.pk)
    if again := _just_issued(actor, city, now):
        return again
    code = "".join(secrets.choice(LETTERS) for _letter in range(6))
    while MasterInviteCode.objects.filter(code=code).exists():
        code = "".join(secrets.choice(LETTERS) for _letter in range(6))
    invite = MasterInviteCode.objects.create(
        code=code, city=city, issued_by_staff_id=actor.staff_id, expires_at=now + LIFE, comment=comment[:255] or None
    )
    audit("issue_invite", actor=actor, invite_id=invite.pk, city_id=city.pk if city else None)
    return invite


def _just_issued(actor: Actor, city: City | None, now: datetime) -> MasterInviteCode | None:
    fresh = MasterInviteCode.objects.select_for_update().filter(
        issued_by_staff_id=actor.staff_id or 0, city=city, is_revoked=False, used_at=None, used_by_master=None
    )
    return fresh.filter(created_at__gt=now - DOUBLE_TAP).order_by("-pk").first()


def check(text: str, *, now: datetime) -> MasterInviteCode:
    """The code that `text` names, if it can be used. Raises InvalidError that says what is wrong."""
    code = parse_code(text, 6)
    # v1.2 wrote codes in any case
    invite = MasterInviteCode.objects.select_related("city").filter(code__in=(code, code.lower())).first()
    if invite is None:
        raise InvalidError(_("There is no invite code %(code)s. Look once more, please.") % {"code": code})
    _refuse_used(invite)
    if invite.expires_at and invite.expires_at <= now:
        raise InvalidError(_("The invite code %(code)s has expired. Ask the office for a new one.") % {"code": code})
    return invite


def use(invite: MasterInviteCode, master: Master, *, now: datetime) -> None:
    """The application is sent: the code is spent. It had not expired when it was entered, that is enough.

    Raises InvalidError when somebody else was quicker, or the office has revoked it.
    """
    locked = MasterInviteCode.objects.select_for_update().get(pk=invite.pk)
    _refuse_used(locked)
    MasterInviteCode.objects.filter(pk=locked.pk).update(used_by_master=master, used_at=now, updated_at=now)


@transaction.atomic
def revoke(*, invite_id: int, actor: Actor) -> MasterInviteCode:
    """The code can no longer be used. Raises ConflictError when it has been."""
    require(actor, "master.moderate")
    invite = MasterInviteCode.objects.select_for_update().filter(pk=invite_id).first()
    missing = _("There is no such invite code.")
    if invite is None or (invite.city_id is None and actor.kind == "staff" and actor.role != Role.GLOBAL_ADMIN):
        raise NotFoundError(missing)
    if invite.city_id is not None:
        require_city(actor, invite.city_id, missing=missing)
    if invite.used_at or invite.used_by_master_id:
        raise ConflictError(_("The invite code %(code)s has been used.") % {"code": invite.code})
    if not invite.is_revoked:
        invite.is_revoked = True
        invite.save(update_fields=["is_revoked", "updated_at"])
        audit("revoke_invite", actor=actor, invite_id=invite.pk)
    return invite


def _refuse_used(invite: MasterInviteCode) -> None:
    if invite.is_revoked:
        raise InvalidError(
            _("The invite code %(code)s was revoked by the office.") % {"code": invite.code}, code="no_invite"
        )
    if invite.used_by_master_id or invite.used_at:
        raise InvalidError(
            _("The invite code %(code)s has been used. Ask the office for a new one.") % {"code": invite.code},
            code="no_invite",
        )
