"""Commissions, what takes more than a tap: another amount, a rejection, many at once, the requisites."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bots import fsm
from bots.admin import finance
from bots.admin.menu import menu_button
from bots.buttons import back, tap
from bots.callbacks import on
from bots.media import Enclosure
from bots.screens import Button, Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError
from fieldservice.lib.money import parse_sum
from finance import scope
from finance.services import bulk, commissions, requisites

AMOUNT, WHY, REJECT, MANY = "adm:f:amount", "adm:f:why", "adm:f:reject", "adm:f:many"
DAYS = (1, 3, 7)


@on("adm:f:cm:amount", needs="finance.approve", back=finance.card)
def ask_amount(visit: Visit, commission_id: int, number: int = 1, tab: str = "un") -> Reply:
    """How much has arrived?"""
    scope.get_for(visit.member, commission_id)
    data = {"commission": commission_id, "number": number, "tab": tab}
    return Reply(_question(data, "amount"), dialog=Dialog(AMOUNT, data))


@fsm.step(AMOUNT, ask=lambda visit: _question(_data(visit), "amount"), needs="finance.approve")
def take_amount(visit: Visit) -> Reply:
    """The due needs no reason, any other amount does."""
    data = _data(visit)
    if not visit.incoming.text:
        raise InvalidError(_("A sum is expected here, for example 2500."))
    amount = parse_sum(visit.incoming.text)
    commission = scope.get_for(visit.member, data["commission"])
    if amount == commission.amount:
        return finance.ask_approve(visit, commission.pk, data["number"], data["tab"])
    data |= {"amount": str(amount)}
    return Reply(_question(data, "why"), dialog=Dialog(WHY, data))


@fsm.step(WHY, ask=lambda visit: _question(_data(visit), "why"), needs="finance.approve")
def take_why(visit: Visit) -> Reply:
    """The reason, and it is approved."""
    data = _data(visit)
    amount, reason = Decimal(data["amount"]), _reason(visit)
    try:
        commissions.approve(commission_id=data["commission"], actor=visit.actor, amount=amount, reason=reason)
    except ConflictError as error:
        return _decided(visit, data, error)
    shown = finance.screen(visit.member, data["commission"], data["number"], data["tab"])
    return Reply(shown, toast=_("Approved: the order is closed."))


@on("adm:f:cm:no", needs="finance.approve", back=finance.card)
def ask_reject(visit: Visit, commission_id: int, number: int = 1, tab: str = "un") -> Reply:
    """Why is it not accepted?"""
    scope.get_for(visit.member, commission_id)
    data = {"commission": commission_id, "number": number, "tab": tab}
    return Reply(_question(data, "reject"), dialog=Dialog(REJECT, data))


@fsm.step(REJECT, ask=lambda visit: _question(_data(visit), "reject"), needs="finance.approve")
def take_reject(visit: Visit) -> Reply:
    """The master is told."""
    data = _data(visit)
    reason = _reason(visit)
    try:
        commissions.reject(commission_id=data["commission"], actor=visit.actor, reason=reason)
    except ConflictError as error:
        return _decided(visit, data, error)
    shown = finance.screen(visit.member, data["commission"], data["number"], data["tab"])
    return Reply(shown, toast=_("The master is told that the payment was not found."))


@on("adm:f:bulk", needs="finance.approve", back=lambda visit, days=1: finance.awaiting(visit))
def ask_many(visit: Visit, days: int = 1) -> Reply:
    """The payments reported within so many days: how many, how much, which. Exactly these are approved."""
    days = days if days in DAYS else DAYS[0]
    found = bulk.reported(member=visit.member, days=days, now=timezone.now())
    names = {n: ngettext("%(days)s day", "%(days)s days", n) % {"days": n} for n in DAYS}
    rows = [[tap(finance.here(names[n], n == days), "adm:f:bulk", n) for n in DAYS]]
    if found.open:
        caption = ngettext("✅ Approve %(count)s", "✅ Approve all %(count)s", len(found.open))
        rows.append([tap(caption % {"count": len(found.open)}, "adm:f:bulk:yes", days)])
    rows.append([back("adm:f:aw"), menu_button()])
    seen = [[row.pk, str(row.amount)] for row in found.open]
    context = {"found": found, "days": days, "shown": found.open[:15], "rest": max(len(found.open) - 15, 0)}
    shown = page("admin/commissions_many.html", rows, **context)
    return Reply(shown, dialog=Dialog(MANY, {"seen": seen, "days": days}))


@fsm.step(MANY, ask=lambda visit: _many_again(visit), needs="finance.approve")
def take_nothing(visit: Visit) -> Reply:
    """A text is no answer here."""
    raise InvalidError(_("Use the buttons below, please."))


def _many_again(visit: Visit) -> Screen:
    shown = ask_many(visit, visit.answer("days") or 1).screen
    assert shown is not None
    return shown


@on("adm:f:bulk:yes", needs="finance.approve", back=ask_many)
def approve_many(visit: Visit, days: int = 1) -> Reply:
    """Each on its own; the answer for each is shown. What was not shown is not approved."""
    if visit.dialog is None or visit.dialog.step != MANY:
        raise ConflictError(_("This list is not known any more: look at it again, please."))
    seen = [(int(pk), Decimal(due)) for pk, due in visit.answer("seen") or []]
    outcomes = bulk.approve(actor=visit.actor, seen=seen)
    done = sum(outcome.done for outcome in outcomes)
    rows = [[tap(_("💳 Commissions"), "adm:f:aw"), menu_button()]]
    failed = [outcome for outcome in outcomes if not outcome.done]
    context = {"done": done, "failed": failed[:30], "more": max(len(failed) - 30, 0)}
    return Reply(page("admin/commissions_many_done.html", rows, **context))


@on("adm:f:req", needs="finance.requisites")
def show_requisites(visit: Visit) -> Reply:
    """The requisites in force, in full; changed in the web admin."""
    return Reply(_requisites())


@on("adm:f:req:qr", needs="finance.requisites", back=show_requisites)
def show_qr(visit: Visit) -> Reply:
    """Their picture."""
    version = requisites.current()
    picture = requisites.qr_of(version.pk if version else None)
    if not picture:
        raise NotFoundError(_("There is no QR code."))
    code = Enclosure("PHOTO", name="qr.png", caption=_("QR code for payments"), content=picture)
    return Reply(_requisites(), files=(code,))


@on("adm:f:bc", needs="finance.requisites", back=show_requisites)
def ask_broadcast(visit: Visit) -> Reply:
    """How many would hear of it."""
    count = requisites.waiting_masters()
    rows = [[tap(_("📣 Yes, send"), "adm:f:bc:yes"), back("adm:f:req")]] if count else [[back("adm:f:req")]]
    return Reply(page("admin/broadcast.html", rows, count=count))


@on("adm:f:bc:yes", needs="finance.requisites", back=show_requisites)
def broadcast(visit: Visit) -> Reply:
    """To everybody who still has to pay."""
    told = requisites.broadcast(actor=visit.actor)
    toast = ngettext("%(count)s master is being told.", "%(count)s masters are being told.", told) % {"count": told}
    return Reply(_requisites(), toast=toast)


def _requisites() -> Screen:
    version = requisites.current()
    rows: list[list[Button]] = []
    if version:
        rows.append([tap(_("📣 Tell the masters"), "adm:f:bc")])
        if requisites.qr_of(version.pk):
            rows[0].append(tap(_("🔳 QR code"), "adm:f:req:qr"))
    rows.append([back("adm:f:aw"), menu_button()])
    return page("admin/requisites.html", rows, pay_to=version)


def _question(data: dict[str, Any], what: str) -> Screen:
    rows = [[tap(_("Cancel"), "adm:f:cm:card", data["commission"], data["number"], data["tab"])]]
    return page("admin/settle.html", rows, commission_id=data["commission"], what=what,
                amount=Decimal(data.get("amount") or 0))  # fmt: skip


def _data(visit: Visit) -> dict[str, Any]:
    assert visit.dialog is not None
    return dict(visit.dialog.data)


def _decided(visit: Visit, data: dict[str, Any], error: ConflictError) -> Reply:
    """Somebody was quicker: there is nothing to ask any more."""
    return Reply(finance.screen(visit.member, data["commission"], data["number"], data["tab"]), toast=str(error))


def _reason(visit: Visit) -> str:
    if not visit.incoming.text:
        raise InvalidError(_("Write the reason as a text, please."))
    return visit.incoming.text
