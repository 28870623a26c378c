"""What a master may be asked for, as the office decides: skills and districts. He is told; the audit log has both."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import InvalidError, StaleError
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from fieldservice.runtime import wake
from geo.models import District
from staff.models import Master, Skill
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
    master = _locked(master_id, actor)
    return _set(master, "skills", set(skill_ids), seen, actor)


@transaction.atomic
def set_districts(
    *,
    master_id: int,
    district_ids: Collection[int],
    actor: Actor,
    seen: Collection[int] | None = None,
    moved: bool = False,
) -> Master:
    """The master serves these districts of the own city and no others; as `set_skills`.

    `moved`: he was given another city a moment ago, whose districts are chosen later.
    """
    master = _locked(master_id, actor)
    return _set(master, "districts", set(district_ids), seen, actor, moved)


def check(*, master: Master, what: str, wanted: Collection[int]) -> None:
    """Whether these ids may be set. Raises InvalidError: unknown ones, or none though there are some to choose.

    `what`: `skills` or `districts`.
    """
    offered: QuerySet[Any] = District.objects.filter(city_id=master.city_id or 0)
    if what == "skills":
        offered = Skill.objects.filter(Q(is_active=True) | Q(pk__in=master.skills.values("pk")))
    chosen = set(wanted)
    if set(offered.filter(pk__in=chosen).values_list("pk", flat=True)) != chosen:
        raise InvalidError(_("This is not offered any more. Choose from the list, please."))
    if not chosen and offered.exists():
        raise InvalidError(_("Choose at least one."))


def fingerprint(master: Master) -> str:
    """Another one after every change of skills or districts."""
    links = [sorted(master.skills.values_list("pk", flat=True)), sorted(master.districts.values_list("pk", flat=True))]
    return hashlib.sha256(repr(links).encode()).hexdigest()


def _locked(master_id: int, actor: Actor) -> Master:
    require(actor, RIGHT)
    return lock(master_id, actor)


def _set(
    master: Master, what: str, wanted: set[int], seen: Collection[int] | None, actor: Actor, may_be_none: bool = False
) -> Master:
    """`what`: the master's links, `skills` or `districts`."""
    links = getattr(master, what)
    had = dict(links.values_list("pk", "name"))
    if seen is not None and set(seen) != had.keys():
        raise StaleError(_("Somebody has changed this meanwhile: look once more, please."))
    if wanted == had.keys():
        return master
    if wanted or not may_be_none:
        check(master=master, what=what, wanted=wanted)
    links.remove(*(had.keys() - wanted))
    links.add(*(wanted - had.keys()))
    return _changed(master, actor, what, _names(had.values()), _names(links.values_list("name", flat=True)))


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _changed(master: Master, actor: Actor, what: str, before: str, after: str) -> Master:
    master.version += 1
    master.save(update_fields=["version", "updated_at"])
    audit(f"{what}_set", actor=actor, master_id=master.pk, changes={what: [before, after]})
    outbox.enqueue(Message(event="abilities_changed", master_id=master.pk, payload={"what": what}))
    if master.city_id is not None:
        wake.dispatch(city_id=master.city_id)
    return master
