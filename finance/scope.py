"""Commissions a person may see: by the order's city, and only for roles with the right to finance."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from fieldservice.lib.errors import NotFoundError
from finance.models import Commission
from staff import access, scope
from staff.models import StaffUser


def visible_to(member: StaffUser) -> QuerySet[Commission]:
    """The commissions of the member's cities; none for a LOGIST."""
    rows = Commission.objects.select_related("order__city", "master")
    if not member.is_active or not access.may(member.role, "finance.see"):
        return rows.none()
    return rows if scope.sees_all(member) else rows.filter(order__city_id__in=scope.city_ids(member))


def get_for(member: StaffUser, pk: int) -> Commission:
    """One commission. Raises NotFoundError: a stranger's commission does not exist."""
    commission = visible_to(member).filter(pk=pk).first()
    if commission is None:
        raise NotFoundError(_("There is no commission #%(id)s.") % {"id": pk})
    return commission
