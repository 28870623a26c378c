"""Staff members and the audit log."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectMultipleWidget

from fieldservice.lib.actor import Actor
from geo.models import City
from staff.enums import Role
from staff.models import AuditLog, StaffUser
from staff.scoped_admin import ReadOnlyAdmin
from staff.services import moderation, team

admin.site.unregister(Group)  # rights come from staff.access, not from groups in the database


class CitiesMixin(forms.ModelForm):
    """The cities of a member: a many-to-many through our own table, so a field of its own."""

    city_set = forms.ModelMultipleChoiceField(
        City.objects.order_by("name"),
        required=False,
        label=_("Cities"),
        widget=UnfoldAdminSelectMultipleWidget,
        help_text=_("What a city admin or a logist sees. A global admin sees everything."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["city_set"].initial = self.instance.cities.all()

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        self.instance.cities.set(self.cleaned_data["city_set"])


class MemberForm(CitiesMixin, UserChangeForm):
    class Meta:
        model = StaffUser
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        before = StaffUser.objects.filter(pk=self.instance.pk).first()
        stays = data.get("role") == Role.GLOBAL_ADMIN and data.get("is_active")
        if before and not stays and team.is_last_admin(before):
            self.add_error("role", gettext("This is the last global admin: make another one first."))
        return data


class NewMemberForm(CitiesMixin, UserCreationForm):
    class Meta:
        model = StaffUser
        fields = ("username", "full_name", "role")


@admin.register(StaffUser)
class StaffUserAdmin(UserAdmin, ModelAdmin):
    form, add_form, change_password_form = MemberForm, NewMemberForm, AdminPasswordChangeForm
    list_display = ("username", "full_name", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("username", "full_name", "phone")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login",)
    fieldsets = (
        (None, {"fields": ("username", "password", "full_name", "phone")}),
        (_("Access"), {"fields": ("role", "city_set", "is_active", "tg_user_id", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "full_name", "role", "city_set", "usable_password", "password1", "password2")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: StaffUser, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        changed = sorted(set(form.changed_data) - {"password", "password1", "password2"})
        moderation.audit(
            "staff_changed" if change else "staff_created",
            actor=Actor.of_staff(request.user, "web"),
            member_id=obj.pk,
            role=str(obj.role),
            fields=changed,
        )


@admin.register(AuditLog)
class AuditLogAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "admin", "action", "master")
    list_select_related = ("admin", "master")
    list_filter = ("action",)
    ordering = ("-created_at", "-id")
