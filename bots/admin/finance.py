"""Commissions of the member's cities: the list, the card, approval."""

from __future__ import annotations

from django.utils.translation import gettext as _

from bots.admin import orders
from bots.admin.menu import menu_button
from bots.buttons import back, pager, tap
from bots.callbacks import on
from bots.screens import PAGE, Screen, page
from bots.visit import Reply, Visit
from finance import scope
from finance.enums import CommissionStatus
from finance.services import commissions
from staff.models import StaffUser


@on("adm:f:aw", needs="finance.see")
def awaiting(visit: Visit, number: int = 1) -> Reply:
    """What is not settled, the nearest deadline first."""
    number = max(number, 1)
    rows_ = scope.visible_to(visit.member).filter(status__in=CommissionStatus.UNPAID).order_by("deadline_at", "id")
    found = list(rows_[(number - 1) * PAGE : number * PAGE + 1])
    items, more = found[:PAGE], len(found) > PAGE
    rows = [[tap(_("Commission #%(id)s") % {"id": item.pk}, "adm:f:cm:card", item.pk, number)] for item in items]
    rows += [pager("adm:f:aw", number, number + more), [tap(_("🔄 Refresh"), "adm:f:aw", number), menu_button()]]
    return Reply(page("admin/commissions.html", rows, commissions=items, page=number))


@on("adm:f:cm:card", needs="finance.see", back=lambda visit, commission_id, number=1: awaiting(visit, number))
def card(visit: Visit, commission_id: int, number: int = 1) -> Reply:
    """One commission."""
    return Reply(screen(visit.member, commission_id, number))


@on("adm:f:cm:ok", needs="finance.approve", back=card)
def ask_approve(visit: Visit, commission_id: int, number: int = 1) -> Reply:
    """Is the money really here?"""
    commission = scope.get_for(visit.member, commission_id)
    if commission.status == CommissionStatus.APPROVED:
        return card(visit, commission_id, number)
    yes = tap(_("✅ Yes, approve"), "adm:f:cm:approve", commission_id, number)
    rows = [[yes, tap(_("No"), "adm:f:cm:card", commission_id, number)]]
    return Reply(page("admin/approve.html", rows, commission=commission))


@on("adm:f:cm:approve", needs="finance.approve", back=card)
def approve(visit: Visit, commission_id: int, number: int = 1) -> Reply:
    """The payment is confirmed: the order is closed. The amount is the commission's own, never a remembered one."""
    commission = scope.get_for(visit.member, commission_id)
    commissions.approve(commission_id=commission.pk, actor=visit.actor)
    return Reply(screen(visit.member, commission_id, number), toast=_("Approved: the order is closed."))


@on("adm:f:cm:order", needs="finance.see", back=card)
def order_of_commission(visit: Visit, commission_id: int, number: int = 1) -> Reply:
    """The order a commission is for; Back leads to the commission."""
    commission = scope.get_for(visit.member, commission_id)
    way_back = back("adm:f:cm:card", commission_id, number)
    return Reply(orders.screen(visit.member, commission.order_id, came_from=way_back))


def screen(member: StaffUser, commission_id: int, number: int = 1) -> Screen:
    """The card. Raises NotFoundError for a commission of another city."""
    commission = scope.get_for(member, commission_id)
    rows = []
    if commission.status in CommissionStatus.UNPAID:
        rows.append([tap(_("✅ Approve"), "adm:f:cm:ok", commission.pk, number)])
    rows.append([tap(_("Order #%(id)s") % {"id": commission.order_id}, "adm:f:cm:order", commission.pk, number)])
    rows.append([back("adm:f:aw", number), menu_button()])
    return page("admin/commission.html", rows, commission=commission, order=commission.order)
