"""The money journal: looked at, never written here."""

from __future__ import annotations

from django.contrib import admin

from finance.models import JournalEntry
from staff.scoped_admin import ReadOnlyAdmin


@admin.register(JournalEntry)
class JournalAdmin(ReadOnlyAdmin):
    list_display = ("id", "created_at", "kind", "credit", "debit", "amount", "commission_id", "master_id", "note")
    list_filter = ("kind",)
    ordering = ("-id",)
