"""The pages of the desk. Each is wrapped by the admin site: who is not signed in comes nowhere near."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from fieldservice.desk import board, calendar, crew, dashboard, map, sight
from fieldservice.lib.clean import read_number

#: seconds between two looks of the board
REFRESH = 4


def context(request: HttpRequest, title: str, seen: sight.Sight | None = None, **more: Any) -> dict[str, Any]:
    """What every page of the desk needs."""
    return admin.site.each_context(request) | {"title": title, "sight": seen, "now": timezone.now()} | more


@never_cache
@require_GET
def board_page(request: HttpRequest) -> HttpResponse:
    """The board; with `part`, its inside only, and nothing at all (204) when it is as it was."""
    seen, now = sight.of(request), timezone.now()
    shown = {"columns": board.columns(seen, now), "sight": seen, "refresh": REFRESH}
    inside = render_to_string("desk/board_inside.html", shown, request)
    mark = hashlib.sha256(inside.encode()).hexdigest()[:16]
    if request.GET.get("part"):
        if request.GET.get("mark") == mark:
            return HttpResponse(status=204)
        return TemplateResponse(request, "desk/board_part.html", {"inside": inside, "mark": mark, "refresh": REFRESH})
    page = context(request, _("Board"), seen, inside=inside, mark=mark, refresh=REFRESH)
    return TemplateResponse(request, "desk/board.html", page)


@never_cache
@require_GET
def calendar_page(request: HttpRequest) -> HttpResponse:
    """Visits of a city by master: a week from `from`, or one day by slots."""
    seen, now = sight.of(request, one=True), timezone.now()
    today = now.astimezone(seen.tz).date()
    first = _day(request.GET.get("from"), today)
    days = 1 if request.GET.get("days") == "1" else 7
    grid = calendar.grid(seen, first=first, days=days, now=now) if seen.city else None
    span = timedelta(days=days)
    steps = {"before": first - span, "after": first + span, "last": first + span - timedelta(days=1)}
    page = context(request, _("Calendar"), seen, grid=grid, first=first, days=days, today=today, **steps)
    return TemplateResponse(request, "desk/calendar.html", page)


@never_cache
@require_GET
def map_page(request: HttpRequest) -> HttpResponse:
    """The map; with `part`, its points as JSON."""
    seen = sight.of(request, one=True)
    points = map.places(seen, timezone.now())
    if request.GET.get("part"):
        return JsonResponse(points)
    return TemplateResponse(request, "desk/map.html", context(request, _("Map"), seen, points=points))


@never_cache
@require_GET
def crew_page(request: HttpRequest) -> HttpResponse:
    """Masters on shift and their load."""
    seen, now = sight.of(request), timezone.now()
    which = request.GET.get("load", "")
    which = which if which in crew.WHICH else ""
    at = read_number(request.GET.get("page"), most=9999) or 1
    found, more = crew.rows(seen, which=which, page=at, now=now)
    page = context(request, _("Masters at work"), seen, rows=found, more=more, which=which, number=at)
    return TemplateResponse(request, "desk/crew.html", page)


def dashboard_page(request: HttpRequest, page: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK: the first page of the admin."""
    seen, now = sight.of(request), timezone.now()
    return page | dashboard.page(seen, now) | {"sight": seen, "now": now, "title": _("Today")}


def _day(text: str | None, default: date) -> date:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return default
    return day if date(2000, 1, 10) < day < date(2100, 1, 1) else default
