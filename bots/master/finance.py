"""Commissions: what is owed, where to pay, «I paid»."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from bots.buttons import back, page_of, pager, tap
from bots.callbacks import on
from bots.master.menu import menu_button
from bots.screens import Button, Screen, page
from bots.visit import Reply, Visit
from fieldservice.lib.errors import NotFoundError
from fieldservice.lib.phones import show_phone
from finance.enums import CommissionStatus
from finance.models import Commission
from finance.selectors import commission_of, unpaid_commissions
from finance.services import commissions


@on("m:fin", needs="approved")
def finance_list(visit: Visit, number: int = 1) -> Reply:
    """What is not settled yet, the nearest deadline first."""
    unpaid = unpaid_commissions(master_id=visit.master.pk)
    items, number, pages = page_of(unpaid, number)
    rows = [[tap(_("Commission #%(id)s") % {"id": item.pk}, "m:fin:cm", item.pk, number)] for item in items]
    rows += [pager("m:fin", number, pages), [tap(_("🔄 Refresh"), "m:fin", number), menu_button()]]
    owed = sum((item.amount for item in unpaid if item.status != CommissionStatus.REPORTED), Decimal(0))
    return Reply(page("master/finance.html", rows, commissions=items, owed=owed, page=number, pages=pages))


@on("m:fin:cm", needs="approved", back=lambda visit, commission_id, number=1: finance_list(visit, number))
def card(visit: Visit, commission_id: int, number: int = 1) -> Reply:
    """One commission with everything needed to pay it."""
    return Reply(screen(own(visit, commission_id), number))


@on("m:fin:cm:ip", needs="approved", back=card)
def ask_paid(visit: Visit, commission_id: int, number: int = 1) -> Reply:
    """Have you really paid?"""
    commission = own(visit, commission_id)
    if not _can_report(commission):
        return card(visit, commission_id, number)
    rows = [
        [
            tap(_("Yes, I paid"), "m:fin:cm:ip_yes", commission_id, number),
            tap(_("Not yet"), "m:fin:cm", commission_id, number),
        ]
    ]
    return Reply(page("master/paid.html", rows, commission=commission))


@on("m:fin:cm:ip_yes", needs="approved", back=card)
def paid(visit: Visit, commission_id: int, number: int = 1) -> Reply:
    """The office is told to look for the payment."""
    commissions.report_paid(commission_id=commission_id, actor=visit.actor)
    return Reply(card(visit, commission_id, number).screen, toast=_("Thank you. The office will check the payment."))


def screen_of(visit: Visit, commission_id: int) -> Screen:
    """The card of an own commission. Raises NotFoundError."""
    return screen(own(visit, commission_id))


def screen(commission: Commission, number: int = 1, *, came_from: Button | None = None) -> Screen:
    """The card: the requisites are those the commission was made with. `came_from` replaces the way to the list."""
    pay_to = commission.pay_to_snapshot or {}
    open_ = commission.status in CommissionStatus.UNPAID
    rows: list[list[Button]] = []
    if _can_report(commission):
        rows.append([tap(_("💸 I paid"), "m:fin:cm:ip", commission.pk, number)])
    if open_:
        rows += _copies(pay_to)
    if not came_from:
        rows.append([tap(_("Order #%(id)s") % {"id": commission.order_id}, "m:fin:cm:ord", commission.pk, number)])
    rows.append([came_from or back("m:fin", number), menu_button()])
    context = {"commission": commission, "order": commission.order, "pay_to": pay_to, "open": open_}
    return page("master/commission.html", rows, **context)


def _copies(pay_to: dict[str, Any]) -> list[list[Button]]:
    """What is typed into a bank's application."""
    values = {
        _("📋 Card"): pay_to.get("card_number"),
        _("📋 SBP phone"): show_phone(pay_to.get("sbp_phone")),
        _("📋 Comment"): pay_to.get("comment"),
    }
    row = [Button(name, copy=str(value)) for name, value in values.items() if value]
    return [row] if row else []


def _can_report(commission: Commission) -> bool:
    owed = commission.status in (CommissionStatus.WAIT_PAY, CommissionStatus.OVERDUE)
    return owed and not commission.paid_reported_at


def own(visit: Visit, commission_id: int) -> Commission:
    """The master's own commission, in any state. Raises NotFoundError."""
    commission = commission_of(master_id=visit.master.pk, commission_id=commission_id)
    if commission is None:
        raise NotFoundError(_("There is no commission #%(id)s.") % {"id": commission_id})
    return commission
