"""What a master may be asked for, as the office decides: skills and districts. He is told; the audit log has both."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import InvalidError, StaleError
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from fieldservice.runtime import wake
from geo.models import District
from staff.models import Master, MasterDistrict, MasterSkill, Skill
from staff.scope import require
from staff.services.moderation import audit, lock

RIGHT = "master.moderate"


@transaction.atomic
def set_skills(
    *, master_id: int, skill_ids: Collection[int], actor: Actor, seen: Collection[int] | None = None
) -> Master:
    """The master has these skills and no others. One that is switched off may stay: it may be switched on again.

    `seen`: the ids the caller was shown. Raises StaleError when they are others by now, InvalidError for unknown ids.
    """
    require(actor, RIGHT)
    master = lock(master_id, actor)
    has = set(MasterSkill.objects.filter(master=master).values_list("skill_id", flat=True))
    wanted = _known(Skill.objects.filter(Q(is_active=True) | Q(pk__in=has)), skill_ids)
    before = _names(Skill.objects.filter(pk__in=has))
    if not _differs(has, wanted, seen):
        return master
    MasterSkill.objects.filter(master=master, skill_id__in=has - wanted).delete()
    links = [MasterSkill(master=master, skill_id=pk) for pk in sorted(wanted - has)]
    MasterSkill.objects.bulk_create(links, ignore_conflicts=True)
    return _changed(master, actor, "skills", before, _names(Skill.objects.filter(pk__in=wanted)))


@transaction.atomic
def set_districts(
    *, master_id: int, district_ids: Collection[int], actor: Actor, seen: Collection[int] | None = None
) -> Master:
    """The master serves these districts of the own city and no others; as `set_skills`."""
    require(actor, RIGHT)
    master = lock(master_id, actor)
    has = set(MasterDistrict.objects.filter(master=master).values_list("district_id", flat=True))
    wanted = _known(District.objects.filter(city_id=master.city_id or 0), district_ids)
    before = _names(District.objects.filter(pk__in=has))
    if not _differs(has, wanted, seen):
        return master
    MasterDistrict.objects.filter(master=master, district_id__in=has - wanted).delete()
    links = [MasterDistrict(master=master, district_id=pk) for pk in sorted(wanted - has)]
    MasterDistrict.objects.bulk_create(links, ignore_conflicts=True)
    return _changed(master, actor, "districts", before, _names(District.objects.filter(pk__in=wanted)))


def fingerprint(master: Master) -> str:
    """Another one after every change of skills or districts."""
    links = [sorted(master.skills.values_list("pk", flat=True)), sorted(master.districts.values_list("pk", flat=True))]
    return hashlib.sha256(repr(links).encode()).hexdigest()


def _known(offered: QuerySet[Skill] | QuerySet[District], ids: Collection[int]) -> set[int]:
    wanted = set(ids)
    if set(offered.filter(pk__in=wanted).values_list("pk", flat=True)) != wanted:
        raise InvalidError(_("This is not offered any more. Choose from the list, please."))
    return wanted


def _differs(has: set[int], wanted: set[int], seen: Collection[int] | None) -> bool:
    if seen is not None and set(seen) != has:
        raise StaleError(_("Somebody has changed this meanwhile: look once more, please."))
    return has != wanted


def _names(rows: Iterable[Skill] | Iterable[District]) -> str:
    return ", ".join(sorted(row.name for row in rows))


def _changed(master: Master, actor: Actor, what: str, before: str, after: str) -> Master:
    master.version += 1
    master.save(update_fields=["version", "updated_at"])
    audit(f"{what}_set", actor=actor, master_id=master.pk, changes={what: [before, after]})
    outbox.enqueue(Message(event="abilities_changed", master_id=master.pk, payload={"what": what}))
    if master.city_id is not None:
        wake.dispatch(city_id=master.city_id)
    return master
