"""What the master bot says unasked."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from bots.buttons import tap
from bots.delivery.render import Post, event, payload
from bots.master import offers
from bots.master.menu import menu_button
from bots.screens import Button, page
from fieldservice.outbox.models import Notification
from fieldservice.runtime import registry
from finance.enums import CommissionStatus
from finance.models import Commission, ReferralReward
from finance.selectors import commission_of
from orders.enums import OrderStatus
from orders.selectors import offer_of, order_of
from staff.enums import ModerationStatus, ShiftStatus
from staff.models import Master, Skill


@event("master", "offer")
def offer(row: Notification, now: datetime) -> Post | None:
    """A live offer with its deadline and buttons; later, what became of it."""
    found = offer_of(master_id=row.master_id or 0, offer_id=payload(row, "offer_id") or 0)
    if found is None:
        return None
    live = offers.redraw(found.pk, found.master_id)
    return Post(offers.screen(found, now=now), over=not offers.is_live(found, now), live=live)


@event("master", "order_assigned")
def order_assigned(row: Notification, now: datetime) -> Post | None:
    """Staff assigned an order directly."""
    order = order_of(master_id=row.master_id or 0, order_id=payload(row, "order_id") or 0)
    if order is None or order.status not in OrderStatus.ACTIVE:
        return None
    rows = [[tap(_("Open #%(id)s") % {"id": order.pk}, "m:act:card", order.pk)]]
    return Post(page("push/assigned.html", rows, order=order))


@event("master", "order_changed")
def order_changed(row: Notification, now: datetime) -> Post | None:
    """Staff changed an order the master works on: the card as it is now."""
    order = order_of(master_id=row.master_id or 0, order_id=payload(row, "order_id") or 0)
    if order is None or order.status not in OrderStatus.ACTIVE:
        return None
    rows = [[tap(_("Open #%(id)s") % {"id": order.pk}, "m:act:card", order.pk)]]
    return Post(page("push/order_changed.html", rows, order=order))


@event("master", "order_withdrawn")
def order_withdrawn(row: Notification, now: datetime) -> Post | None:
    """Canceled, or returned to search: true for ever."""
    canceled = payload(row, "status") == OrderStatus.CANCELED
    context = {"id": payload(row, "order_id"), "reason": payload(row, "reason"), "canceled": canceled}
    return Post(page("push/withdrawn.html", [[menu_button()]], **context))


@event("master", "commission_approved")
def commission_approved(row: Notification, now: datetime) -> Post | None:
    """The money has arrived."""
    commission = _commission(row)
    if commission is None or commission.status != CommissionStatus.APPROVED:
        return None
    return Post(page("push/commission_approved.html", [[menu_button()]], commission=commission))


@event("master", "commission_rejected")
def commission_rejected(row: Notification, now: datetime) -> Post | None:
    """The payment was not found: why, and until when to pay."""
    commission = _commission(row)
    if commission is None or commission.status == CommissionStatus.APPROVED:
        return None
    context = {"commission": commission, "reason": payload(row, "reason")}
    return Post(page("push/commission_rejected.html", [_open(commission)], **context))


@event("master", "commission_overdue")
def commission_overdue(row: Notification, now: datetime) -> Post | None:
    """Blocked for a debt: how much, and the way out."""
    commission = _commission(row)
    if commission is None or commission.status != CommissionStatus.OVERDUE:
        return None
    return Post(page("push/commission_overdue.html", [_open(commission)], commission=commission))


@event("master", "account_blocked")
def account_blocked(row: Notification, now: datetime) -> Post | None:
    """Blocked by the office or the system, while it lasts."""
    if not Master.objects.filter(pk=row.master_id or 0, is_blocked=True).exists():
        return None
    context = {"reason": payload(row, "reason"), "support": registry.get("support_contact")}
    return Post(page("push/blocked.html", [[menu_button()]], **context))


@event("master", "account_unblocked")
def account_unblocked(row: Notification, now: datetime) -> Post | None:
    """The block is over; the shift is started by the master."""
    if Master.objects.filter(pk=row.master_id or 0, is_blocked=True).exists():
        return None
    return Post(page("push/unblocked.html", [[tap(_("▶️ Start shift"), "m:sh:on")], [menu_button()]]))


@event("master", "moderation_approved")
def moderation_approved(row: Notification, now: datetime) -> Post | None:
    """The application is approved."""
    if not _members(row).exists():
        return None
    return Post(page("push/approved.html", [[tap(_("▶️ Start shift"), "m:sh:on")], [menu_button()]]))


@event("master", "moderation_rejected")
def moderation_rejected(row: Notification, now: datetime) -> Post | None:
    """The application is rejected: why, and how to go on."""
    rejected = Master.objects.filter(pk=row.master_id or 0, moderation_status=ModerationStatus.REJECTED)
    if not rejected.exists():
        return None
    return Post(page("push/rejected.html", [[tap(_("📝 Apply again"), "m:onb:again")]], reason=payload(row, "reason")))


@event("master", "limit_changed")
def limit_changed(row: Notification, now: datetime) -> Post | None:
    """The office has changed how many orders the master may have at once."""
    master = _members(row).first()
    if master is None:
        return None
    limit = master.max_active_orders_override
    limit = registry.get("max_active_orders") if limit is None else limit
    return Post(page("push/limit.html", [[menu_button()]], limit=limit))


@event("master", "skills_decided")
def skills_decided(row: Notification, now: datetime) -> Post | None:
    """Skills the master asked for: granted or not."""
    if not _members(row).exists():
        return None
    names = list(Skill.objects.filter(pk__in=payload(row, "skills") or []).order_by("name"))
    return Post(page("push/skills_decided.html", [[menu_button()]], skills=names, granted=payload(row, "granted")))


@event("master", "abilities_changed")
def abilities_changed(row: Notification, now: datetime) -> Post | None:
    """The office has set the master's skills or districts: they are told as they are now."""
    master, what = _members(row).first(), payload(row, "what")
    if master is None:
        return None
    rows = master.districts if what == "districts" else master.skills.filter(is_active=True)
    names = list(rows.order_by("name").values_list("name", flat=True)[:60])
    return Post(page("push/abilities.html", [[menu_button()]], what=what, names=names))


