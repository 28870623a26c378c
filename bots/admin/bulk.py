"""Many applications at once: ticked, confirmed, decided one by one, the result told for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm
from bots.admin import moderation
from bots.admin.menu import menu_button
from bots.buttons import back, pager, tap
from bots.callbacks import on
from bots.screens import PAGE, Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.clean import check_reason
from fieldservice.lib.errors import ConflictError, DomainError, InvalidError
from staff.models import Master
from staff.services import applications

STEP = "adm:mod:many"
RIGHT = "master.moderate"
MOST = 30


@on("adm:mod:many", needs=RIGHT)
def begin(visit: Visit, number: int = 1) -> Reply:
    """Nothing is ticked yet."""
    return _show({"chosen": {}, "number": max(number, 1)}, visit)


@on("adm:mod:tick", needs=RIGHT)
def tick(visit: Visit, master_id: int, version: int) -> Reply:
    """This application in this version, or not. What changes afterwards is not decided unseen."""
    data = _data(visit)
    chosen: dict[str, int] = dict(data["chosen"])
    if chosen.pop(str(master_id), None) is None:
        moderation.own(visit.member, master_id)
        if len(chosen) >= MOST:
            raise ConflictError(_("Thirty at once are enough: decide on these first."))
        chosen[str(master_id)] = version
    return _show(data | {"chosen": chosen}, visit)


@on("adm:mod:turn", needs=RIGHT)
def turn(visit: Visit, number: int) -> Reply:
    """Another page; what is ticked stays so."""
    return _show(_data(visit) | {"number": max(number, 1)}, visit)


@on("adm:mod:all", needs=RIGHT)
def ask(visit: Visit, approve: int) -> Reply:
    """Really, all of these? Rejecting asks for one reason."""
    data = _data(visit) | {"approve": approve}
    if not data["chosen"]:
        raise ConflictError(_("Tick some applications first."))
    return Reply(_question(data), dialog=Dialog(STEP, data))


@on("adm:mod:all:ok", needs=RIGHT)
def approve_all(visit: Visit) -> Reply:
    """Approved, one by one."""
    data = _data(visit)
    return _each(visit, data, lambda pk, version: applications.approve(
        master_id=pk, actor=visit.actor, now=timezone.now(), version=version
    ))  # fmt: skip


@on("adm:mod:all:no", needs=RIGHT)
def reject_preset(visit: Visit, preset: str) -> Reply:
    """Rejected for a ready-made reason."""
    if preset not in moderation.presets():
        raise ConflictError(_("This button is out of date."))
    return _reject(visit, moderation.presets()[preset][1])


@fsm.step(STEP, ask=lambda visit: _screen(_data(visit), visit), needs=RIGHT)
def take(visit: Visit) -> Reply:
    """The reason in own words, where one was asked for."""
    if _data(visit).get("approve") != 0:
        raise InvalidError(_("Use the buttons below, please."))
    return _reject(visit, check_reason(visit.incoming.text))


def _reject(visit: Visit, reason: str) -> Reply:
    return _each(visit, _data(visit), lambda pk, version: applications.reject(
        master_id=pk, reason=reason, actor=visit.actor, now=timezone.now(), version=version
    ))  # fmt: skip


def _each(visit: Visit, data: dict[str, Any], decide: Callable[[int, int], Any]) -> Reply:
    done: list[str] = []
    failed: list[tuple[str, str]] = []
    for pk, version in data["chosen"].items():
        name = str(moderation.own(visit.member, int(pk)))
        try:
            decide(int(pk), version)
            done.append(name)
        except DomainError as error:
            failed.append((name, str(error)))
    rows = [[tap(_("🪪 Applications (%(count)s)") % {"count": moderation.pending(visit.member).count()}, "adm:mod")],
            [menu_button()]]  # fmt: skip
    return Reply(page("admin/applications_many_done.html", rows, done=done, failed=failed))


def _data(visit: Visit) -> dict[str, Any]:
    if not visit.dialog or visit.dialog.step != STEP:
        raise ConflictError(_("This form is over: begin a new one, please."))
    return visit.dialog.data


def _show(data: dict[str, Any], visit: Visit) -> Reply:
    data.pop("approve", None)
    return Reply(_screen(data, visit), dialog=Dialog(STEP, data))


def _screen(data: dict[str, Any], visit: Visit) -> Screen:
    if "approve" in data:
        return _question(data)
    number, chosen = data["number"], data["chosen"]
    waiting = moderation.pending(visit.member).order_by("applied_at", "id").select_related("city")
    found = list(waiting[(number - 1) * PAGE : number * PAGE + 1])
    items, more = found[:PAGE], len(found) > PAGE
    rows = [
        [tap(("☑️ " if str(m.pk) in chosen else "▫️ ") + m.full_name, "adm:mod:tick", m.pk, m.version)] for m in items
    ]
    rows.append(pager("adm:mod:turn", number, number + more))
    if chosen:
        count = {"count": len(chosen)}
        rows.append([tap(_("✅ Approve (%(count)s)") % count, "adm:mod:all", 1),
                     tap(_("❌ Reject (%(count)s)") % count, "adm:mod:all", 0)])  # fmt: skip
    rows.append([back("adm:mod"), menu_button()])
    return page("admin/applications_many.html", rows, masters=items, count=len(chosen))


def _question(data: dict[str, Any]) -> Screen:
    names = list(Master.objects.filter(pk__in=data["chosen"]).order_by("full_name").values_list("full_name", flat=True))
    if data["approve"]:
        rows = [[tap(_("Yes, approve"), "adm:mod:all:ok")]]
    else:
        rows = [[tap(text, "adm:mod:all:no", name)] for name, (text, _reason) in moderation.presets().items()]
    rows.append([tap(_("No"), "adm:mod:turn", data["number"])])
    return page("admin/applications_many_ask.html", rows, names=names, approve=data["approve"])
