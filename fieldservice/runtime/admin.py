"""Settings and signs of life in the web admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from fieldservice.runtime.models import Heartbeat, Setting


class OnlySeenAdmin(ModelAdmin):
    """Rows that no page of the admin writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Setting)
class SettingAdmin(OnlySeenAdmin):
    """The registration gives the menu and the rights their names; the page is `desk.system.settings_page`."""


@admin.register(Heartbeat)
class HeartbeatAdmin(OnlySeenAdmin):
    list_display = ("name", "beat_at", "details")
    ordering = ("name",)
