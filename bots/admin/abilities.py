"""A master's skills and districts, ticked by the office from his card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from bots import fsm
from bots.admin import masters, moderation
from bots.admin.menu import menu_button
from bots.buttons import back, tap, ticks
from bots.callbacks import on
from bots.screens import Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError, InvalidError, StaleError
from geo.models import District
from geo.names import in_order
from geo.selectors.places import search_districts
from staff.models import Master, Skill
from staff.services import abilities

RIGHT, TICKS = "master.moderate", "adm:m:has"
SKILLS, DISTRICTS = "skills", "districts"


def _card(visit: Visit, master_id: int, *rest: Any) -> Reply:
    return masters.card(visit, master_id)


@on("adm:m:has", needs=RIGHT, back=_card)
def begin(visit: Visit, master_id: int, what: str) -> Reply:
    """What the master has now is ticked."""
    master = moderation.own(visit.member, master_id)
    if what not in (SKILLS, DISTRICTS):
        raise ConflictError(_("This button is out of date."))
    has = sorted(_has(master, what).values_list("pk", flat=True))
    return _show(visit, {"master": master.pk, "what": what, "seen": has, "ids": has})


@on("adm:m:has:t", needs=RIGHT, back=_card)
def tick(visit: Visit, master_id: int, what: str, choice: int, number: int) -> Reply:
    """One of them, on or off; 0 only turns the page."""
    data = _running(visit, master_id, what)
    if data is None:
        return begin(visit, master_id, what)
    if choice:
        data["ids"] = sorted({*data["ids"]} ^ {choice})
    return _show(visit, data, number)


@on("adm:m:has:ok", needs=RIGHT, back=_card)
def save(visit: Visit, master_id: int, what: str) -> Reply:
    """Done ticking. Nothing is written over what somebody else changed meanwhile."""
    data = _running(visit, master_id, what)
    if data is None:
        return begin(visit, master_id, what)
    if data["ids"] == data["seen"]:
        return masters.card(visit, master_id)
    moderation.own(visit.member, master_id)
    given = {"master_id": master_id, "actor": visit.actor, "seen": data["seen"]}
    try:
        if what == SKILLS:
            abilities.set_skills(skill_ids=data["ids"], **given)
        else:
            abilities.set_districts(district_ids=data["ids"], **given)
    except (StaleError, InvalidError) as error:
        return replace(begin(visit, master_id, what), toast=str(error), alert=True)
    return replace(masters.card(visit, master_id), toast=_("Saved: the master is told."))


@fsm.step(TICKS, ask=lambda visit: _screen(visit, _data(visit), 1), needs=RIGHT)
def find(visit: Visit) -> Reply:
    """A part of a district's name; skills fit on a page."""
    data, text = _data(visit), visit.incoming.text[:60]
    if data["what"] != DISTRICTS or not text:
        raise InvalidError(_("Use the buttons below, please."))
    if not _offered(moderation.own(visit.member, data["master"]), DISTRICTS, text):
        raise InvalidError(_("There is no such district. Type a part of its name, or choose it."))
    return _show(visit, data | {"typed": text})


def _data(visit: Visit) -> dict[str, Any]:
    assert visit.dialog is not None
    return dict(visit.dialog.data)


def _running(visit: Visit, master_id: int, what: str) -> dict[str, Any] | None:
    """The ticks of this master; None when the form is over, or is another one."""
    data = _data(visit) if visit.dialog and visit.dialog.step == TICKS else {}
    return data if (data.get("master"), data.get("what")) == (master_id, what) else None


def _has(master: Master, what: str) -> QuerySet[Skill] | QuerySet[District]:
    return master.skills.all() if what == SKILLS else master.districts.all()


def _offered(master: Master, what: str, typed: str = "") -> list[Any]:
    if what == SKILLS:
        # one that is switched off may be the master's still
        return list(Skill.objects.filter(Q(is_active=True) | Q(masters=master)).distinct().order_by("name"))
    if master.city is None:
        return []
    return list(search_districts(master.city, typed)) if typed else in_order(master.city.district_set.all())


def _show(visit: Visit, data: dict[str, Any], number: int = 1) -> Reply:
    return Reply(_screen(visit, data, number), dialog=Dialog(TICKS, data))


def _screen(visit: Visit, data: dict[str, Any], number: int) -> Screen:
    master, what, picked = moderation.own(visit.member, data["master"]), data["what"], data["ids"]
    offered = _offered(master, what, data.get("typed", ""))
    rows = ticks(offered, picked, number, path="adm:m:has:t", before=(master.pk, what))
    if data.get("typed"):
        rows.append([tap(_("All districts"), "adm:m:has", master.pk, what)])
    rows.append([tap(_("💾 Save (%(count)s)") % {"count": len(picked)}, "adm:m:has:ok", master.pk, what)])
    rows.append([back("adm:m:card", master.pk), menu_button()])
    model = Skill if what == SKILLS else District
    names = list(model.objects.filter(pk__in=picked).order_by("name").values_list("name", flat=True)[:60])
    return page("admin/abilities.html", rows, master=master, what=what, names=names, offered=len(offered))
