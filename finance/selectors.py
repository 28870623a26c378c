"""Reading money."""

from __future__ import annotations

from finance.enums import CommissionStatus
from finance.models import Commission


def unpaid_commissions(*, master_id: int) -> list[Commission]:
    """What the master still owes (reported ones included), nearest deadline first."""
    rows = Commission.objects.select_related("order__city").filter(
        master_id=master_id, status__in=CommissionStatus.UNPAID
    )
    return list(rows.order_by("deadline_at", "-id")[:100])


def commission_of(*, master_id: int, commission_id: int) -> Commission | None:
    """The master's own commission in any state."""
    rows = Commission.objects.select_related("order__city", "requisites")
    return rows.filter(pk=commission_id, master_id=master_id).first()
