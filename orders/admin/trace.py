"""Offers, history, files, decisions and metrics as lists."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from orders import words
from orders.admin.filters import LiveFilter, RoundFilter
from orders.dispatch.values import Outcome
from orders.models import Attachment, DispatchDecision, DistributionMetric, Offer, OrderStatusHistory
from staff.scoped_admin import ReadOnlyAdmin


@admin.register(Offer)
class OfferAdmin(ReadOnlyAdmin):
    city_path = "order__city_id"
    list_display = ("order", "master", "round_number", "state", "sent_at", "expires_at", "responded_at")
    list_select_related = ("order", "master")
    list_filter = (("state", ChoicesDropdownFilter), LiveFilter, RoundFilter)
    ordering = ("-id",)


@admin.register(OrderStatusHistory)
class HistoryAdmin(ReadOnlyAdmin):
    city_path = "order__city_id"
    list_display = ("created_at", "order", "from_status", "to_status", "actor_type", "said")
    list_select_related = ("order",)
    list_filter = (("to_status", ChoicesDropdownFilter), ("actor_type", ChoicesDropdownFilter))
    ordering = ("-id",)

    @display(description=_("reason"))
    def said(self, row: OrderStatusHistory) -> str:
        return words.history(row.reason)


class OutcomeFilter(admin.SimpleListFilter):
    """What dispatch decided. The column has no choices of its own; Django would read all rows to find them."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(outcome), words.outcome(outcome)) for outcome in Outcome]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DispatchDecision]) -> QuerySet[DispatchDecision]:
        return queryset.filter(outcome=self.value()) if self.value() in list(Outcome) else queryset


@admin.register(DispatchDecision)
class DispatchDecisionAdmin(ReadOnlyAdmin):
    city_path = "order__city_id"
    list_display = ("decided_at", "order", "round_number", "said", "master", "candidates_count")
    list_select_related = ("order", "master")
    list_filter = (OutcomeFilter,)
    ordering = ("-id",)

    @display(description=_("outcome"))
    def said(self, row: DispatchDecision) -> str:
        return words.outcome(row.outcome)


@admin.register(DistributionMetric)
class DistributionMetricAdmin(ReadOnlyAdmin):
    city_path = "city_id"
    list_display = ("assigned_at", "order", "master", "city", "round_number", "time_to_assign_seconds")
    list_select_related = ("order", "master", "city")
    ordering = ("-id",)


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    """Files belong to orders, commissions and masters of any city: only who sees all cities lists them here."""

    list_display = ("entity_type", "entity_id", "file_type", "document_type", "created_at")
    list_filter = ("entity_type", "file_type")
    fields = ("entity_type", "entity_id", "file_type", "file_name", "document_type", "caption", "created_at")
    ordering = ("-id",)
