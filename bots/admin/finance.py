"""Commissions of the member's cities: tabs with totals, by period, the card, receipts, approval.

Where a card was opened from is a word in its addresses: the tab, and the letter of the period if there is one (`unw`).
"""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.admin import orders, origin
from bots.admin.menu import menu_button
from bots.buttons import back, in_columns, pager, tap
from bots.callbacks import on
from bots.media import Enclosure
from bots.screens import PAGE, Button, Screen, page
from bots.visit import Reply, Visit
from fieldservice.lib.errors import NotFoundError
from fieldservice.lib.masking import mask_phone
from finance import ages, scope
from finance.enums import CommissionStatus as S
from finance.models import Commission
from finance.models.commission import TO_CHECK
from finance.selectors import Totals, receipts_of, totals
from finance.services import commissions
from staff import access
from staff import scope as staff_scope
from staff.models import StaffUser

#: tab → what it holds; an overdue commission with a reported payment is in three
TABS = {"un": Q(status__in=S.UNPAID), "rp": TO_CHECK, "ov": Q(status=S.OVERDUE), "pd": Q(status=S.APPROVED)}
TITLES = {
    "un": gettext_lazy("Unpaid"), "rp": gettext_lazy("💸 Reported"), "ov": gettext_lazy("⛔ Overdue"),
    "pd": gettext_lazy("✅ Paid"),
}  # fmt: skip
ORDER = {"rp": ("paid_reported_at", "id"), "pd": ("-paid_approved_at", "-id")}
origin.register("f", "adm:f:cm:card")


@on("adm:f:aw", needs="finance.see")
def awaiting(visit: Visit, number: int = 1, tab: str = "un") -> Reply:
    """A tab with its totals, or a period of it; one row more than a page tells whether there is a next one."""
    (tab, period), number, now = _split(tab), max(number, 1), timezone.now()
    seen, word = scope.visible_to(visit.member), tab + period
    sums = totals(seen.filter(status__in=S.UNPAID))  # those paid are a million
    listed, together = seen.filter(TABS[tab]), None
    if period:
        groups = ages.groups(listed, paid=tab == "pd", now=now)
        together = next((group for group in groups if group.letter == period), None)
        listed = ages.within(listed, period, paid=tab == "pd", now=now)
    order = ORDER.get(tab, ("deadline_at", "id"))
    found = list(listed.order_by(*order)[(number - 1) * PAGE : number * PAGE + 1])
    items, more = found[:PAGE], len(found) > PAGE
    rows = [
        *([] if period else _tabs(sums, tab, "adm:f:aw", 1)),
        *([tap(_("Commission #%(id)s") % {"id": item.pk}, "adm:f:cm:card", item.pk, number, word)] for item in items),
        _turn(number, number + more, word),
        *([[back("adm:f:by", tab)]] if period else [[tap(_("📅 By period"), "adm:f:by", tab)]]),
        *([] if period else in_columns(_tools(visit.member, sums.to_check))),
        [tap(_("🔄 Refresh"), "adm:f:aw", number, word), menu_button()],
    ]
    context = {"commissions": items, "page": number, "tab": tab, "title": TITLES[tab]}
    context |= {"period": ages.NAMES.get(period), "together": together}
    context |= {"owed": sums.sum(*S.UNPAID), "checking": sums.sum_to_check, "overdue": sums.sum(S.OVERDUE)}
    return Reply(page("admin/commissions.html", rows, **context))


@on("adm:f:by", needs="finance.see", back=lambda visit, tab="un": awaiting(visit, 1, tab))
def by_period(visit: Visit, tab: str = "un") -> Reply:
    """How many and how much, by age; a period leads to its list."""
    tab = _split(tab)[0]
    seen = scope.visible_to(visit.member)
    sums = totals(seen.filter(status__in=S.UNPAID))
    groups = ages.groups(seen.filter(TABS[tab]), paid=tab == "pd", now=timezone.now())
    names = [
        tap(group.name + ("" if group.count is None else f" ({group.count})"), "adm:f:aw", 1, tab + group.letter)
        for group in groups
    ]
    rows = [*_tabs(sums, tab, "adm:f:by"), *in_columns(names), [back("adm:f:aw", 1, tab), menu_button()]]
    return Reply(page("admin/commissions_by.html", rows, groups=groups, tab=tab, title=TITLES[tab]))


@on("adm:f:cm:card", needs="finance.see",
    back=lambda visit, commission_id, number=1, tab="un": awaiting(visit, number, tab))  # fmt: skip
def card(visit: Visit, commission_id: int, number: int = 1, tab: str = "un") -> Reply:
    """One commission."""
    return Reply(screen(visit.member, commission_id, number, tab))


@on("adm:f:cm:ok", needs="finance.approve", back=card)
def ask_approve(visit: Visit, commission_id: int, number: int = 1, tab: str = "un") -> Reply:
    """Is the money really here?"""
    commission = scope.get_for(visit.member, commission_id)
    if commission.status == S.APPROVED:
        return card(visit, commission_id, number, tab)
    at = (commission_id, number, tab)
    yes = tap(_("✅ Yes, approve"), "adm:f:cm:approve", *at)
    rows = [[yes, tap(_("No"), "adm:f:cm:card", *at)], [tap(_("✏️ Another amount"), "adm:f:cm:amount", *at)]]
    return Reply(page("admin/approve.html", rows, commission=commission))


