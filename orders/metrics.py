"""One row per assignment, for the distribution reports."""

from __future__ import annotations

from datetime import datetime

from orders.models import DispatchDecision, DistributionMetric, Offer, Order


def assigned(order: Order, *, offer: Offer | None, now: datetime, master_id: int | None = None) -> None:
    """`order`, still as it was while searching, gets its master by `offer`, or directly when there is none."""
    decision = (
        DispatchDecision.objects.filter(order_id=order.pk, search_number=order.search_number)
        .order_by("-decided_at")
        .values_list("candidates_count", flat=True)
        .first()
    )
    began = order.search_started_at or order.created_at
    chosen = offer.master_id if offer else master_id
    DistributionMetric.objects.create(
        order_id=order.pk,
        master_id=chosen,
        assigned_at=now,
        round_number=offer.round_number if offer else 0,
        candidates_count=decision or 0,
        time_to_assign_seconds=max(0, int((now - began).total_seconds())),
        preferred_master_used=chosen is not None and chosen == order.preferred_master_id,
        was_escalated_to_logist=order.dist_escalated_logist_at is not None,
        was_escalated_to_admin=order.dist_escalated_admin_at is not None,
        city_id=order.city_id,
        district_id=order.district_id,
        category=order.category,
        order_type=order.type,
        metadata_json={"manual": offer is None or offer.is_manual, "search": order.search_number},
    )
