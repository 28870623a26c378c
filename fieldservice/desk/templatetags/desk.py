"""Filters of the desk's templates."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fieldservice.lib import localtime
from fieldservice.lib.money import show_money
from fieldservice.lib.phones import show_phone
from staff import words

register = template.Library()
DOCUMENTS = {
    "act": gettext_lazy("act"), "passport": gettext_lazy("passport"), "selfie": gettext_lazy("selfie"),
    "receipt": gettext_lazy("receipt"), "check": gettext_lazy("receipt"),
}  # fmt: skip
EVENTS = {
    "offer": gettext_lazy("offer of the order"), "order_assigned": gettext_lazy("assigned by the office"),
    "order_withdrawn": gettext_lazy("order taken back or canceled"), "order_changed": gettext_lazy("order corrected"),
    "commission_approved": gettext_lazy("commission approved"),
    "commission_changed": gettext_lazy("commission corrected"),
    "commission_rejected": gettext_lazy("payment not found"),
    "commission_reminder": gettext_lazy("reminder of the commission"),
    "commission_overdue": gettext_lazy("commission overdue"),
    "commission_revoked": gettext_lazy("approval revoked"),
    "commission_reported": gettext_lazy("payment reported"),
    "commission_receipt": gettext_lazy("receipt sent"),
    "commission_report_waits": gettext_lazy("payment waits to be checked"),
    "commission_overdue_alert": gettext_lazy("commission overdue"),
    "escalation_logist": gettext_lazy("needs a logist"), "escalation_admin": gettext_lazy("needs an admin"),
    "dispatch_error": gettext_lazy("dispatch error"),
    "guarantee_refused": gettext_lazy("guarantee visit refused"),
    "account_blocked": gettext_lazy("account blocked"), "account_unblocked": gettext_lazy("account unblocked"),
    "account_deleted": gettext_lazy("account closed"), "limit_changed": gettext_lazy("limit of orders"),
    "moderation_approved": gettext_lazy("application approved"),
    "moderation_rejected": gettext_lazy("application rejected"), "skills_decided": gettext_lazy("skills decided"),
    "application": gettext_lazy("new application"), "skills": gettext_lazy("skills asked for"),
    "access_changed": gettext_lazy("access changed"), "requisites_changed": gettext_lazy("new requisites"),
    "referral_registered": gettext_lazy("invited master came"),
    "referral_reward_accrued": gettext_lazy("reward accrued"),
    "referral_reward_canceled": gettext_lazy("reward canceled"), "referral_paid": gettext_lazy("reward paid"),
    "payout_requested": gettext_lazy("payout asked for"), "break_reminder": gettext_lazy("break ends soon"),
    "break_over": gettext_lazy("break is over"), "export_ready": gettext_lazy("export is ready"),
    "export_posted": gettext_lazy("export in the channel"), "export_failed": gettext_lazy("export failed"),
    "alert": gettext_lazy("alert"), "alive": gettext_lazy("sign of life"),
}  # fmt: skip


@register.filter
def money(value: Decimal | None) -> str:
    """`3500` → `3 500 ₽`."""
    return "—" if value is None else show_money(value)


@register.filter
def phone(value: str | None) -> str:
    """`+7 999 123-45-67`."""
    return show_phone(value)


@register.filter
def moment(value: datetime | None, tz: Any) -> str:
    """`today 13:05` in the zone `tz`."""
    return localtime.format_moment(value, tz=tz, now=timezone.now())


@register.filter
def moment_seconds(value: datetime | None, tz: Any) -> str:
    """`today 13:05:20` in the zone `tz`."""
    return "—" if value is None else f"{moment(value, tz)}:{value.astimezone(tz):%S}"


@register.filter
def document(code: str | None) -> str:
    """What a file is, in words."""
    return str(DOCUMENTS.get(code or "", code or _("photo or file")))


@register.filter
def event_name(code: str) -> str:
    """What a message is about, in words."""
    return str(EVENTS.get(code, code))


@register.filter
def audit_name(code: str) -> str:
    """What a staff member did, in words."""
    return words.action(code)


@register.filter
def block_reason(code: str | None) -> str:
    """Why somebody is blocked, in words."""
    return words.block_reason(code)