@on("adm:f:cm:approve", needs="finance.approve", back=card)
def approve(visit: Visit, commission_id: int, number: int = 1, tab: str = "un") -> Reply:
    """The payment is confirmed: the order is closed. The amount is the commission's own, never a remembered one."""
    commission = scope.get_for(visit.member, commission_id)
    commissions.approve(commission_id=commission.pk, actor=visit.actor)
    return Reply(screen(visit.member, commission_id, number, tab), toast=_("Approved: the order is closed."))


@on("adm:f:cm:files", needs="finance.see", back=card)
def show_receipts(visit: Visit, commission_id: int, number: int = 1, tab: str = "un") -> Reply:
    """What the master sent to prove the payment."""
    commission = scope.get_for(visit.member, commission_id)
    found = receipts_of(commission.pk)
    if not found:
        raise NotFoundError(_("There are no files."))
    caption = _("Commission #%(id)s") % {"id": commission.pk}
    files = tuple(Enclosure(row.file_type, row.file_id, row.bot, row.file_name or "", caption) for row in found)
    return Reply(screen(visit.member, commission_id, number, tab), files=files)


@on("adm:f:cm:order", needs="finance.see", back=card)
def order_of_commission(visit: Visit, commission_id: int, number: int = 1, tab: str = "un") -> Reply:
    """The order a commission is for; Back leads to the commission."""
    commission = scope.get_for(visit.member, commission_id)
    return orders.shown(visit, commission.order_id, origin.word("f", commission.pk, number, tab))


def screen(member: StaffUser, commission_id: int, number: int = 1, tab: str = "un") -> Screen:
    """The card. Raises NotFoundError for a commission of another city."""
    commission = scope.get_for(member, commission_id)
    at = (commission.pk, number, tab)
    receipts = len(receipts_of(commission.pk))
    rows = _decisions(commission, at)
    if receipts:
        rows.append([tap(_("🧾 Receipts (%(count)s)") % {"count": receipts}, "adm:f:cm:files", *at)])
    rows.append([tap(_("Order #%(id)s") % {"id": commission.order_id}, "adm:f:cm:order", *at)])
    if access.may(member.role, "master.moderate") and _is_own(member, commission):
        rows[-1].append(tap(_("✅ Unblock"), "adm:f:unb", *at) if commission.master.is_blocked
                        else tap(_("⛔ Block"), "adm:f:blk", *at))  # fmt: skip
    rows.append([back("adm:f:aw", number, tab), menu_button()])
    context = {"commission": commission, "order": commission.order, "receipts": receipts, "pay_to": _masked(commission)}
    return page("admin/commission.html", rows, **context)


def _is_own(member: StaffUser, commission: Commission) -> bool:
    """Whether the member decides on the master, too: he may have gone, or moved to another city."""
    master = commission.master
    if master.is_deleted:
        return False
    return master.city_id == commission.order.city_id or staff_scope.masters(member).filter(pk=master.pk).exists()


def _decisions(commission: Commission, at: tuple[int, int, str]) -> list[list[Button]]:
    if commission.status not in S.UNPAID:
        return []
    row = [tap(_("✅ Approve"), "adm:f:cm:ok", *at)]
    if commission.waits_for_check:
        row.append(tap(_("❌ Not found"), "adm:f:cm:no", *at))
    return [row]


def _masked(commission: Commission) -> dict[str, str]:
    """The requisites the master was shown, without their whole numbers."""
    pay_to = commission.pay_to_snapshot if isinstance(commission.pay_to_snapshot, dict) else {}
    last4 = str(pay_to.get("card_number_last4") or "")[-4:]
    return {
        "card": f"**** {last4}" if last4 else "",
        "sbp": mask_phone(pay_to.get("sbp_phone")),
        "comment": str(pay_to.get("comment") or ""),
    }


def _tools(member: StaffUser, reported: int) -> list[Button]:
    row = (
        [tap(_("✅ Approve many"), "adm:f:bulk", 1)] if reported and access.may(member.role, "finance.approve") else []
    )
    if access.may(member.role, "export"):
        row.append(tap(_("📄 Exports"), "adm:rep"))
    if access.may(member.role, "finance.requisites"):
        row.append(tap(_("🏦 Requisites"), "adm:f:req"))
    return row


def _turn(number: int, pages: int, tab: str) -> list[Button]:
    turned = pager("adm:f:aw", number, pages)
    return [Button(button.text, data=f"{button.data}:{tab}") for button in turned]


def _split(word: str) -> tuple[str, str]:
    """Tab and period; whatever is none becomes the unpaid ones."""
    tab, period = word[:2], word[2:]
    return (tab if tab in TABS else "un"), (period if period in ages.NAMES else "")


def _tabs(sums: Totals, tab: str, path: str, *before: int) -> list[list[Button]]:
    counts = {"un": sums.count(*S.UNPAID), "rp": sums.to_check, "ov": sums.count(S.OVERDUE)}  # those paid are a million
    names = {name: f"{title} ({counts[name]})" if name in counts else str(title) for name, title in TITLES.items()}
    return in_columns([tap(here(names[name], name == tab), path, *before, name) for name in TABS])


def here(caption: str, chosen: bool) -> str:
    """The caption, marked when it is the one that is shown."""
    return f"· {caption} ·" if chosen else caption
