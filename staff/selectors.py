"""Reading people."""

from __future__ import annotations

from django.utils.translation import gettext as _

from staff.enums import BlockReason, ModerationStatus
from staff.models import Master, StaffUser


def master_by_tg(tg_user_id: int) -> Master | None:
    """The master with this Telegram id."""
    return Master.objects.select_related("city").filter(tg_user_id=tg_user_id).first()


def member_by_tg(tg_user_id: int) -> StaffUser | None:
    """The staff member with this Telegram id, active or not."""
    return StaffUser.objects.filter(tg_user_id=tg_user_id).first()


def block_reason(master: Master) -> str:
    """Why the master gets no orders, in words; empty when nothing stands in the way."""
    if master.is_deleted:
        return _("your account is closed")
    if master.is_blocked:
        words = dict(BlockReason.choices).get(master.blocked_reason or "", master.blocked_reason)
        return str(words or _("blocked by the office"))
    if master.moderation_status != ModerationStatus.APPROVED:
        return _("your application is not approved yet")
    return "" if master.is_active else _("your account is switched off")
