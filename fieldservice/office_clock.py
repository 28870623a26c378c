"""Pages show the office's time: what belongs to a city is shown in the city's own by its page."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from fieldservice.lib.localtime import zone


class OfficeClock:
    """Forms and lists speak the time of `TIMEZONE`; without it they would speak UTC, which no clock on a wall shows."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(zone(settings.TIMEZONE)):
            return self.get_response(request)
