"""The addresses of the desk, inside the admin: before those of single models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from fieldservice.desk import act_views, views


def patterns(wrap: Callable[..., Any]) -> list[URLPattern]:
    """`wrap`: the site's check that somebody is signed in."""
    return [
        path("desk/board/", wrap(views.board_page), name="desk_board"),
        path("desk/calendar/", wrap(views.calendar_page), name="desk_calendar"),
        path("desk/map/", wrap(views.map_page), name="desk_map"),
        path("desk/crew/", wrap(views.crew_page), name="desk_crew"),
        path("orders/order/<int:pk>/do/<slug:name>/", wrap(act_views.order_act), name="order_act"),
    ]
