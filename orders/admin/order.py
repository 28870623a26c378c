"""The order list and the order page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.localtime import format_moment, format_timeslot_local, zone
from fieldservice.lib.phones import parse_phone, show_phone
from orders import words
from orders.admin.filters import LateFilter, StageFilter
from orders.admin.forms import NewOrderForm, OrderForm
from orders.dispatch import trace
from orders.enums import OrderStatus
from orders.models import DispatchDecision, Offer, Order, OrderStatusHistory
from orders.services import intake, notices, place
from staff.filters import DayRangeFilter
from staff.scoped_admin import ScopedAdmin, readonly_except

EDITABLE = set(intake.OPTIONAL)
COLOURS = {
    OrderStatus.CREATED: "plain",
    OrderStatus.DEFERRED: "plain",
    OrderStatus.CANCELED: "plain",
    OrderStatus.SEARCHING: "warning",
    OrderStatus.GUARANTEE: "warning",
    OrderStatus.ASSIGNED: "info",
    OrderStatus.EN_ROUTE: "info",
    OrderStatus.WORKING: "info",
    OrderStatus.PAYMENT: "danger",
    OrderStatus.CLOSED: "success",
}


class ReadOnlyInline(TabularInline):
    """What happened to the order, newest first."""

    extra, max_num, can_delete, tab = 0, 0, False, True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class HistoryInline(ReadOnlyInline):
    model = OrderStatusHistory
    hide_title = True
    fields = readonly_fields = (
        "created_at",
        "from_status",
        "to_status",
        "actor_type",
        "changed_by_staff",
        "changed_by_master",
        "said",
    )
    ordering = ("-created_at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderStatusHistory]:
        return super().get_queryset(request).select_related("changed_by_staff", "changed_by_master")

    @display(description=_("reason"))
    def said(self, row: OrderStatusHistory) -> str:
        return words.history(row.reason)


class OfferInline(ReadOnlyInline):
    model = Offer
    hide_title = True
    fields = readonly_fields = (
        "master",
        "round_number",
        "state",
        "sent_at",
        "delivered_at",
        "expires_at",
        "responded_at",
        "is_manual",
    )
    ordering = ("-sent_at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offer]:
        return super().get_queryset(request).select_related("master")


class DecisionInline(ReadOnlyInline):
    model = DispatchDecision
    hide_title = True
    fields = readonly_fields = ("decided_at", "round_number", "said", "master", "candidates_count", "left_out")
    ordering = ("-decided_at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DispatchDecision]:
        return super().get_queryset(request).select_related("master")

    @display(description=_("outcome"))
    def said(self, row: DispatchDecision) -> str:
        return words.outcome(row.outcome)

    @display(description=_("left out"))
    def left_out(self, row: DispatchDecision) -> str:
        """How many for which reason; names and more: `manage.py explain`."""
        return ", ".join(f"{words.left_out(reason)}: {len(ids)}" for reason, ids in trace.left_out(row).items()) or "—"


@admin.register(Order)
class OrderAdmin(ScopedAdmin):
    class Media:
        js = ["admin/js/jquery.init.js", "places.js"]

    city_path = "city_id"
    list_display = (
        "number",
        "shown_status",
        "city",
        "district",
        "category",
        "shown_slot",
        "assigned_master",
        "shown_created",
    )
    list_select_related = ("city", "district", "assigned_master")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        StageFilter,
        ("category", ChoicesDropdownFilter),
        ("type", ChoicesDropdownFilter),
        LateFilter,
        ("created_at", DayRangeFilter),
        ("assigned_master", AutocompleteSelectFilter),
    )
    search_fields = ("=id", "=client_phone")
    search_help_text = _("Order number or the client's phone as +79991234567")
    autocomplete_fields = ("city", "district", "street")
    ordering = ("-id",)
    readonly_fields = (
        *readonly_except(Order, EDITABLE),
        "shown_slot",
        "shown_phone",
        "shown_created",
        "shown_next_look",
        "shown_place",
    )
    inlines = (HistoryInline, OfferInline, DecisionInline)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("status", "assigned_master"),
                    ("category", "type"),
                    ("shown_slot", "shown_created"),
                    "description",
                )
            },
        ),
        (_("Client"), {"fields": (("client_name", "shown_phone"),)}),
        (
            _("Address"),
            {
                "fields": (
                    ("city", "district"),
                    ("street", "street_text"),
                    ("house", "apartment"),
                    "address_comment",
                    "shown_place",
                )
            },
        ),
        (_("Money"), {"fields": (("total_sum", "company_payment"),)}),
        (
            _("Dispatch"),
            {
                "fields": (
                    ("search_number", "dispatch_round", "shown_next_look"),
                    ("dist_escalated_logist_at", "dist_escalated_admin_at"),
                    ("escalation_reason", "dispatch_error"),
                )
            },
        ),
        (
            _("More"),
            {"fields": (("created_by_staff", "version"), ("closed_at", "cancel_reason"), "guarantee_source_order")},
        ),
    )
    add_fieldsets = (
        (None, {"fields": (("client_phone", "client_name"),)}),
        (
            _("Address"),
            {
                "fields": (
                    ("city", "district"),
                    ("street", "street_text"),
                    "confirm_district",
                    ("house", "apartment"),
                    ("address_comment", "location"),
                )
            },
        ),
        (_("Visit"), {"fields": (("category", "slot"), "description", "confirm_late", "page_key")}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """By the number, or by the phone however it is typed; both through their indexes."""
        if not search_term.strip():
            return queryset, False
        try:
            return queryset.filter(client_phone=parse_phone(search_term)), False
        except InvalidError:
            return self.number_search(queryset, search_term, "id")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        for right in ("add", "change", "delete", "view"):  # a city is not made up while a client is on the phone
            if field and hasattr(field.widget, f"can_{right}_related"):
                setattr(field.widget, f"can_{right}_related", False)
        if field and db_field.name in {"description", "address_comment"}:
            field.widget.attrs["rows"] = 3
        return field

    def get_form(self, request: HttpRequest, obj: Order | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **kwargs | {"form": OrderForm if obj else NewOrderForm})

    def get_fieldsets(self, request: HttpRequest, obj: Order | None = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Order | None = None) -> Any:
        return self.readonly_fields if obj else ()

    def get_inlines(self, request: HttpRequest, obj: Order | None) -> Any:
        return self.inlines if obj else ()

    def save_model(self, request: HttpRequest, obj: Order, form: Any, change: bool) -> None:
        if change:
            # only what was typed: the engine writes other columns of this row at any moment
            obj.save(update_fields=[name for name in form.changed_data if name in EDITABLE] + ["updated_at"])
            notices.changed(obj, form.changed_data)
            if {"house", "street_text"} & set(form.changed_data):
                place.address_changed(obj, now=timezone.now())
            return
        order = intake.create(new=form.new_order(), actor=Actor.of_staff(request.user, "web"))
        obj.__dict__.update(order.__dict__)

    @display(description=_("order"), ordering="id")
    def number(self, order: Order) -> str:
        return f"#{order.pk}"

    @display(description=_("status"), label=COLOURS, ordering="status")
    def shown_status(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()

    @display(description=_("visit"))
    def shown_slot(self, order: Order) -> str:
        return format_timeslot_local(
            order.timeslot_start_utc, order.timeslot_end_utc, tz=zone(order.city.timezone), now=timezone.now()
        )

    @display(description=_("coordinates"))
    def shown_place(self, order: Order) -> str:
        """With what they stand for: the house, or the middle of something larger."""
        if order.lat is None or order.lon is None:
            return "—"
        source = words.located_by(order.geocode_provider)
        return f"{order.lat:.5f}, {order.lon:.5f} · {source}, {order.geocode_confidence or 0} %"

    @display(description=_("phone"))
    def shown_phone(self, order: Order) -> str:
        return show_phone(order.client_phone)

    @display(description=_("created"), ordering="created_at")
    def shown_created(self, order: Order) -> str:
        return format_moment(order.created_at, tz=zone(order.city.timezone), now=timezone.now())

    @display(description=_("next look"))
    def shown_next_look(self, order: Order) -> str:
        return format_moment(order.dispatch_at, tz=zone(order.city.timezone), now=timezone.now())
