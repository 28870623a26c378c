"""Exports: everybody their own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from finance.models import Export
from staff.scoped_admin import ReadOnlyAdmin


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "format", "date_from", "date_to", "status", "rows_done", "created_at")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """A file belongs to who asked for it, whatever the role."""
        return super().get_queryset(request).filter(staff_id=request.user.pk)
