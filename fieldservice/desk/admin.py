"""The outbox in the web admin: what was said to whom, and what waits."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, FieldTextFilter
from unfold.decorators import action, display

from fieldservice.desk.templatetags.desk import event_name
from fieldservice.lib.actor import Actor
from fieldservice.lib.only_seen import OnlySeen
from fieldservice.outbox import services
from fieldservice.outbox.models import Notification, Outcome
from staff.scoped_admin import InfinitePaginator
from staff.services.moderation import audit

OUTCOMES = {"": "warning", Outcome.SENT: "success", Outcome.SKIPPED: "plain", Outcome.FAILED: "danger"}


class StateFilter(DropdownFilter):
    """What has not gone out yet."""

    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("waits")), ("late", _("waits and is due"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notification]) -> QuerySet[Notification]:
        if self.value() == "late":
            return queryset.filter(processed_at__isnull=True, due_at__lte=timezone.now())
        return queryset.filter(processed_at__isnull=True) if self.value() == "waiting" else queryset


@admin.register(Notification)
class NotificationAdmin(OnlySeen, ModelAdmin):
    list_display = ("id", "about", "whom", "lane", "due_at", "processed_at", "ended", "attempt_count")
    list_select_related = ("master", "staff")
    fields = (
        "about",
        "whom",
        "bot",
        "lane",
        "due_at",
        "processed_at",
        "outcome",
        "attempt_count",
        "last_error",
        "said",
    )
    readonly_fields = fields
    # a field to type into: a list of all events would be made by reading all rows
    list_filter = (
        ("outcome", ChoicesDropdownFilter),
        StateFilter,
        ("bot", ChoicesDropdownFilter),
        ("event", FieldTextFilter),
    )
    list_filter_submit = True
    list_per_page = 25
    paginator = InfinitePaginator
    list_disable_select_all = True
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    ordering = ("-id",)
    actions = ["send_again"]

    @display(description=_("about"))
    def about(self, row: Notification) -> str:
        return event_name(row.event)

    @display(description=_("recipient"))
    def whom(self, row: Notification) -> str:
        return str(row.master or row.staff or row.chat_id or "—")

    @display(description=_("payload"))
    def said(self, row: Notification) -> str:
        return ", ".join(f"{name}: {value}" for name, value in row.payload.items()) or "—"

    @display(description=_("outcome"), label=OUTCOMES)
    def ended(self, row: Notification) -> tuple[str, Any]:
        return row.outcome or "", row.get_outcome_display() if row.outcome else _("waits")

    @action(description=_("Send again what failed"), permissions=["view"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        """Failed messages only; those that went out are never sent twice."""
        chosen = list(queryset.values_list("pk", flat=True)[:1000])
        with transaction.atomic():
            revived = services.revive(chosen, now=timezone.now())
            if revived:
                audit("messages_sent_again", actor=Actor.of_staff(request.user, "web"), messages=revived)
        count = len(revived)
        if count:
            text = ngettext("%(count)s message is sent again.", "%(count)s messages are sent again.", count)
            messages.success(request, text % {"count": count})
        if skipped := len(chosen) - count:
            messages.warning(request, _("Left alone, not failed or no longer true: %(count)s.") % {"count": skipped})
