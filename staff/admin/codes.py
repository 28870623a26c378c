"""Access codes and invite codes."""

from __future__ import annotations

from django.contrib import admin

from staff.models import MasterInviteCode, StaffAccessCode
from staff.scoped_admin import ReadOnlyAdmin


@admin.register(StaffAccessCode)
class StaffAccessCodeAdmin(ReadOnlyAdmin):
    list_display = ("code", "role", "created_by_staff", "used_by_staff", "expires_at", "revoked_at")
    list_select_related = ("created_by_staff", "used_by_staff")
    ordering = ("-id",)


@admin.register(MasterInviteCode)
class MasterInviteCodeAdmin(ReadOnlyAdmin):
    city_path = "city_id"
    list_display = ("code", "city", "issued_by_staff", "used_by_master", "expires_at", "is_revoked")
    list_select_related = ("city", "issued_by_staff", "used_by_master")
    ordering = ("-id",)
