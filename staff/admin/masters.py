"""Masters."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.fields import parse_full_name
from fieldservice.lib.phones import parse_phone, show_phone
from geo.models import District
from staff import access
from staff.admin import bulk
from staff.enums import ShiftStatus
from staff.forms import of_changed
from staff.models import Master, Skill
from staff.scoped_admin import ScopedAdmin, readonly_except
from staff.services import abilities, moderation
from staff.services.form import plate

LIMIT = "max_active_orders_override"
EDITABLE = {"full_name", "phone", "city", "has_vehicle", "vehicle_plate", "max_active_orders_override"}


class MasterForm(forms.ModelForm):
    """Skills and districts are links through our own tables, so fields of their own."""

    skill_set = forms.ModelMultipleChoiceField(
        Skill.objects.filter(is_active=True).order_by("name"),
        required=False,
        label=_("Skills"),
        widget=UnfoldAdminSelect2MultipleWidget,
    )
    district_set = forms.ModelMultipleChoiceField(
        District.objects.none(),
        required=False,
        label=_("Districts"),
        widget=UnfoldAdminSelect2MultipleWidget,
    )

    #: skills and districts as the page showed them: whoever saves over somebody else's ticks is told
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    class Meta:
        model = Master
        fields = sorted(EDITABLE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            # a skill that is switched off stays the master's: it may be switched on again
            known = Skill.objects.filter(Q(is_active=True) | Q(masters=self.instance)).distinct().order_by("name")
            self.fields["skill_set"].queryset = known  # type: ignore[attr-defined]
            self.fields["skill_set"].initial = self.instance.skills.all()
            self.fields["district_set"].initial = self.instance.districts.all()
            self.initial["seen"] = abilities.fingerprint(self.instance)
            self.fields["district_set"].queryset = District.objects.filter(  # type: ignore[attr-defined]
                city_id=self.instance.city_id
            ).order_by("name")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("seen") and data["seen"] != self.initial.get("seen"):
            self.add_error(
                None, _("Somebody has changed the skills or districts meanwhile: open the page anew, then change them.")
            )
        if {"skill_set", "district_set"} <= data.keys():
            self._check_abilities(data)
        return data

    def _check_abilities(self, data: dict[str, Any]) -> None:
        """The service's own rule, told beside the field. Of another city no district can be chosen yet."""
        for name, what in (("skill_set", "skills"), ("district_set", "districts")):
            if name in self.changed_data and not (what == "districts" and "city" in self.changed_data):
                try:
                    abilities.check(master=self.instance, what=what, wanted={row.pk for row in data[name]})
                except InvalidError as error:
                    self.add_error(name, str(error))

    def clean_full_name(self) -> str:
        """As in his application."""
        return str(of_changed(self, "full_name", parse_full_name))

    def clean_phone(self) -> str | None:
        """As everywhere: +7XXXXXXXXXX."""
        return of_changed(self, "phone", parse_phone)

    def clean_vehicle_plate(self) -> str | None:
        """As in his application; a hyphen: none."""
        return of_changed(self, "vehicle_plate", plate) or None

    def clean_max_active_orders_override(self) -> int | None:
        """0 to 20, or nothing for everybody's limit."""
        limit = self.cleaned_data[LIMIT]
        if limit is not None and not 0 <= limit <= moderation.LIMIT:
            raise forms.ValidationError(_("The limit is a number from 0 to %(most)s.") % {"most": moderation.LIMIT})
        return limit


