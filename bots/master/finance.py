"""Commissions: what is owed, being checked, paid; where to pay, «I paid»."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.buttons import back, pager, tap
from bots.callbacks import on
from bots.master.menu import menu_button
from bots.screens import PAGE, Button, Screen, page
from bots.visit import Reply, Visit
from fieldservice.lib import localtime
from fieldservice.lib.errors import NotFoundError
from fieldservice.lib.localtime import format_moment
from fieldservice.lib.money import show_money
from fieldservice.lib.phones import show_phone
from finance.enums import CommissionStatus as S
from finance.models import Commission
from finance.selectors import commission_of, latest_requisites_id, receipts_of, some_commissions, totals_of
from finance.services import commissions

#: tab → its states; reported ones stay among those awaited
TABS = {"aw": (S.WAIT_PAY, S.REPORTED), "ov": (S.OVERDUE,), "pd": (S.APPROVED,)}
#: tab → when, and what of a commission that is
TIMES = {
    "aw": (gettext_lazy("Order #%(id)s, pay until %(time)s"), "deadline_at"),
    "ov": (gettext_lazy("Order #%(id)s, was due %(time)s"), "deadline_at"),
    "pd": (gettext_lazy("Order #%(id)s, approved %(time)s"), "paid_approved_at"),
}
TITLES = {"aw": gettext_lazy("⏳ To pay"), "ov": gettext_lazy("⛔ Overdue"), "pd": gettext_lazy("✅ Paid")}


@on("m:fin", needs="approved")
def finance_list(visit: Visit, tab: str = "-", number: int = 1) -> Reply:
    """A tab with its totals; without a name, the one that needs something: overdue first."""
    sums = totals_of(visit.master.pk)
    if tab not in TABS:
        tab, number = ("ov" if sums.count(S.OVERDUE) else "aw"), 1
    pages = max(1, -(-sums.count(*TABS[tab]) // PAGE))
    number = min(max(number, 1), pages)
    order = ("-paid_approved_at", "-id") if tab == "pd" else ("deadline_at", "-id")
    items = some_commissions(
        master_id=visit.master.pk, states=TABS[tab], order=order, start=(number - 1) * PAGE, size=PAGE
    )
    rows = [
        [_tab(name, sums.count(*states), now=tab) for name, states in TABS.items()],
        *([tap(_("Commission #%(id)s") % {"id": item.pk}, "m:fin:cm", item.pk, number, tab)] for item in items),
        pager("m:fin", number, pages, tab),
        [tap(_("🏦 Where to pay"), "m:req"), tap(_("🔄 Refresh"), "m:fin", tab, number)],
        [menu_button()],
    ]
    context = {
        "owed": sums.sum(*S.UNPAID) - sums.sum_to_check, "checking": sums.sum_to_check, "paid": sums.sum(S.APPROVED),
        "title": TITLES[tab], "lines": [_line(item, tab) for item in items], "page": number, "pages": pages, "tab": tab,
    }  # fmt: skip
    return Reply(page("master/finance.html", rows, **context))


def _line(commission: Commission, tab: str) -> dict[str, str]:
    """A commission in a list. Words are put together here: a template does it in ten times as long."""
    sentence, field = TIMES[tab]
    paid = commission.paid_amount if tab == "pd" else None
    zone: str = commission.zone  # type: ignore[attr-defined]
    time = format_moment(getattr(commission, field), tz=localtime.zone(zone), now=timezone.now())
    return {
        "number": f"#{commission.pk}",
        "sum": show_money(commission.amount if paid is None else paid),
        "status": commission.state,
        "when": sentence % {"id": commission.order_id, "time": time},
    }


def _tab(name: str, count: int, *, now: str) -> Button:
    caption = f"{TITLES[name]} ({count})"
    return tap(f"· {caption} ·" if name == now else caption, "m:fin", name)


@on("m:fin:cm", needs="approved", back=lambda visit, commission_id, number=1, tab="-": finance_list(visit, tab, number))
def card(visit: Visit, commission_id: int, number: int = 1, tab: str = "-") -> Reply:
    """One commission with everything needed to pay it."""
    return Reply(screen(own(visit, commission_id), number, tab))


@on("m:fin:cm:ip", needs="approved", back=card)
def ask_paid(visit: Visit, commission_id: int, number: int = 1, tab: str = "-") -> Reply:
    """Have you really paid?"""
    commission = own(visit, commission_id)
    if not _can_report(commission):
        return card(visit, commission_id, number, tab)
    at = (commission_id, number, tab)
    rows = [[tap(_("Yes, I paid"), "m:fin:cm:ip_yes", *at), tap(_("Not yet"), "m:fin:cm", *at)]]
    return Reply(page("master/paid.html", rows, commission=commission))


@on("m:fin:cm:ip_yes", needs="approved", back=card)
def paid(visit: Visit, commission_id: int, number: int = 1, tab: str = "-") -> Reply:
    """The office is told to look for the payment."""
    commissions.report_paid(commission_id=commission_id, actor=visit.actor)
    shown = card(visit, commission_id, number, tab).screen
    return Reply(shown, toast=_("Thank you. The office will check the payment."))


def screen_of(visit: Visit, commission_id: int) -> Screen:
    """The card of an own commission. Raises NotFoundError."""
    return screen(own(visit, commission_id))


def screen(commission: Commission, number: int = 1, tab: str = "-", *, came_from: Button | None = None) -> Screen:
    """The card: the requisites are those the commission was made with. `came_from` replaces the way to the list."""
    pay_to = commission.pay_to_snapshot if isinstance(commission.pay_to_snapshot, dict) else {}
    open_ = commission.status in S.UNPAID
    receipts = len(receipts_of(commission.pk))
    newer = open_ and commission.requisites_id is not None and commission.requisites_id != latest_requisites_id()
    at = (commission.pk, number, tab)
    rows = [*_answers(commission, at), *(_pay(pay_to, at) if open_ else [])]
    if receipts:
        rows.append([tap(_("🧾 Receipts (%(count)s)") % {"count": receipts}, "m:fin:cm:files", *at)])
    if newer:
        rows.append([tap(_("🏦 Newer requisites"), "m:req")])
    if not came_from:
        rows.append([tap(_("Order #%(id)s") % {"id": commission.order_id}, "m:fin:cm:ord", *at)])
    rows.append([came_from or back("m:fin", tab, number), menu_button()])
    context = {
        "commission": commission, "order": commission.order, "pay_to": pay_to, "open": open_, "receipts": receipts,
        "can_report": _can_report(commission), "newer": newer,
    }  # fmt: skip
    return page("master/commission.html", rows, **context)


def _answers(commission: Commission, at: tuple[int, int, str]) -> list[list[Button]]:
    row = [tap(_("💸 I paid"), "m:fin:cm:ip", *at)] if _can_report(commission) else []
    if commission.status in S.UNPAID:
        row.append(tap(_("📎 Send a receipt"), "m:fin:cm:chk", *at))
    return [row] if row else []


def _pay(pay_to: dict[str, Any], at: tuple[int, int, str]) -> list[list[Button]]:
    """What is typed into a bank's application, and the code it scans."""
    values = {
        _("📋 Card"): pay_to.get("card_number"),
        _("📋 SBP phone"): show_phone(pay_to.get("sbp_phone")),
        _("📋 Comment"): pay_to.get("comment"),
    }
    row = [Button(name, copy=str(value)) for name, value in values.items() if value]
    code = [tap(_("🔳 QR code"), "m:fin:cm:qr", *at)] if pay_to.get("sbp_qr") else []
    return [line for line in (row, code) if line]


def _can_report(commission: Commission) -> bool:
    return commission.status in (S.WAIT_PAY, S.OVERDUE) and not commission.paid_reported_at


def own(visit: Visit, commission_id: int) -> Commission:
    """The master's own commission, in any state. Raises NotFoundError."""
    commission = commission_of(master_id=visit.master.pk, commission_id=commission_id)
    if commission is None:
        raise NotFoundError(_("There is no commission #%(id)s.") % {"id": commission_id})
    return commission
