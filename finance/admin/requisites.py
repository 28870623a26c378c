"""The requisites in the web admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fieldservice.lib.masking import mask_card, mask_phone
from finance.models import OwnerRequisites
from staff.scoped_admin import ReadOnlyAdmin


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
