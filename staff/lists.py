"""Masters as the office lists them: every master is in exactly one group, but for those on shift."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from staff import scope
from staff.enums import ModerationStatus, ShiftStatus
from staff.models import Master, StaffUser

APPROVED = Q(moderation_status=ModerationStatus.APPROVED, is_deleted=False)
GROUPS = {
    "ok": APPROVED & Q(is_blocked=False, is_active=True),
    "on": APPROVED & Q(is_blocked=False, is_active=True, shift_status=ShiftStatus.SHIFT_ON),
    "blk": APPROVED & (Q(is_blocked=True) | Q(is_active=False)),
    "rej": Q(moderation_status=ModerationStatus.REJECTED, is_deleted=False),
    "del": Q(is_deleted=True),
}


def masters(member: StaffUser, group: str, *, skill: str = "", text: str = "") -> QuerySet[Master]:
    """Masters of a group in the member's cities by name. `skill`: its code; `text`: a part of name or phone."""
    rows = scope.masters(member).filter(GROUPS[group])
    if skill:
        rows = rows.filter(skills__code=skill)
    if text:
        digits = "".join(char for char in text if char.isdigit())
        rows = rows.filter(Q(full_name__icontains=text) | (Q(phone__contains=digits[-10:]) if len(digits) > 3 else Q()))
    return rows.select_related("city").prefetch_related("skills").order_by("full_name", "id")
