"""The money journal: looked at, never written here."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from fieldservice.lib.money import show_money
from finance.models import JournalEntry
from staff.scoped_admin import ReadOnlyAdmin


@admin.register(JournalEntry)
class JournalAdmin(ReadOnlyAdmin):
    list_display = ("id", "created_at", "kind", "credit", "debit", "shown_amount", "commission_id", "master_id", "note")
    list_filter = ("kind",)
    ordering = ("-id",)
    fields = (
        "created_at", "kind", "credit", "debit", "shown_amount", "order_id", "commission_id", "reward_id", "payout_id",
        "master_id", "staff_id", "note",
    )  # fmt: skip
    readonly_fields = fields

    @display(description=gettext_lazy("amount"), ordering="amount")
    def shown_amount(self, entry: JournalEntry) -> str:
        return show_money(entry.amount)
