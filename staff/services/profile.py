"""What masters change about themselves. New skills wait for staff (`applications`); the rest counts at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import InvalidError, NotFoundError
from fieldservice.lib.phones import parse_phone
from fieldservice.runtime import wake
from geo.models import District
from staff.enums import PayoutMethod
from staff.models import Master, MasterDistrict, MasterSkill, Skill
from staff.services import applications, form
from staff.services.moderation import lock, write


@transaction.atomic
def set_phone(*, master_id: int, phone: str, actor: Actor) -> Master:
    """Another phone. Raises InvalidError."""
    return _write(_own(master_id, actor), actor, "phone", phone=parse_phone(phone))


@transaction.atomic
def set_vehicle(*, master_id: int, has_vehicle: bool, plate: str, actor: Actor) -> Master:
    """With or without a vehicle; the plate is optional. Raises InvalidError for a wrong plate."""
    plate = form.plate(plate) if has_vehicle else ""
    return _write(_own(master_id, actor), actor, "vehicle", has_vehicle=has_vehicle, vehicle_plate=plate or None)


@transaction.atomic
def set_payout(*, master_id: int, method: str, details: dict[str, str], actor: Actor) -> Master:
    """Where rewards are paid to; `details` as `form.payout` made them."""
    if method not in PayoutMethod.values:
        raise InvalidError(_("Choose from the list, please."))
    return _write(_own(master_id, actor), actor, "payout", payout_method=PayoutMethod(method), payout_data=details)


@transaction.atomic
def set_districts(*, master_id: int, district_ids: list[int], actor: Actor) -> Master:
    """The districts served, of the own city; at least one. Raises InvalidError."""
    master = _own(master_id, actor)
    wanted = set(district_ids)
    known = set(District.objects.filter(city_id=master.city_id or 0, pk__in=wanted).values_list("pk", flat=True))
    if known != wanted:
        raise InvalidError(_("This is not offered any more. Choose from the list, please."))
    if not known:
        raise InvalidError(_("Choose at least one."))
    links = MasterDistrict.objects.filter(master=master)
    links.exclude(district_id__in=known).delete()
    MasterDistrict.objects.bulk_create(
        [MasterDistrict(master=master, district_id=pk) for pk in sorted(known)], ignore_conflicts=True
    )
    if master.city_id is not None:
        wake.dispatch(city_id=master.city_id)
    return _write(master, actor, "districts", districts=None)


@transaction.atomic
def set_skills(*, master_id: int, skill_ids: list[int], actor: Actor, now: datetime) -> Master:
    """The skills ticked: those left out are gone at once, new ones are asked for. At least one must be there already.

    Raises InvalidError.
    """
    master = _own(master_id, actor)
    wanted = set(skill_ids)
    offered = set(Skill.objects.filter(is_active=True, pk__in=wanted).values_list("pk", flat=True))
    if offered != wanted:
        raise InvalidError(_("This is not offered any more. Choose from the list, please."))
    has = set(MasterSkill.objects.filter(master=master, skill__is_active=True).values_list("skill_id", flat=True))
    if has and not has & wanted:
        raise InvalidError(_("Keep at least one of your present skills: the new ones must be approved first."))
    MasterSkill.objects.filter(master=master, skill_id__in=has - wanted).delete()
    if has - wanted:
        _write(master, actor, "skills", skills=None)
    return applications.ask_skills(master_id=master.pk, skill_ids=sorted(wanted - has), actor=actor, now=now)


def _own(master_id: int, actor: Actor) -> Master:
    if actor.kind == "master" and actor.master_id != master_id:
        raise NotFoundError(_("There is no such master."))
    return lock(master_id, actor)


def _write(master: Master, actor: Actor, what: str, **changes: Any) -> Master:
    columns = {name: value for name, value in changes.items() if name not in ("districts", "skills")}
    return write(master, actor, f"profile_{what}", {}, False, **columns)