@admin.register(Master)
class MasterAdmin(ScopedAdmin):
    city_path, audit_name = "city_id", "master"
    recorded = frozenset({"skill_set", "district_set"})
    actions = ["approve", "block", "unblock", "set_limit"]
    form = MasterForm
    list_display = ("full_name", "shown_phone", "city", "shown_shift", "moderation_status", "shown_block", "rating")
    list_select_related = ("city",)
    list_filter = (
        ("moderation_status", ChoicesDropdownFilter),
        ("shift_status", ChoicesDropdownFilter),
        "is_blocked",
        "is_deleted",
    )
    search_fields = ("full_name", "phone")
    autocomplete_fields = ("city",)
    ordering = ("full_name", "id")
    readonly_fields = readonly_except(Master, EDITABLE)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "full_name",
                    "phone",
                    "city",
                    "skill_set",
                    "district_set",
                    "has_vehicle",
                    "vehicle_plate",
                    "max_active_orders_override",
                    "seen",
                )
            },
        ),
        (
            _("State"),
            {
                "fields": (
                    "shift_status",
                    "break_until",
                    "moderation_status",
                    "moderation_reason",
                    "is_active",
                    "is_blocked",
                    "blocked_at",
                    "blocked_reason",
                    "is_deleted",
                    "rating",
                )
            },
        ),
        (_("Telegram"), {"fields": ("tg_user_id", "telegram_username", "unreachable_at", "last_heartbeat_at")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # masters come through onboarding

    def save_model(self, request: HttpRequest, obj: Master, form: Any, change: bool) -> None:
        # only what was typed: a block or an end of the shift that was written a moment ago must stay
        changed = [name for name in form.changed_data if name in EDITABLE - {LIMIT}]
        obj.save(update_fields=[*changed, "updated_at"])
        if LIMIT in form.changed_data:  # the master is told
            actor = Actor.of_staff(request.user, "web")
            moderation.set_limit(master_id=obj.pk, limit=form.cleaned_data[LIMIT], actor=actor)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        chosen, actor, pk = form.cleaned_data, Actor.of_staff(request.user, "web"), form.instance.pk
        if "skill_set" in form.changed_data:
            abilities.set_skills(master_id=pk, skill_ids=[skill.pk for skill in chosen["skill_set"]], actor=actor)
        if {"district_set", "city"} & set(form.changed_data):  # districts of the city of before are not served any more
            there = [row.pk for row in chosen["district_set"] if row.city_id == form.instance.city_id]
            abilities.set_districts(master_id=pk, district_ids=there, actor=actor, moved="city" in form.changed_data)

    @action(description=_("Approve applications"), permissions=["moderate"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Master]) -> HttpResponse | None:
        return bulk.page(self, request, queryset, "approve")

    @action(description=_("Block"), permissions=["moderate"])
    def block(self, request: HttpRequest, queryset: QuerySet[Master]) -> HttpResponse | None:
        return bulk.page(self, request, queryset, "block")

    @action(description=_("Unblock"), permissions=["moderate"])
    def unblock(self, request: HttpRequest, queryset: QuerySet[Master]) -> HttpResponse | None:
        return bulk.page(self, request, queryset, "unblock")

    @action(description=_("Limit of orders"), permissions=["moderate"])
    def set_limit(self, request: HttpRequest, queryset: QuerySet[Master]) -> HttpResponse | None:
        return bulk.page(self, request, queryset, "set_limit")

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        """Whoever decides on masters decides on many at once, too."""
        return access.may(request.user.role, "master.moderate")  # type: ignore[union-attr]

    def response_post_save_change(self, request: HttpRequest, obj: Master) -> HttpResponse:
        return redirect("admin:staff_master_change", obj.pk)

    @display(description=_("phone"))
    def shown_phone(self, master: Master) -> str:
        return show_phone(master.phone)

    @display(description=_("block"), label={"blocked": "danger"}, ordering="is_blocked")
    def shown_block(self, master: Master) -> tuple[str, Any] | None:
        return ("blocked", _("blocked")) if master.is_blocked else None

    @display(
        description=_("shift"),
        label={ShiftStatus.SHIFT_ON: "success", ShiftStatus.BREAK: "warning", ShiftStatus.SHIFT_OFF: "plain"},
        ordering="shift_status",
    )
    def shown_shift(self, master: Master) -> tuple[str, str]:
        return master.shift_status, master.get_shift_status_display()
