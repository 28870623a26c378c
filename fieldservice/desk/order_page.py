"""The order page: everything about an order, every act as a button, and a warning when it has changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from fieldservice.desk import acts, order_story
from fieldservice.desk.views import context
from fieldservice.lib.clean import read_number
from fieldservice.lib.errors import DomainError, NotFoundError
from fieldservice.lib.localtime import format_timeslot_local, zone
from finance.models import Commission
from orders import scope, words
from orders.dispatch import explain_master
from orders.models import Order
from staff import access
from staff import scope as staff_scope

OTHERS = 6


@never_cache
@require_GET
def order_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One order. A stranger's does not exist: back to the list, as the admin does for rows that are gone."""
    try:
        order = scope.get_for(request.user, pk)  # type: ignore[arg-type]
    except NotFoundError as error:
        messages.warning(request, str(error))
        return redirect("admin:orders_order_changelist")
    return TemplateResponse(request, "desk/order.html", _page(request, order))


def _page(request: HttpRequest, order: Order) -> dict[str, Any]:
    now = timezone.now()
    role = request.user.role  # type: ignore[union-attr]
    commission = None
    if access.may(role, "finance.see"):
        commission = Commission.objects.filter(order=order).first()
    story = order_story.read(order, now)
    events, following = order_story.timeline(story)
    tz = zone(order.city.timezone)
    slot = format_timeslot_local(order.timeslot_start_utc, order.timeslot_end_utc, tz=tz, now=now)
    return context(
        request, _("Order #%(id)s") % {"id": order.pk}, None, order=order, tz=tz, slot=slot,
        acts=acts.available(order, role), events=events, following=following, commission=commission,
        decisions=order_story.decisions(story), offers=order_story.offers(story),
        sent=order_story.messages(story, commission),
        files=order_story.files(order, commission), others=list(_others(request, order)),
        place=words.address(order, city=False, flat=True),
        opts=None, may_change=request.user.has_perm("orders.change_order"),
        masters=sorted(story.names.items(), key=lambda pair: pair[1]) if story.decisions else [],
    )  # fmt: skip


def _others(request: HttpRequest, order: Order) -> QuerySet[Order] | list[Order]:
    """Other orders of the same phone that this member may see."""
    if not order.client_phone:
        return []
    rows = scope.visible_to(request.user).filter(client_phone=order.client_phone)  # type: ignore[arg-type]
    return rows.exclude(pk=order.pk).order_by("-id")[:OTHERS]


@never_cache
@require_GET
def changed(request: HttpRequest, pk: int) -> HttpResponse:
    """Asked by an open order page: 204 while the order is as shown, else a line to reload."""
    rows = scope.visible_to(request.user).select_related(None).filter(pk=pk)  # type: ignore[arg-type]
    state = rows.values_list("version", "dispatch_round").first()
    if state is None or request.GET.get("seen", "") == "{}.{}".format(*state):
        return HttpResponse(status=204)
    return TemplateResponse(request, "desk/order_changed.html", {"pk": pk})


@never_cache
@require_GET
def why_not(request: HttpRequest, pk: int) -> HttpResponse:
    """Why a master was or was not asked for the order, and whether he would be now."""
    master_id = read_number(request.GET.get("master")) or 0
    try:
        order = scope.get_for(request.user, pk)  # type: ignore[arg-type]
        if not staff_scope.masters(request.user).filter(pk=master_id).exists():  # type: ignore[arg-type]
            raise NotFoundError(_("There is no master #%(id)s.") % {"id": request.GET.get("master", "")[:20]})
        told = explain_master.explain(order_id=order.pk, master_id=master_id, now=timezone.now())
        lines = [(told.clock.show(event.at), event.text) for event in told.master]
        shown = {"lines": lines, "now": told.now}
    except DomainError as error:
        shown = {"lines": [], "now": str(error)}
    return TemplateResponse(request, "desk/why.html", shown)


@never_cache
def edit_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Django's own form of the order: what staff may still correct."""
    return admin.site.get_model_admin(Order).change_view(request, str(pk))
