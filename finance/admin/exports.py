"""Exports: a form to ask for one, a list that shows how far it is, the file. Everybody sees their own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget, UnfoldBooleanWidget

from fieldservice.lib.errors import DomainError, ForbiddenError
from fieldservice.lib.localtime import format_moment, zone
from fieldservice.runtime import registry
from finance import periods
from finance.enums import ExportFormat, ExportKind, ExportStatus
from finance.models import Export
from finance.services import exports
from geo.models import City
from staff import access, scope
from staff.scoped_admin import ReadOnlyAdmin
from staff.service_page import service_page

CUSTOM = "custom"
COLOURS = {
    ExportStatus.QUEUED: "plain", ExportStatus.RUNNING: "info", ExportStatus.DONE: "success",
    ExportStatus.FAILED: "danger", ExportStatus.CANCELED: "plain", ExportStatus.EXPIRED: "plain",
}  # fmt: skip


class ExportForm(forms.Form):
    """What, for which days, of which city."""

    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=ExportKind.choices, widget=UnfoldAdminSelectWidget)
    format = forms.ChoiceField(
        label=gettext_lazy("Format"), choices=ExportFormat.choices, widget=UnfoldAdminSelectWidget
    )
    period = forms.ChoiceField(
        label=gettext_lazy("Period"), widget=UnfoldAdminSelectWidget,
        choices=[*periods.PRESETS.items(), (CUSTOM, gettext_lazy("Other dates"))],
        help_text=gettext_lazy("Days are those of each order's own city; the first and the last one are included."),
    )  # fmt: skip
    date_from = forms.DateField(label=gettext_lazy("From"), required=False, widget=UnfoldAdminSingleDateWidget)
    date_to = forms.DateField(label=gettext_lazy("To"), required=False, widget=UnfoldAdminSingleDateWidget)

    def __init__(self, *args: Any, cities: QuerySet[City], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["city"] = forms.ModelChoiceField(
            cities.order_by("name"), label=_("City"), required=False, empty_label=_("All my cities"),
            widget=UnfoldAdminSelectWidget,
        )  # fmt: skip
        if registry.get("reports_channel_id"):
            self.fields["to_reports"] = forms.BooleanField(
                label=_("Also to the REPORTS channel"), required=False, widget=UnfoldBooleanWidget
            )

    def clean(self) -> dict[str, Any]:
        """The period, beside the field that is wrong."""
        data = super().clean() or {}
        try:
            data["days"] = self._days(data)
        except DomainError as error:
            for field, sentence in getattr(error, "fields", {"period": str(error)}).items():
                self.add_error(field if field in self.fields else "period", sentence)
        return data

    def _days(self, data: dict[str, Any]) -> periods.Period | None:
        if data.get("period") != CUSTOM:
            if data.get("date_from") or data.get("date_to"):
                self.add_error(
                    "period",
                    _("To take these dates, choose “Other dates” as the period; or leave the dates empty."),
                )
                return None
            today = timezone.now().astimezone(zone(None)).date()
            return periods.preset(data.get("period") or "", today=today)
        if not data.get("date_from") or not data.get("date_to"):
            if not self.errors:
                self.add_error("date_from", _("Choose the first and the last day."))
            return None
        return periods.Period(data["date_from"], data["date_to"])


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "format", "shown_period", "shown_status", "progress", "shown_until")
    list_display_links = None
    list_before_template = "finance/exports_refresh.html"
    ordering = ("-id",)
    actions_row = ("cancel_row",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """A file belongs to who asked for it, whatever the role."""
        return super().get_queryset(request).filter(staff_id=request.user.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_export_permission(request)

    def has_export_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """The matrix."""
        return bool(request.user.is_active and access.may(request.user.role, "export"))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for a file."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        member: Any = request.user
        form = ExportForm(request.POST or None, cities=scope.cities(member))

        def call(data: dict[str, Any]) -> str:
            city = data.get("city")
            exports.ask(
                member=member, kind=data["kind"], fmt=data["format"], period=data["days"],
                city_ids=[city.pk] if city else None, to_reports=bool(data.get("to_reports")),
            )  # fmt: skip
            return _("The file is being written; you may go on working.")

        return service_page(
            request, self, title=_("New export"), form=form, call=call, button=_("Export"),
            back=reverse("admin:finance_export_changelist"),
        )  # fmt: skip

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.file)
        return [path("<int:object_id>/file/", view, name="finance_export_file"), *super().get_urls()]

    def file(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """The file, streamed."""
        try:
            export, stored = exports.fetch(export_id=object_id, member=request.user)  # type: ignore[arg-type]
        except ForbiddenError as error:
            raise PermissionDenied(str(error)) from error
        except DomainError as error:
            raise Http404(str(error)) from error
        answer = FileResponse(stored.open("rb"), as_attachment=True, filename=exports.file_name(export))
        answer["Cache-Control"] = "no-store"
        return answer

    @action(description=gettext_lazy("Cancel"), url_path="cancel", permissions=["export"])
    def cancel_row(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Stop writing. Only after a question: a link alone changes nothing."""
        export = self.row(request, object_id).first()
        if export is None:
            raise Http404
        back = reverse("admin:finance_export_changelist")
        if export.status not in ExportStatus.LIVE:
            messages.info(request, _("Export #%(id)s is not being written.") % {"id": export.pk})
            return HttpResponseRedirect(back)

        def call(data: dict[str, Any]) -> str:
            exports.cancel(export_id=export.pk, member=request.user)  # type: ignore[arg-type]
            return _("The export is canceled.")

        return service_page(
            request, self, title=_("Cancel the export"), form=forms.Form(request.POST or None), call=call, back=back,
            button=_("Cancel the export"), danger=True,
        )  # fmt: skip

    @display(description=gettext_lazy("period"))
    def shown_period(self, export: Export) -> str:
        return str(periods.Period(export.date_from, export.date_to))

    @display(description=gettext_lazy("status"), label=COLOURS)
    def shown_status(self, export: Export) -> tuple[str, str]:
        return export.status, export.get_status_display()

    @display(description=gettext_lazy("file"))
    def progress(self, export: Export) -> str:
        if export.status == ExportStatus.DONE:
            url = reverse("admin:finance_export_file", args=[export.pk])
            return format_html('<a class="font-medium text-primary-600 underline" href="{}">{}</a>', url,
                               exports.file_name(export))  # fmt: skip
        if export.status == ExportStatus.RUNNING:
            return f"{100 * export.rows_done // max(export.rows_total, 1)} %"
        return _(export.error) if export.error else "—"

    @display(description=gettext_lazy("kept until"))
    def shown_until(self, export: Export) -> str:
        return format_moment(export.expires_at, tz=zone(None), now=timezone.now())
