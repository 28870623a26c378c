"""The order list and the order page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import DomainError, InvalidError
from fieldservice.lib.localtime import format_moment, format_timeslot_local, zone
from fieldservice.lib.phones import parse_phone
from orders.admin import forms, lookups
from orders.admin.filters import LateFilter, StageFilter
from orders.admin.forms import ROUTE, NewOrderForm, OrderForm
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import correction, intake, rerouting
from staff import scope
from staff.filters import DayRangeFilter, MasterFilter
from staff.scoped_admin import ScopedAdmin

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


@admin.register(Order)
class OrderAdmin(ScopedAdmin):
    class Media:
        js = ["admin/js/jquery.init.js", "places.js", "order_form.js"]

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
        ("assigned_master", MasterFilter),
    )
    search_fields = ("=id", "=client_phone")
    search_help_text = _("Order number or the client's phone as +79991234567")
    autocomplete_fields = ("city", "district", "street")
    ordering = ("-id",)
    readonly_fields = ("city",)
    fieldsets = (
        (_("Client"), {"fields": (("client_phone", "client_name"),)}),
        (
            _("What and where"),
            {
                "fields": (
                    "category",
                    ("city", "district"),
                    ("street", "street_text"),
                    "confirm_district",
                    ("house", "apartment"),
                    "address_comment",
                )
            },
        ),
        (_("Visit"), {"fields": ("description", "seen")}),
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

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("client/", wrap(lookups.client), name="orders_order_client"),
            path("slots/", wrap(lookups.slots), name="orders_order_slots"),
        ]
        return own + super().get_urls()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The one city a member has, or the one chosen on the board, needs no typing."""
        cities = list(scope.cities(request.user).values_list("pk", flat=True)[:100])  # type: ignore[arg-type]
        wanted = request.session.get("desk_city")
        known = cities[0] if len(cities) == 1 else wanted if wanted in cities else None
        return super().get_changeform_initial_data(request) | ({"city": known} if known else {})

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Whoever is refused by the service itself gets the form back, with the sentence and all that was typed."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as error:
            request.refusal = str(error)  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Beside a correction, «add another» means nothing."""
        if kwargs.get("change"):
            context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def get_form(self, request: HttpRequest, obj: Order | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs | {"form": OrderForm if obj else NewOrderForm})
        form.refusal = getattr(request, "refusal", "")
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Order | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        client, (title, route), visit = self.fieldsets
        return (client, (title, route | {"description": forms.consequence(obj)}), visit)

    def get_readonly_fields(self, request: HttpRequest, obj: Order | None = None) -> Any:
        if obj is None:
            return ()
        return self.readonly_fields if obj.status in rerouting.OPEN else (*self.readonly_fields, *ROUTE[:3])

    def save_model(self, request: HttpRequest, obj: Order, form: Any, change: bool) -> None:
        actor = Actor.of_staff(request.user, "web")
        if not change:
            order = intake.create(new=form.new_order(), actor=actor)
            obj.__dict__.update(order.__dict__)
            return
        changes = {name: form.cleaned_data[name] for name in form.changed_data if name in correction.FIELDS}
        if form.may_reroute:
            changes.pop("street_text", None)
        anew = form.may_reroute and self._reroute(obj, form, actor)
        seen = {name: form.initial.get(name) for name in changes}
        correction.correct(order_id=obj.pk, changes=changes, seen=seen, actor=actor, now=timezone.now())
        if anew:  # said last: what is refused here undoes it
            self.message_user(request, _("A new search for order #%(id)s has begun.") % {"id": obj.pk})

    def _reroute(self, obj: Order, form: OrderForm, actor: Actor) -> bool:
        """Whether the search begins anew."""
        if form.to() == form.route:
            return False
        order = rerouting.reroute(
            order_id=obj.pk, to=form.to(), seen=form.route, version=form.version, actor=actor,
            confirm_district=form.cleaned_data.get("confirm_district", False),
        )  # fmt: skip
        return order.search_number != obj.search_number

    def response_post_save_change(self, request: HttpRequest, obj: Order) -> HttpResponse:
        return redirect("admin:orders_order_change", obj.pk)

    def response_post_save_add(self, request: HttpRequest, obj: Order) -> HttpResponse:
        return redirect("admin:orders_order_change", obj.pk)

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

    @display(description=_("created"), ordering="created_at")
    def shown_created(self, order: Order) -> str:
        return format_moment(order.created_at, tz=zone(order.city.timezone), now=timezone.now())
