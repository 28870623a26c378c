"""Offers, history, files, decisions and metrics as lists, in the time of the order's city."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from fieldservice.lib.localtime import format_moment, zone
from orders import words
from orders.admin.filters import LiveFilter, RoundFilter
from orders.dispatch.values import Outcome
from orders.enums import OfferState
from orders.models import Attachment, DispatchDecision, DistributionMetric, Offer, OrderStatusHistory
from staff.scoped_admin import ReadOnlyAdmin

STATES = {
    OfferState.SENT: "info",
    OfferState.VIEWED: "info",
    OfferState.ACCEPTED: "success",
    OfferState.DECLINED: "plain",
    OfferState.EXPIRED: "warning",
    OfferState.CANCELED: "plain",
}


def moment(name: str, title: Any) -> Callable[[Any, Any], str]:
    """A column: `today 13:05` by the clock of the order's city."""

    def shown(_page: Any, row: Any) -> str:
        return format_moment(getattr(row, name), tz=zone(row.order.city.timezone), now=timezone.now())

    decorated: Callable[[Any, Any], str] = display(description=title)(shown)
    return decorated


@admin.register(Offer)
class OfferAdmin(ReadOnlyAdmin):
    city_path = "order__city_id"
    list_display = ("order", "master", "round_number", "shown_state", "sent", "ends", "answered")
    list_select_related = ("order__city", "master")
    list_filter = (("state", ChoicesDropdownFilter), LiveFilter, RoundFilter)
    fields = (
        "order",
        "master",
        "search_number",
        "round_number",
        "state",
        "sent",
        "delivered",
        "ends",
        "answered",
    )
    readonly_fields = fields
    ordering = ("-id",)
    sent, ends = moment("sent_at", _("sent")), moment("expires_at", _("expires"))
    delivered, answered = moment("delivered_at", _("delivered")), moment("responded_at", _("answered"))

    @display(description=_("state"), label=STATES)
    def shown_state(self, offer: Offer) -> tuple[str, str]:
        return offer.state, offer.get_state_display()


@admin.register(OrderStatusHistory)
class HistoryAdmin(ReadOnlyAdmin):
    city_path = "order__city_id"
    list_display = ("when", "order", "from_status", "to_status", "who", "said")
    list_select_related = ("order__city", "changed_by_staff", "changed_by_master")
    list_filter = (("to_status", ChoicesDropdownFilter), ("actor_type", ChoicesDropdownFilter))
    fields = ("when", "order", "from_status", "to_status", "who", "said")
    readonly_fields = fields
    ordering = ("-id",)
    when = moment("created_at", _("when"))

    @display(description=_("reason"))
    def said(self, row: OrderStatusHistory) -> str:
        return words.history(row.reason)

    @display(description=_("who"))
    def who(self, row: OrderStatusHistory) -> str:
        return str(row.changed_by_staff or row.changed_by_master or row.get_actor_type_display())


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
    """Who was left out and why is told on the order's page, by names."""

    city_path = "order__city_id"
    list_display = ("decided", "order", "round_number", "said", "master", "candidates_count")
    list_select_related = ("order__city", "master")
    list_filter = (OutcomeFilter,)
    fields = ("decided", "order", "search_number", "round_number", "said", "master", "candidates_count")
    readonly_fields = fields
    ordering = ("-id",)
    decided = moment("decided_at", _("when"))

    @display(description=_("outcome"))
    def said(self, row: DispatchDecision) -> str:
        return words.outcome(row.outcome)


@admin.register(DistributionMetric)
class DistributionMetricAdmin(ReadOnlyAdmin):
    city_path = "city_id"
    list_display = ("assigned", "order", "master", "city", "round_number", "time_to_assign_seconds")
    list_select_related = ("order__city", "master", "city")
    exclude = ("metadata_json", "assigned_at")
    readonly_fields = ("assigned",)
    ordering = ("-id",)
    assigned = moment("assigned_at", _("assigned"))


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    """Files belong to orders, commissions and masters of any city: only who sees all cities lists them here."""

    list_display = ("entity_type", "entity_id", "file_type", "document_type", "created_at")
    list_filter = ("entity_type", "file_type")
    fields = ("entity_type", "entity_id", "file_type", "file_name", "document_type", "caption", "created_at")
    ordering = ("-id",)
