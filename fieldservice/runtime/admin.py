"""Settings and signs of life in the web admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

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
    list_display = ("name", "beat_at", "said")
    fields = readonly_fields = ("name", "beat_at", "said")
    ordering = ("name",)

    @display(description=_("details"))
    def said(self, beat: Heartbeat) -> str:
        return ", ".join(f"{name}: {value}" for name, value in (beat.details or {}).items()) or "—"
