"""Reading people."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from fieldservice.lib.prepared import prepared
from staff.enums import BlockReason, ModerationStatus, Role
from staff.models import Master, MasterDraft, StaffCity, StaffUser


def master_by_tg(tg_user_id: int) -> Master | None:
    """The master with this Telegram id."""
    return _master_by_tg.first(tg_user_id=tg_user_id)


@prepared
def _master_by_tg(*, tg_user_id: int) -> QuerySet[Master]:
    return Master.objects.select_related("city").filter(tg_user_id=tg_user_id).order_by("pk")[:1]


def member_by_tg(tg_user_id: int) -> StaffUser | None:
    """The staff member with this Telegram id, active or not."""
    return _member_by_tg.first(tg_user_id=tg_user_id)


@prepared
def _member_by_tg(*, tg_user_id: int) -> QuerySet[StaffUser]:
    return StaffUser.objects.filter(tg_user_id=tg_user_id).order_by("pk")[:1]


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


def has_applied(master: Master) -> bool:
    """Whether the master has ever sent an application: v1.2 made a nameless row for whoever looked in."""
    return bool(master.full_name.strip())


def draft_of(tg_user_id: int) -> MasterDraft | None:
    """The unfinished application of this Telegram id."""
    return MasterDraft.objects.select_related("invite").filter(tg_user_id=tg_user_id).first()


def inviter_by_code(code: str) -> Master | None:
    """The approved master whose referral code this is."""
    return Master.objects.filter(
        referral_code=code, is_deleted=False, moderation_status=ModerationStatus.APPROVED
    ).first()


def moderators(city_id: int | None) -> list[StaffUser]:
    """Who decides on masters of the city and can be written to: GLOBAL_ADMINs, and CITY_ADMINs of the city."""
    reachable = StaffUser.objects.filter(is_active=True, tg_user_id__isnull=False)
    mine = Q(role=Role.CITY_ADMIN, pk__in=StaffCity.objects.filter(city_id=city_id or 0).values("staff_user_id"))
    return list(reachable.filter(Q(role=Role.GLOBAL_ADMIN) | mine).order_by("pk"))
