"""Staff members and the audit log."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import FieldTextFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.localtime import format_moment, zone
from geo.models import City
from staff import words
from staff.changes import of_form
from staff.enums import Role
from staff.filters import DayRangeFilter
from staff.forms import of_changed
from staff.models import AuditLog, StaffUser
from staff.scoped_admin import ReadOnlyAdmin
from staff.services import moderation, team
from staff.services.access_codes import check_cities
from staff.services.form import login

#: a moment as services write it into the audit log
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)")

admin.site.unregister(Group)  # rights come from staff.access, not from groups in the database
for device in (StaticDevice, TOTPDevice):  # their pages show the keys
    admin.site.unregister(device)


class CitiesMixin(forms.ModelForm):
    """The cities of a member: a many-to-many through our own table, so a field of its own."""

    city_set = forms.ModelMultipleChoiceField(
        City.objects.order_by("name"),
        required=False,
        label=_("Cities"),
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text=_("What a city admin or a logist sees. A global admin sees everything."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["city_set"].initial = self.instance.cities.all()

    def clean_username(self) -> str | None:
        """No spaces: nobody could tell how it is written."""
        if not self.instance.pk:  # Django's own: nobody else has it
            super().clean_username()  # type: ignore[misc]
        return of_changed(self, "username", login)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if {"role", "city_set"} <= data.keys() and {"role", "city_set"} & set(self.changed_data):
            try:
                check_cities(data["role"], [city.pk for city in data["city_set"]])
            except InvalidError as error:
                self.add_error("city_set", str(error))
        return data

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        self.instance.cities.set(self.cleaned_data["city_set"])


class MemberForm(CitiesMixin, UserChangeForm):
    class Meta:
        model = StaffUser
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if password := self.fields.get("password"):
            text = gettext("Nobody can look at a password.")
            link = reverse("admin:auth_user_password_change", args=[self.instance.pk])
            password.help_text = format_html('{} <a href="{}">{}</a>', text, link, gettext("Set another one"))

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
    show_facets = admin.ShowFacets.NEVER
    readonly_fields = ("last_login", "safety")
    fieldsets = (
        (None, {"fields": ("username", "password", "full_name", "phone")}),
        (_("Access"), {"fields": ("role", "city_set", "is_active", "tg_user_id", "last_login", "safety")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "full_name", "role", "city_set", "password1", "password2")}),)

    @display(description=_("safety"))
    def safety(self, member: StaffUser) -> str:
        """Where sessions are ended and a lost second factor is switched off."""
        if not member.pk:
            return "—"
        text = gettext("Sessions and the second factor")
        return format_html('<a href="{}">{}</a>', reverse("admin:account_of", args=[member.pk]), text)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        actor = Actor.of_staff(request.user, "web")
        moderation.audit(f"staff_{'created' if add else 'changed'}", actor=actor, member_id=form.instance.pk,
                         role=str(form.instance.role), changes=of_form(form))  # fmt: skip
        return super().construct_change_message(request, form, formsets, add)


@admin.register(AuditLog)
class AuditLogAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "admin", "said", "master", "shown_changes")
    list_select_related = ("admin", "master")
    list_filter = (("action", FieldTextFilter), ("created_at", DayRangeFilter))
    fields = ("created_at", "admin", "said", "master", "shown_changes", "details")
    readonly_fields = ("said", "shown_changes", "details")
    ordering = ("-created_at", "-id")

    @display(description=_("action"))
    def said(self, row: AuditLog) -> str:
        return words.action(row.action)

    @display(description=_("old → new"))
    def shown_changes(self, row: AuditLog) -> str:
        changes = row.payload_json.get("changes") if isinstance(row.payload_json, dict) else None
        if not isinstance(changes, dict) or not changes:
            return "—"
        rows = [f"{words.field(name)}: {_value(pair[0])} → {_value(pair[1])}" for name, pair in sorted(changes.items())]
        return "; ".join(rows)

    @display(description=_("details"))
    def details(self, row: AuditLog) -> str:
        rest = {name: value for name, value in row.payload_json.items() if name != "changes"}
        return ", ".join(f"{words.field(name)}: {_value(value)}" for name, value in sorted(rest.items())) or "—"


def _value(value: Any) -> str:
    text = str(value)
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "—"
    if text in {"True", "False"}:
        return gettext("yes") if text == "True" else gettext("no")
    if MOMENT.fullmatch(text):
        return format_moment(datetime.fromisoformat(text), tz=zone(settings.TIMEZONE), now=timezone.now())
    return "—" if value in (None, "") else text
