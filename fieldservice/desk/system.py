"""Settings with their ranges, and how the system does: for GLOBAL_ADMINs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from fieldservice.desk.dashboard import Figure
from fieldservice.desk.views import context
from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.localtime import zone
from fieldservice.outbox.models import Notification, Outcome
from fieldservice.runtime import registry
from fieldservice.runtime.models import Heartbeat, Setting
from fieldservice.watch import checks, jobs
from fieldservice.watch.look import expected_since
from staff import access
from staff.services import parameters

BOT_SILENT = timedelta(minutes=3)
FAILED = 10
#: typed into the field of a secret, which is never shown: take it away
NOTHING = "-"


def _global(request: HttpRequest) -> None:
    if not access.may(request.user.role, "settings"):  # type: ignore[union-attr]
        raise PermissionDenied


# --- settings --------------------------------------------------------------------------------------------------------
@never_cache
@require_http_methods(["GET", "POST"])
def settings_page(request: HttpRequest, name: str = "") -> HttpResponse:
    """Every key in its group. What is wrong stands beside its field; then nothing of the page is written."""
    _global(request)
    stored = {row.key: row for row in Setting.objects.select_related("updated_by_staff")}
    errors: dict[str, str] = {}
    if request.method == "POST":
        changed, errors = _read(request, stored)
        if not errors:
            try:
                _write(request, changed)
                return redirect("admin:runtime_setting_changelist")
            except InvalidError as error:  # another setting was changed a moment ago, and they do not go together
                errors = error.fields
    groups: dict[str, list[dict[str, Any]]] = {}
    for key in registry.KEYS.values():
        title, _colon, label = str(key.label).partition(": ")
        groups.setdefault(title if label else _("General"), []).append(_row(request, key, stored, errors))
    page = context(request, _("Settings"), None, groups=groups.items())
    return TemplateResponse(request, "desk/settings.html", page, status=409 if errors else 200)


def _row(request: HttpRequest, key: registry.Key, stored: dict[str, Setting], errors: dict[str, str]) -> dict[str, Any]:
    row = stored.get(key.name)
    value = row.value if row and not key.secret else ""
    label = str(key.label)
    default = key.default()
    return {
        "key": key, "label": label.partition(": ")[2].capitalize() or label, "was": value,
        "value": request.POST.get(key.name, value) if request.method == "POST" and not key.secret else value,
        "ranged": key.low is not None and abs(key.low) < 10**9, "has_secret": key.secret and row is not None,
        "error": errors.get(key.name),
        "default": default.strftime("%H:%M") if hasattr(default, "strftime") else default,
        "by": _("changed by %(who)s") % {"who": row.updated_by_staff} if row and row.updated_by_staff else "",
    }  # fmt: skip


def _read(request: HttpRequest, stored: dict[str, Setting]) -> tuple[dict[str, str], dict[str, str]]:
    """What was typed anew, and what is wrong with it; what somebody else has changed meanwhile is not written over."""
    changed: dict[str, str] = {}
    errors: dict[str, str] = {}
    for name, key in registry.KEYS.items():
        typed, was = request.POST.get(name, "").strip(), request.POST.get(f"was-{name}", "")
        now = stored[name].value if name in stored and not key.secret else ""
        if name not in request.POST or typed in (was, now):
            continue
        if was != now:
            errors[name] = _("Somebody has set this to “%(value)s” meanwhile.") % {"value": now or _("default")}
            continue
        changed[name] = "" if key.secret and typed == NOTHING else typed
    return changed, errors | parameters.mistakes(texts=changed)


def _write(request: HttpRequest, changed: dict[str, str]) -> None:
    parameters.change(texts=changed, actor=Actor.of_staff(request.user, "web"))
    count = len(changed)
    if count:
        said = ngettext("%(count)s setting is changed.", "%(count)s settings are changed.", count)
        messages.success(request, said % {"count": count})


# --- health ----------------------------------------------------------------------------------------------------------
@never_cache
@require_GET
def health_page(request: HttpRequest) -> HttpResponse:
    """What is wrong now, signs of life, the outbox."""
    _global(request)
    now = timezone.now()
    day = now - timedelta(days=1)
    failed = Notification.objects.filter(created_at__gte=day, outcome=Outcome.FAILED).order_by("-created_at")
    patience = jobs.missed_after()
    beats = [
        {"name": row.name, "at": row.beat_at, "late": now - row.beat_at > patience.get(row.name, BOT_SILENT)}
        for row in Heartbeat.objects.order_by("name")[:100]
    ]
    page = context(request, _("Health"), None, figures=_figures(now, day), beats=beats, failed=list(failed[:FAILED]),
                   troubles=troubles(now), tz=zone(settings.TIMEZONE))  # fmt: skip
    return TemplateResponse(request, "desk/health.html", page)


def troubles(now: datetime) -> list[str]:
    """What the watch would tell ALERTS at this moment. A check that fails is trouble, too."""
    moment = checks.Moment(now, datetime(2000, 1, 1, tzinfo=UTC), expected_since(now=now))
    found: list[str] = []
    for check in checks.CHECKS:
        try:
            with transaction.atomic():
                found += [trouble.text for trouble in check(moment)]
        except (DatabaseError, OSError) as error:
            found.append(f"{check.__name__}: {type(error).__name__}")
    return found


def _figures(now: datetime, day: datetime) -> list[Figure]:
    waits = Notification.objects.filter(processed_at__isnull=True, due_at__lte=now).aggregate(
        n=Count("pk"), since=Min("due_at")
    )
    sent = Notification.objects.filter(created_at__gte=day).aggregate(
        sent=Count("pk", filter=Q(outcome=Outcome.SENT)), failed=Count("pk", filter=Q(outcome=Outcome.FAILED))
    )
    link = reverse("admin:outbox_notification_changelist")
    return [
        Figure(_("Messages that wait"), str(waits["n"]), f"{link}?state=waiting", since=waits["since"],
               tone="warn" if waits["n"] else ""),
        Figure(_("Sent in 24 hours"), str(sent["sent"]), f"{link}?outcome__exact=SENT"),
        Figure(_("Failed in 24 hours"), str(sent["failed"]), f"{link}?outcome__exact=FAILED",
               tone="bad" if sent["failed"] else ""),
    ]  # fmt: skip
