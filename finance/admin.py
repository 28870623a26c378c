"""Money in the web admin. Amounts and states change through services only."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fieldservice.lib.masking import mask_card, mask_phone
from finance.enums import CommissionStatus
from finance.models import Commission, CommissionDeadlineNotification, OwnerRequisites, Referral, ReferralReward
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


@admin.register(OwnerRequisites)
class OwnerRequisitesAdmin(ReadOnlyAdmin):
    list_display = ("id", "methods", "card", "sbp", "created_by_staff", "created_at")
    ordering = ("-id",)
    fields = (
        "methods",
        "card",
        "card_holder",
        "card_bank",
        "sbp",
        "sbp_bank",
        "other_text",
        "comment_template",
        "created_by_staff",
        "created_at",
    )

    @display(description=_("card number"))
    def card(self, requisites: OwnerRequisites) -> str:
        return mask_card(requisites.card_number)

    @display(description=_("SBP phone"))
    def sbp(self, requisites: OwnerRequisites) -> str:
        return mask_phone(requisites.sbp_phone)


@admin.register(Referral)
class ReferralAdmin(ReadOnlyAdmin):
    city_path = "master__city_id"
    list_display = ("master", "referrer", "created_at")
    list_select_related = ("master", "referrer")
    ordering = ("-id",)


@admin.register(ReferralReward)
class ReferralRewardAdmin(ReadOnlyAdmin):
    city_path = "referred_master__city_id"
    list_display = ("referrer", "referred_master", "level", "amount", "status", "created_at")
    list_select_related = ("referrer", "referred_master")
    list_filter = ("status",)
    ordering = ("-id",)


@admin.register(CommissionDeadlineNotification)
class ReminderAdmin(ReadOnlyAdmin):
    list_display = ("commission", "hours_before", "sent_at")
    ordering = ("-id",)