@event("master", "account_deleted")
def account_deleted(row: Notification, now: datetime) -> Post | None:
    """The account is closed, as long as it is."""
    if not Master.objects.filter(pk=row.master_id or 0, is_deleted=True).exists():
        return None
    context = {"reason": payload(row, "reason"), "support": registry.get("support_contact")}
    return Post(page("push/account_deleted.html", [[tap(_("📝 Apply again"), "m:onb:again")]], **context))


@event("master", "referral_registered")
def referral_registered(row: Notification, now: datetime) -> Post | None:
    """Somebody the master invited has applied."""
    invited = Master.objects.filter(pk=payload(row, "master_id") or 0).first()
    return Post(page("push/referral.html", [[menu_button()]], invited=invited)) if invited else None


@event("master", "break_reminder")
def break_reminder(row: Notification, now: datetime) -> Post | None:
    """The break is nearly over; stale once it was ended or extended."""
    master = Master.objects.select_related("city").filter(pk=row.master_id or 0, shift_status=ShiftStatus.BREAK).first()
    if master is None or master.break_until is None or master.break_until.isoformat() != payload(row, "until"):
        return None
    rows = [[tap(_("▶️ Return to shift"), "m:sh:brk:ok"), tap(_("⏳ Extend"), "m:sh:brk")], [menu_button()]]
    return Post(page("push/break_reminder.html", rows, master=master))


@event("master", "break_over")
def break_over(row: Notification, now: datetime) -> Post | None:
    """The break is over and the shift with it; one tap resumes."""
    if not Master.objects.filter(pk=row.master_id or 0, shift_status=ShiftStatus.SHIFT_OFF).exists():
        return None
    return Post(page("push/break_over.html", [[tap(_("▶️ Start shift"), "m:sh:on")], [menu_button()]]))


@event("master", "referral_reward_accrued")
def reward_accrued(row: Notification, now: datetime) -> Post | None:
    """An invited master has paid a commission."""
    reward = ReferralReward.objects.filter(pk=payload(row, "reward_id") or 0, referrer_id=row.master_id or 0).first()
    return Post(page("push/reward.html", [[menu_button()]], reward=reward)) if reward else None


def _members(row: Notification) -> QuerySet[Master]:
    return Master.objects.filter(
        pk=row.master_id or 0, moderation_status=ModerationStatus.APPROVED, is_deleted=False
    ).select_related("city")


def _commission(row: Notification) -> Commission | None:
    return commission_of(master_id=row.master_id or 0, commission_id=payload(row, "commission_id") or 0)


def _open(commission: Commission) -> list[Button]:
    return [tap(_("Open commission #%(id)s") % {"id": commission.pk}, "m:fin:cm", commission.pk)]
