"""Settings and signs of life in the web admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import InvalidError
from fieldservice.runtime import registry
from fieldservice.runtime.models import Heartbeat, Setting


class SettingForm(forms.ModelForm):
    """A key of the registry and a value in its range."""

    key = forms.ChoiceField(
        label=_("Setting"),
        choices=[(key.name, key.label) for key in registry.KEYS.values()],
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = Setting
        fields = ("key", "value")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if registry.is_secret(self.instance.key):
            self.fields["value"].widget = UnfoldAdminPasswordWidget(render_value=False)
            self.fields["value"].required = False
            self.fields["value"].help_text = _("Stored and not shown. Empty: it stays.")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        key = data.get("key") or self.instance.key
        if key in registry.KEYS and data.get("value"):
            try:
                registry.KEYS[key].parse(data["value"])
            except InvalidError as error:
                self.add_error("value", str(error))
        elif registry.is_secret(self.instance.key):
            data["value"] = Setting.objects.values_list("value", flat=True).get(pk=self.instance.pk)
        return data


@admin.register(Setting)
class SettingAdmin(ModelAdmin):
    form = SettingForm
    list_display = ("key", "shown_value", "updated_at", "updated_by_staff")
    list_select_related = ("updated_by_staff",)
    ordering = ("key",)

    def get_readonly_fields(self, request: HttpRequest, obj: Setting | None = None) -> Any:
        return ("key",) if obj else ()

    def get_form(self, request: HttpRequest, obj: Setting | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None:
            form.base_fields.pop("key", None)
        return form

    @display(description=_("value"))
    def shown_value(self, setting: Setting) -> str:
        return "••••••" if registry.is_secret(setting.key) else setting.value

    def save_model(self, request: HttpRequest, obj: Setting, form: Any, change: bool) -> None:
        registry.write(obj.key, obj.value, actor=Actor.of_staff(request.user, "web"))


@admin.register(Heartbeat)
class HeartbeatAdmin(ModelAdmin):
    list_display = ("name", "beat_at", "details")
    ordering = ("name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
