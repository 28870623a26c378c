"""Money a person may see: by the order's city, and only for roles with the right to finance."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from fieldservice.lib.errors import NotFoundError
from finance.models import Commission, Payout, ReferralReward
from staff import access, scope
from staff.models import StaffUser


def visible_to(member: StaffUser) -> QuerySet[Commission]:
    """The commissions of the member's cities; none for a LOGIST."""
    rows = Commission.objects.select_related("order__city", "master")
    if not _sees_money(member):
        return rows.none()
    return rows if scope.sees_all(member) else rows.filter(order__city_id__in=list(scope.city_ids(member)))


def get_for(member: StaffUser, pk: int) -> Commission:
    """One commission. Raises NotFoundError: a stranger's commission does not exist."""
    commission = visible_to(member).filter(pk=pk).first()
    if commission is None:
        raise NotFoundError(_("There is no commission #%(id)s.") % {"id": pk})
    return commission


def rewards_visible_to(member: StaffUser) -> QuerySet[ReferralReward]:
    """The rewards earned by orders of the member's cities."""
    rows = ReferralReward.objects.select_related("referrer", "referred_master")
    if not _sees_money(member):
        return rows.none()
    return rows if scope.sees_all(member) else rows.filter(commission__order__city_id__in=list(scope.city_ids(member)))


def payouts_visible_to(member: StaffUser) -> QuerySet[Payout]:
    """The payouts all of whose rewards the member sees; an empty one (cancelled) is its author's."""
    if not _sees_money(member):
        return Payout.objects.none()
    if scope.sees_all(member):
        return Payout.objects.all()
    of_it = ReferralReward.objects.filter(payout_id=OuterRef("pk"))
    strange = of_it.exclude(commission__order__city_id__in=list(scope.city_ids(member)))
    mine = Q(Exists(of_it)) | Q(created_by_staff_id=member.pk)
    return Payout.objects.filter(~Exists(strange)).filter(mine)


def _sees_money(member: StaffUser) -> bool:
    return member.is_active and access.may(member.role, "finance.see")
