"""From a finished application to a row of masters that waits for moderation."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from fieldservice.lib.clean import clean
from fieldservice.lib.errors import ConflictError, InvalidError
from geo.models import City, District
from staff.enums import ModerationStatus, ShiftStatus
from staff.models import Master, MasterDistrict, MasterDraft, MasterSkill, Skill
from staff.selectors import has_applied
from staff.services import invites, onboarding


@transaction.atomic
def enrol(*, tg_user_id: int, username: str, now: datetime) -> tuple[Master, MasterDraft]:
    """Write the master of a finished draft, PENDING. The draft is left to the caller.

    Raises ConflictError while questions are open or when the person has applied already, InvalidError for an invite
    code that somebody else has used meanwhile.
    """
    draft = onboarding.lock(tg_user_id)
    _check(draft)
    master = _lock(tg_user_id)
    if master.pk and not onboarding.may_reapply(master):
        raise ConflictError(_("You have applied already."))
    if draft.invite is None and not (master.pk and has_applied(master)):
        raise InvalidError(_("An invite code is needed. Ask the office for one, please."), code="no_invite")
    for name, value in (_values(draft.data) | {"telegram_username": clean(username)[:64] or None}).items():
        setattr(master, name, value)
    master.applied_at, master.version = now, master.version + bool(master.pk)
    _save(master)
    if draft.invite:
        invites.use(draft.invite, master, now=now)
    _link(master, draft.data)
    return master, draft


def _lock(tg_user_id: int) -> Master:
    found = Master.objects.select_for_update(no_key=True).filter(tg_user_id=tg_user_id).first()
    return found or Master(tg_user_id=tg_user_id)


def _save(master: Master) -> None:
    try:
        with transaction.atomic():
            master.save()
    except IntegrityError as error:  # the same person on two phones: the other one was quicker
        raise ConflictError(_("You have applied already.")) from error


def _values(data: dict[str, Any]) -> dict[str, Any]:
    names = [data["last_name"], data["first_name"], data["middle_name"]]
    lat, lon = [Decimal(number) for number in data["home"]] or (None, None)
    return {
        "full_name": " ".join(filter(None, names)),
        "last_name": data["last_name"],
        "first_name": data["first_name"],
        "phone": data["phone"],
        "city_id": data["city"],
        "has_vehicle": data["vehicle"],
        "vehicle_plate": data["plate"] or None,
        "payout_method": data["payout_method"],
        "payout_data": data["payout"],
        "home_latitude": lat,
        "home_longitude": lon,
        "pdn_accepted_at": parse_datetime(data["consent"]["at"]),
        "pdn_version": data["consent"]["version"],
        "moderation_status": ModerationStatus.PENDING,
        "moderation_reason": None,
        "shift_status": ShiftStatus.SHIFT_OFF,
        "break_until": None,
        "is_active": False,
        "is_deleted": False,
        "skills_wanted": None,
    }


def _link(master: Master, data: dict[str, Any]) -> None:
    MasterSkill.objects.filter(master=master).delete()
    MasterSkill.objects.bulk_create(MasterSkill(master=master, skill_id=pk) for pk in data["skills"])
    MasterDistrict.objects.filter(master=master).delete()
    MasterDistrict.objects.bulk_create(MasterDistrict(master=master, district_id=pk) for pk in data["districts"])


def _check(draft: MasterDraft) -> None:
    """Everything is answered, and what was chosen is still there. What is not is asked again."""
    data = draft.data
    gone = []
    if "city" in data and not City.objects.filter(pk=data["city"], is_active=True).exists():
        gone = ["city", "districts"]
    elif _missing(District.objects.filter(city_id=data.get("city") or 0), data.get("districts", [])):
        gone = ["districts"]
    if _missing(Skill.objects.filter(is_active=True), data.get("skills", [])):
        gone.append("skills")
    if gone:
        raise ConflictError(
            _("Something you chose is not offered any more: choose anew, please."), code="gone", fields=gone
        )
    if onboarding.question(draft) != onboarding.SUMMARY:
        raise ConflictError(_("There are questions without an answer yet."), code="open")


def _missing(rows: Any, chosen: list[int]) -> bool:
    return rows.filter(pk__in=chosen).count() != len(chosen)
