"""What the admin bot says unasked: to staff members with buttons, to channels as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.utils.html import escape
from django.utils.translation import gettext as _

from bots.admin import moderation
from bots.admin.orders import search_buttons, waiting_minutes
from bots.buttons import tap
from bots.delivery.render import Post, event, payload
from bots.screens import Button, Screen, page
from fieldservice.lib.errors import NotFoundError
from fieldservice.outbox.models import Notification
from finance import scope as finance_scope
from finance.enums import CommissionStatus
from finance.models import Commission
from orders import scope
from orders.enums import OrderStatus
from orders.models import Order
from staff import access
from staff import scope as staff_scope
from staff.enums import ModerationStatus
from staff.models import Master, StaffUser
from staff.services import applications


@event("admin", "escalation_logist")
def escalation_logist(row: Notification, now: datetime) -> Post | None:
    """Dispatch needs a logist."""
    return _escalation(row, to_admin=False)


@event("admin", "escalation_admin")
def escalation_admin(row: Notification, now: datetime) -> Post | None:
    """The logists have had their time."""
    return _escalation(row, to_admin=True)


@event("admin", "commission_reported")
def commission_reported(row: Notification, now: datetime) -> Post | None:
    """A payment to check; no longer news once it is settled."""
    return commission_post(row, "push/reported.html", lambda c: c.paid_reported_at is not None and not c.is_paid)


@event("admin", "commission_overdue_alert")
def commission_overdue_alert(row: Notification, now: datetime) -> Post | None:
    """A master was blocked for a debt."""
    return commission_post(row, "push/overdue_alert.html", lambda c: c.status == CommissionStatus.OVERDUE)


@event("admin", "application")
def application(row: Notification, now: datetime) -> Post | None:
    """A new application with its decision; later, what became of it."""
    master = _master(row)
    if master is None or payload(row, "occasion") != applications.occasion(master):
        return None
    waits = master.moderation_status == ModerationStatus.PENDING and not master.is_deleted
    rows = [[tap(_("Open the application"), "adm:mod:card", master.pk)]]
    if waits:
        rows.append(moderation.decisions(master))
    return Post(page("push/application.html", rows, **moderation.facts(master)), over=not waits)


@event("admin", "skills")
def skills(row: Notification, now: datetime) -> Post | None:
    """A master asks for more skills; later: it was decided."""
    master = _master(row)
    if master is None:
        return None
    wanted = master.skills_wanted if isinstance(master.skills_wanted, dict) else {}
    waits = bool(wanted) and wanted.get("at") == payload(row, "occasion")
    rows = [[tap(_("Open the application"), "adm:mod:card", master.pk)]]
    if waits:
        rows.append(moderation.skill_decisions(master))
    return Post(page("push/skills.html", rows, asks=waits, **moderation.facts(master)), over=not waits)


@event("admin", "access_changed")
def access_changed(row: Notification, now: datetime) -> Post | None:
    """Another role, other cities, or in again: as it is now."""
    member = StaffUser.objects.filter(pk=row.staff_id or 0, is_active=True).first()
    if member is None:
        return None
    rows = [[tap(_("🏠 Menu"), "adm:menu")]]
    return Post(page("push/access_changed.html", rows, member=member, cities=list(member.cities.order_by("name"))))


@event("admin", "dispatch_error")
def dispatch_error(row: Notification, now: datetime) -> Post | None:
    """An order dispatch has set aside."""
    text = _("Dispatch failed for order #%(id)s; it is tried again in five minutes.")
    return Post(Screen("⚠️ " + escape(text % {"id": payload(row, "order_id")})))


@event("admin", "guarantee_refused")
def guarantee_refused(row: Notification, now: datetime) -> Post | None:
    """A master did not come for the guarantee of his own work."""
    master = Master.objects.filter(pk=payload(row, "master_id") or 0).first()
    text = _("Guarantee order #%(id)s: %(name)s refused and is blocked; other masters are asked.")
    return Post(Screen("⛔ " + escape(text % {"id": payload(row, "order_id"), "name": master}))) if master else None


@event("admin", "alert")
@event("master", "alert")  # when it is the admin bot that is silent
def alert(row: Notification, now: datetime) -> Post | None:
    """A line for the ALERTS channel."""
    text = str(payload(row, "text") or "")
    return Post(Screen(("✅ " if payload(row, "good") else "⚠️ ") + escape(text))) if text else None


@event("admin", "alive")
def alive(row: Notification, now: datetime) -> Post | None:
    """A line for the LOGS channel."""
    return Post(Screen(escape(_("%(name)s alive") % {"name": payload(row, "name")})))


def _escalation(row: Notification, *, to_admin: bool) -> Post | None:
    """Only while the order still waits; a member only hears of orders they may see."""
    order = _order(row)
    if order is None or order.status not in OrderStatus.SEARCH or order.dist_escalated_logist_at is None:
        return None
    rows: list[list[Button]] = []
    if row.staff_id:
        rows = [[tap(_("Open #%(id)s") % {"id": order.pk}, "adm:q:card", order.pk)], search_buttons(order)]
    context = {"order": order, "reason": payload(row, "reason"), "waiting": waiting_minutes(order)}
    return Post(page("push/escalation.html", rows, to_admin=to_admin, **context))


def _master(row: Notification) -> Master | None:
    """The master, if the member may decide on masters of that city."""
    member = StaffUser.objects.filter(pk=row.staff_id or 0).first()
    if member is None or not access.may(member.role, "master.moderate"):
        return None
    rows = staff_scope.masters(member).select_related("city", "verified_by")
    return rows.filter(pk=payload(row, "master_id") or 0).first()


def _order(row: Notification) -> Order | None:
    order_id = payload(row, "order_id") or 0
    if not row.staff_id:
        return Order.objects.select_related("city", "district", "street").filter(pk=order_id).first()
    try:
        return scope.get_for(StaffUser.objects.get(pk=row.staff_id), order_id)
    except NotFoundError:
        return None


def commission_post(row: Notification, template: str, holds: Callable[[Commission], bool]) -> Post | None:
    """About a commission the member may see, as long as it `holds`; a channel gets it without buttons."""
    seen = Commission.objects.select_related("order__city", "master")
    if row.staff_id:
        seen = finance_scope.visible_to(StaffUser.objects.get(pk=row.staff_id))
    commission = seen.filter(pk=payload(row, "commission_id") or 0).first()
    if commission is None or not holds(commission):
        return None
    rows: list[list[Button]] = []
    if row.staff_id:
        rows = [[tap(_("Open commission #%(id)s") % {"id": commission.pk}, "adm:f:cm:card", commission.pk)]]
    return Post(page(template, rows, commission=commission))
