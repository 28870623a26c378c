"""What both bots say unasked about money beyond the plain approval: reminders, corrections, rewards, payouts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from bots.buttons import tap
from bots.delivery.render import Post, event, payload
from bots.delivery.to_staff import commission_post
from bots.master.menu import menu_button
from bots.media import MAX_BYTES, Enclosure
from bots.screens import Button, page
from fieldservice.lib.localtime import format_moment, zone
from fieldservice.outbox.models import Notification
from finance.enums import CommissionStatus as S
from finance.enums import ExportStatus
from finance.models import Commission, Export, OwnerRequisites, ReferralReward
from finance.selectors import commission_of
from finance.services import exports
from staff import scope
from staff.models import StaffUser


@event("master", "commission_reminder")
def commission_reminder(row: Notification, now: datetime) -> Post | None:
    """The deadline is near; the time left is that of the sending."""
    commission = _own(row, S.WAIT_PAY)
    if commission is None or commission.deadline_at <= now:
        return None
    minutes = max(1, int((commission.deadline_at - now).total_seconds() // 60))
    return _post("push/commission_reminder.html", commission, minutes=minutes)


@event("master", "commission_changed")
def commission_changed(row: Notification, now: datetime) -> Post | None:
    """The office corrected the sum of the order, and the due with it."""
    commission = _own(row, *S.UNPAID)
    return _post("push/commission_changed.html", commission, reason=payload(row, "reason")) if commission else None


@event("master", "commission_revoked")
def commission_revoked(row: Notification, now: datetime) -> Post | None:
    """An approval was taken back: the debt is there again."""
    commission = _own(row, *S.UNPAID)
    return _post("push/commission_revoked.html", commission, reason=payload(row, "reason")) if commission else None


@event("master", "requisites_changed")
def requisites_changed(row: Notification, now: datetime) -> Post | None:
    """New requisites, in full, to who has to pay. An older version is not sent after a newer one."""
    latest = OwnerRequisites.objects.defer("sbp_qr").order_by("-pk").first()
    owes = Commission.objects.filter(master_id=row.master_id or 0, status__in=(S.WAIT_PAY, S.OVERDUE)).exists()
    if latest is None or latest.pk != payload(row, "requisites_id") or not owes:
        return None
    return Post(page("push/requisites.html", [[tap(_("💳 Finance"), "m:fin")]], pay_to=latest))


@event("master", "referral_reward_canceled")
def reward_canceled(row: Notification, now: datetime) -> Post | None:
    """A reward was taken back."""
    reward = ReferralReward.objects.filter(pk=payload(row, "reward_id") or 0, referrer_id=row.master_id or 0).first()
    if reward is None or reward.status != "CANCELED":
        return None
    return Post(page("push/reward_canceled.html", [[menu_button()]], reward=reward, reason=payload(row, "reason")))


@event("master", "referral_paid")
def referral_paid(row: Notification, now: datetime) -> Post | None:
    """Rewards went to the bank."""
    return Post(page("push/referral_paid.html", [[menu_button()]], amount=_decimal(row)))


@event("admin", "commission_report_waits")
def commission_report_waits(row: Notification, now: datetime) -> Post | None:
    """A reported payment nobody has looked at."""
    return commission_post(row, "push/report_waits.html", lambda c: c.paid_reported_at is not None and not c.is_paid)


@event("admin", "payout_requested")
def payout_requested(row: Notification, now: datetime) -> Post | None:
    """A master asks for his rewards; only to who may see him."""
    member = StaffUser.objects.filter(pk=row.staff_id or 0).first()
    master = scope.masters(member).filter(pk=payload(row, "master_id") or 0).first() if member else None
    return Post(page("push/payout_requested.html", [], master=master, amount=_decimal(row))) if master else None


def _own(row: Notification, *states: str) -> Commission | None:
    commission = commission_of(master_id=row.master_id or 0, commission_id=payload(row, "commission_id") or 0)
    return commission if commission and commission.status in states else None


def _post(template: str, commission: Commission, **context: Any) -> Post:
    rows: list[list[Button]] = [[tap(_("Open commission #%(id)s") % {"id": commission.pk}, "m:fin:cm", commission.pk)]]
    return Post(page(template, rows, commission=commission, **context))


def _decimal(row: Notification) -> Any:
    try:
        return Decimal(str(payload(row, "amount")))
    except InvalidOperation:
        return None


@event("admin", "export_ready")
def export_ready(row: Notification, now: datetime) -> Post | None:
    """The file, where it was asked for in the bot and Telegram takes it; else where it lies, and until when."""
    export = _export(row, ExportStatus.DONE)
    if export is None:
        return None
    until = format_moment(export.expires_at, tz=zone(None), now=now)
    context = {"export": export, "name": exports.file_name(export), "until": until}
    document = _document(export) if export.via == "bot" else None
    return Post(page("push/export_ready.html", [], sent=bool(document), **context), document=document)


@event("admin", "export_posted")
def export_posted(row: Notification, now: datetime) -> Post | None:
    """The file for the REPORTS channel."""
    export = Export.objects.filter(pk=payload(row, "export_id") or 0, status=ExportStatus.DONE).first()
    document = _document(export) if export else None
    if export is None or document is None:
        return None
    return Post(page("push/export_posted.html", [], export=export, period=exports.period_of(export)), document=document)


def _document(export: Export) -> Enclosure | None:
    body = exports.content(export, limit=MAX_BYTES)
    return Enclosure("DOCUMENT", name=exports.file_name(export), content=body) if body else None


@event("admin", "export_failed")
def export_failed(row: Notification, now: datetime) -> Post | None:
    """No file, and why."""
    export = _export(row, ExportStatus.FAILED)
    return Post(page("push/export_failed.html", [], reason=_(export.error))) if export else None


def _export(row: Notification, status: str) -> Export | None:
    rows = Export.objects.filter(staff_id=row.staff_id or 0, status=status)
    return rows.filter(pk=payload(row, "export_id") or 0).first()


@event("admin", "commission_receipt")
def commission_receipt(row: Notification, now: datetime) -> Post | None:
    """A receipt came for an unpaid commission."""
    return commission_post(row, "push/receipt.html", lambda c: not c.is_paid)
