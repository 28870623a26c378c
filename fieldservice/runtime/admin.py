"""Settings and signs of life in the web admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from fieldservice.lib.only_seen import OnlySeen
from fieldservice.runtime.models import Heartbeat, Setting


@admin.register(Setting)
class SettingAdmin(OnlySeen, ModelAdmin):
    """The registration gives the menu and the rights their names; the page is `desk.system.settings_page`."""


@admin.register(Heartbeat)
class HeartbeatAdmin(OnlySeen, ModelAdmin):
    list_display = ("name", "beat_at", "said")
    fields = readonly_fields = ("name", "beat_at", "said")
    ordering = ("name",)

    @display(description=_("details"))
    def said(self, beat: Heartbeat) -> str:
        return ", ".join(f"{name}: {value}" for name, value in (beat.details or {}).items()) or "—"
