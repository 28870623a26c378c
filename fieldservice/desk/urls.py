"""The addresses of the desk, inside the admin: before those of single models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from fieldservice.desk import act_views, master_page, media, order_page, system, views


def patterns(wrap: Callable[..., Any]) -> list[URLPattern]:
    """`wrap`: the site's check that somebody is signed in."""
    return [
        path("desk/board/", wrap(views.board_page), name="desk_board"),
        path("desk/calendar/", wrap(views.calendar_page), name="desk_calendar"),
        path("desk/map/", wrap(views.map_page), name="desk_map"),
        path("desk/crew/", wrap(views.crew_page), name="desk_crew"),
        path("desk/health/", wrap(system.health_page), name="desk_health"),
        # in the place of the admin's own pages, which keep no record of old and new
        path("runtime/setting/", wrap(system.settings_page), name="desk_settings"),
        path("runtime/setting/add/", wrap(system.settings_page)),
        path("runtime/setting/<str:name>/change/", wrap(system.settings_page)),
        path("runtime/setting/<str:name>/delete/", wrap(system.settings_page)),
        path("desk/files/<int:pk>/", wrap(media.attachment), name="desk_file"),
        path("desk/applications/", wrap(master_page.queue_page), name="desk_queue"),
        path("staff/master/<int:pk>/change/", wrap(master_page.master_page), name="desk_master"),
        path("staff/master/<int:pk>/edit/", wrap(master_page.edit_page), name="master_edit"),
        path("staff/master/<int:pk>/do/<slug:name>/", wrap(master_page.master_act), name="master_act"),
        # in the place of the admin's own change page, which is at …/edit/
        path("orders/order/<int:pk>/change/", wrap(order_page.order_page), name="desk_order"),
        path("orders/order/<int:pk>/edit/", wrap(order_page.edit_page), name="order_edit"),
        path("orders/order/<int:pk>/changed/", wrap(order_page.changed), name="order_changed"),
        path("orders/order/<int:pk>/why/", wrap(order_page.why_not), name="order_why"),
        path("orders/order/<int:pk>/masters/", wrap(act_views.order_masters), name="order_masters"),
        path("orders/order/<int:pk>/do/<slug:name>/", wrap(act_views.order_act), name="order_act"),
    ]
