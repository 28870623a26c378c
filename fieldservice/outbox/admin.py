"""The outbox in the web admin: what was said to whom, and what waits."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import FieldTextFilter
from unfold.paginator import InfinitePaginator

from fieldservice.outbox.models import Notification


@admin.register(Notification)
class NotificationAdmin(ModelAdmin):
    list_display = (
        "id",
        "event",
        "bot",
        "lane",
        "master",
        "staff",
        "chat_id",
        "due_at",
        "processed_at",
        "outcome",
        "attempt_count",
    )
    list_select_related = ("master", "staff")
    # a field to type into: a list of all events would be made by reading all rows
    list_filter = ("outcome", "bot", ("event", FieldTextFilter))
    list_filter_submit = True
    list_per_page = 25
    paginator = InfinitePaginator
    show_full_result_count = False
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
