"""One row per assignment, for the distribution reports."""

from __future__ import annotations

from datetime import datetime

from orders.models import DispatchDecision, DistributionMetric, Offer, Order, OrderStatusHistory

#: decisions that counted candidates; one of used-up rounds did not look for any
COUNTED = ("offered", "no_candidates")


def assigned(order: Order, *, offer: Offer | None, now: datetime, master_id: int | None = None) -> None:
    """`order`, still as it was while searching, gets its master by `offer`, or directly when there is none."""
    decision = (
        DispatchDecision.objects.filter(order_id=order.pk, search_number=order.search_number, outcome__in=COUNTED)
        .order_by("-decided_at", "-id")
        .values_list("candidates_count", flat=True)
        .first()
    )
    began = order.search_started_at or order.created_at
    chosen = offer.master_id if offer else master_id
    # from the history: the marks on the order end with the next offer, so they are gone by now
    escalations = set(
        OrderStatusHistory.objects.filter(
            order_id=order.pk, created_at__gte=began, reason__startswith="distribution_escalate_"
        ).values_list("reason", flat=True)
    )
    DistributionMetric.objects.create(
        order_id=order.pk,
        master_id=chosen,
        assigned_at=now,
        round_number=offer.round_number if offer else 0,
        candidates_count=decision or 0,
        time_to_assign_seconds=max(0, int((now - began).total_seconds())),
        preferred_master_used=chosen is not None and chosen == order.preferred_master_id,
        was_escalated_to_logist="distribution_escalate_logist" in escalations,
        was_escalated_to_admin="distribution_escalate_admin" in escalations,
        city_id=order.city_id,
        district_id=order.district_id,
        category=order.category,
        order_type=order.type,
        metadata_json={"manual": offer is None or offer.is_manual, "search": order.search_number},
    )
