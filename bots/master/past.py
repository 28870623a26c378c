"""The card of a finished order; the client's name and phone only while a guarantee may call back."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import words
from bots.buttons import back, tap
from bots.master.menu import menu_button
from bots.screens import Button, Screen, page
from fieldservice.lib.phones import show_phone
from fieldservice.runtime import registry
from finance.models import Commission
from finance.selectors import commission_for
from orders.enums import OrderStatus
from orders.models import Order
from orders.selectors import order_files


def screen(order: Order, chosen: str = "all", number: int = 1, *, came_from: Button | None = None) -> Screen:
    """The card of a finished order. `came_from` replaces the way back to the list and the link to the commission."""
    commission = commission_for(order_id=order.pk, master_id=order.assigned_master_id or 0)
    may_call = _may_call(order)
    rows: list[list[Button]] = []
    if may_call and order.client_phone:
        rows.append([Button(_("📋 Phone"), copy=show_phone(order.client_phone)),
                     Button(_("🗺 Map"), url=words.map_url(order))])  # fmt: skip
    if files := len(order_files(order.pk)):
        caption = _("📎 Files (%(count)s)") % {"count": files}
        rows.append([tap(caption, "m:hist:files", order.pk, chosen, number)])
    if commission and not came_from:
        caption = _("💳 Commission #%(id)s") % {"id": commission.pk}
        rows.append([tap(caption, "m:hist:cm", order.pk, chosen, number)])
    rows.append([came_from or back("m:hist", chosen, number), menu_button()])
    context = {"order": order, "commission": commission, "may_call": may_call, "kept": _kept(order, commission)}
    return page("master/past_order.html", rows, **context)


def _kept(order: Order, commission: Commission | None) -> object:
    """What stays with the master."""
    if order.status != OrderStatus.CLOSED:
        return None
    if commission is None:
        return order.total_sum + order.company_payment
    paid = commission.paid_amount if commission.is_paid and commission.paid_amount is not None else commission.amount
    return order.total_sum - paid


def _may_call(order: Order) -> bool:
    """The client's phone and name are the master's business while a guarantee visit may come."""
    if order.status != OrderStatus.CLOSED or order.closed_at is None:
        return False
    return timezone.now() < order.closed_at + timedelta(days=registry.get("guarantee_days"))
