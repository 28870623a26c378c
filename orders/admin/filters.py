"""Filters of the lists of orders and offers; each asks an index."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from orders.enums import OfferState, OrderStatus
from orders.models import Offer, Order

S = OrderStatus
#: late visits in a list
MOST = 2000
WAITING = Q(status__in=S.SEARCH, assigned_master__isnull=True)
STAGES: dict[str, tuple[Any, Q]] = {
    "open": (_("open"), Q(status__in=[s for s in S if s not in S.FINAL])),
    "waiting": (_("without a master"), WAITING),
    "logist": (_("escalated to logists"),
               WAITING & Q(dist_escalated_logist_at__isnull=False, dist_escalated_admin_at__isnull=True)),
    "admin": (_("escalated to admins"), WAITING & Q(dist_escalated_admin_at__isnull=False)),
    "no_district": (_("without a district"), WAITING & Q(no_district=True)),
    "broken": (_("dispatch stopped on an error"), WAITING & Q(dispatch_error__isnull=False)),
    "active": (_("on a master's hands"), Q(status__in=S.ACTIVE)),
}  # fmt: skip


class StageFilter(DropdownFilter):
    """Several statuses at once, and what needs somebody."""

    title, parameter_name = _("stage"), "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(key, title) for key, (title, _condition) in STAGES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return queryset.filter(STAGES[self.value()][1]) if self.value() in STAGES else queryset


class LateFilter(DropdownFilter):
    """Visits whose time is over though nobody has begun to work."""

    title, parameter_name = _("visit"), "visit"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("late", _("late: the time is over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if self.value() != "late":
            return queryset
        begun = (*S.SEARCH, S.ASSIGNED, S.EN_ROUTE)
        now = timezone.now()
        # numbers: such orders are few, and the planner would walk through all orders by number to find them
        late = Order.objects.filter(status__in=begun, timeslot_start_utc__lte=now, timeslot_end_utc__lte=now)
        return queryset.filter(pk__in=list(late.order_by("timeslot_start_utc").values_list("pk", flat=True)[:MOST]))


class LiveFilter(DropdownFilter):
    """Offers that wait for an answer."""

    title, parameter_name = _("waiting for an answer"), "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Offer]) -> QuerySet[Offer]:
        live = self.value() == "yes"
        return queryset.filter(state__in=OfferState.LIVE, expires_at__gt=timezone.now()) if live else queryset


class RoundFilter(admin.SimpleListFilter):
    """Rounds 1 to 5; Django would read all rows to find which there are."""

    title, parameter_name = _("round"), "round_number"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(number), str(number)) for number in range(6)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Offer]) -> QuerySet[Offer]:
        number = self.value() or ""
        return queryset.filter(round_number=int(number)) if number in map(str, range(100)) else queryset
