"""Distribution reports from the assignment metrics: totals, per city, per master, per hour (spec §4 "Metrics")."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet
from django.db.models.functions import ExtractHour

from orders.models import DistributionMetric

FAST, SLOW = 120, 300
COUNTS = {
    "preferred": Q(preferred_master_used=True),
    "to_logist": Q(was_escalated_to_logist=True),
    "to_admin": Q(was_escalated_to_admin=True),
    "manual": Q(metadata_json__manual=True),
    "round_1": Q(round_number=1),
    "round_2": Q(round_number=2),
    "round_3_and_more": Q(round_number__gte=3),
    "fast": Q(time_to_assign_seconds__lt=FAST),
    "medium": Q(time_to_assign_seconds__gte=FAST, time_to_assign_seconds__lte=SLOW),
    "slow": Q(time_to_assign_seconds__gt=SLOW),
}
AVERAGES = {
    "average_seconds": Avg("time_to_assign_seconds"),
    "average_round": Avg("round_number", filter=Q(round_number__gt=0)),
    "average_candidates": Avg("candidates_count"),
}


def rows(*, since: datetime, until: datetime, city_ids: Iterable[int] | None = None) -> QuerySet[DistributionMetric]:
    """The assignments of a period [since, until); `city_ids` None: every city, an empty list: none."""
    found = DistributionMetric.objects.filter(assigned_at__gte=since, assigned_at__lt=until)
    return found if city_ids is None else found.filter(city_id__in=list(city_ids))


def totals(metrics: QuerySet[DistributionMetric]) -> dict[str, Any]:
    """Number of assignments, averages, and how many were preferred, escalated, manual, by round, by speed."""
    counts = {name: Count("id", filter=condition) for name, condition in COUNTS.items()}
    return metrics.aggregate(assignments=Count("id"), **AVERAGES, **counts)


def by_city(metrics: QuerySet[DistributionMetric], limit: int = 20) -> list[dict[str, Any]]:
    """The busiest cities."""
    found = metrics.values("city_id", "city__name").annotate(
        assignments=Count("id"),
        average_seconds=Avg("time_to_assign_seconds"),
        to_logist=Count("id", filter=COUNTS["to_logist"]),
    )
    return [dict(row) for row in found.order_by("-assignments", "city_id")[:limit]]


def by_master(metrics: QuerySet[DistributionMetric], limit: int = 50) -> list[dict[str, Any]]:
    """Who got most: in total, as the preferred master, by hand, by dispatch."""
    found = (
        metrics.filter(master_id__isnull=False)
        .values("master_id", "master__full_name")
        .annotate(
            assignments=Count("id"),
            preferred=Count("id", filter=COUNTS["preferred"]),
            manual=Count("id", filter=COUNTS["manual"]),
            auto=Count("id", filter=~COUNTS["manual"]),
            average_round=Avg("round_number", filter=Q(round_number__gt=0)),
        )
    )
    return [dict(row) for row in found.order_by("-assignments", "master_id")[:limit]]


def by_hour(metrics: QuerySet[DistributionMetric], tz: Any) -> dict[int, int]:
    """Hour of the day in the zone `tz` → assignments; hours without any are there, too."""
    found = metrics.annotate(hour=ExtractHour("assigned_at", tzinfo=tz)).values_list("hour").annotate(n=Count("id"))
    return dict.fromkeys(range(24), 0) | dict(found.values_list("hour", "n"))
