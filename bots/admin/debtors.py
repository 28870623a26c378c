"""Blocking and unblocking the master from the card of his commission; Back leads to the commission."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm
from bots.admin import finance, masters, moderation
from bots.admin.menu import menu_button
from bots.buttons import tap
from bots.callbacks import on
from bots.screens import Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError
from finance import scope
from finance.models import Commission
from staff.services import moderation as services

RIGHT, WHY = "master.moderate", "adm:f:blk:why"


def presets() -> dict[str, str]:
    """Reasons that come up again and again; the master reads them."""
    return {
        "owes": _("Does not pay the commission"),
        "lied": _("Reported a payment that was never made"),
        "hid": _("Hides the true sum"),
    }


def _card(visit: Visit, commission_id: int, *rest: Any) -> Reply:
    return finance.card(visit, commission_id)


def _own(visit: Visit, commission_id: int) -> Commission:
    """The commission of a master whom the member may decide on: he may have moved to another city since."""
    commission = scope.get_for(visit.member, commission_id)
    moderation.own(visit.member, commission.master_id)
    return commission


@on("adm:f:blk", needs=RIGHT, back=finance.card)
def ask_block(visit: Visit, commission_id: int, number: int = 1, tab: str = "un") -> Reply:
    """Why?"""
    master = _own(visit, commission_id).master
    if master.is_blocked:
        raise ConflictError(_("%(name)s is blocked already.") % {"name": master})
    data = {"commission": commission_id, "number": number, "tab": tab}
    return Reply(_question(visit, data), dialog=Dialog(WHY, data))


@on("adm:f:blk:ok", needs=RIGHT, back=_card)
def block_preset(visit: Visit, commission_id: int, preset: str, number: int = 1, tab: str = "un") -> Reply:
    """For a ready-made reason."""
    if preset not in presets():
        raise ConflictError(_("This button is out of date."))
    return _block(visit, {"commission": commission_id, "number": number, "tab": tab}, presets()[preset])


@fsm.step(WHY, ask=lambda visit: _question(visit, visit.dialog.data if visit.dialog else {}), needs=RIGHT)
def take_why(visit: Visit) -> Reply:
    """In own words."""
    return _block(visit, dict(visit.dialog.data) if visit.dialog else {}, visit.incoming.text)


@on("adm:f:unb", needs=RIGHT, back=finance.card)
def ask_unblock(visit: Visit, commission_id: int, number: int = 1, tab: str = "un") -> Reply:
    """Really? The reason is shown, and what he still owes."""
    commission = _own(visit, commission_id)
    at = (commission_id, number, tab)
    rows = [[tap(_("Yes, unblock"), "adm:f:unb:ok", *at), tap(_("No"), "adm:f:cm:card", *at)]]
    return Reply(page("admin/master_unblock.html", rows, master=commission.master, commission=commission))


@on("adm:f:unb:ok", needs=RIGHT, back=finance.card)
def unblock(visit: Visit, commission_id: int, number: int = 1, tab: str = "un") -> Reply:
    """The master may start a shift again; what he owes he owes still."""
    commission = scope.get_for(visit.member, commission_id)
    services.unblock(master_id=commission.master_id, actor=visit.actor, now=timezone.now())
    return Reply(finance.screen(visit.member, commission_id, number, tab), toast=_("Unblocked: the master is told."))


def _block(visit: Visit, data: dict[str, Any], reason: str) -> Reply:
    commission, now = scope.get_for(visit.member, data["commission"]), timezone.now()
    blocked = services.block(master_id=commission.master_id, reason=reason, actor=visit.actor, now=now)
    if blocked.blocked_at != now:  # somebody was quicker; that reason stays
        raise ConflictError(_("%(name)s is blocked already.") % {"name": blocked})
    shown = finance.screen(visit.member, commission.pk, data["number"], data["tab"])
    return Reply(shown, toast=_("Blocked: the master is told why."))


def _question(visit: Visit, data: dict[str, Any]) -> Screen:
    commission = _own(visit, data["commission"])
    at, master = (data["number"], data["tab"]), commission.master
    rows = [[tap(text, "adm:f:blk:ok", commission.pk, name, *at)] for name, text in presets().items()]
    rows.append([tap(_("No, leave it"), "adm:f:cm:card", commission.pk, *at), menu_button()])
    return page("admin/master_why.html", rows, master=master, closing=False, busy=masters.busy(master))
