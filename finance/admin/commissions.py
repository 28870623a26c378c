"""Commissions in the web admin. Amounts and states change through services only."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from finance.enums import CommissionStatus
from finance.models import Commission, CommissionDeadlineNotification
from staff.scoped_admin import ReadOnlyAdmin

COLOURS = {
    CommissionStatus.WAIT_PAY: "warning",
    CommissionStatus.REPORTED: "info",
    CommissionStatus.OVERDUE: "danger",
    CommissionStatus.APPROVED: "success",
}


@admin.register(Commission)
class CommissionAdmin(ReadOnlyAdmin):
    city_path = "order__city_id"
    list_display = ("id", "order", "master", "shown_status", "amount", "paid_amount", "deadline_at")
    list_select_related = ("order", "master")
    list_filter = ("status",)
    search_fields = ("=id", "=order__id")
    ordering = ("-id",)
    exclude = ("pay_to_snapshot", "percent", "paid_at")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Commission], search_term: str
    ) -> tuple[QuerySet[Commission], bool]:
        return self.number_search(queryset, search_term, "id", "order_id") if search_term else (queryset, False)

    @display(description=_("status"), label=COLOURS, ordering="status")
    def shown_status(self, commission: Commission) -> tuple[str, str]:
        return commission.status, commission.get_status_display()


@admin.register(CommissionDeadlineNotification)
class ReminderAdmin(ReadOnlyAdmin):
    list_display = ("commission", "hours_before", "sent_at")
    ordering = ("-id",)
