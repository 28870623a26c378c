"""The page of one act: what it does, what it asks, and why it was refused; in a dialog or on its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from fieldservice.desk.acts import ACTS, Act, Data
from fieldservice.desk.master_acts import MasterAct
from fieldservice.desk.views import context
from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import DomainError, ForbiddenError, NotFoundError
from fieldservice.lib.localtime import format_timeslot_local, zone
from orders import scope
from orders.models import Order
from orders.selectors import average_checks
from orders.services import manual
from orders.services.schedule import DESK_DAYS, choices
from orders.services.window import load_window
from staff import access
from staff.models import Master

REASONS = 200
#: masters below the board while a card is dragged; the dialog has them all
STRIP = 12
A = TypeVar("A", Act, MasterAct)


def chosen(request: HttpRequest, acts: Mapping[str, A], name: str) -> A:
    """The act of the address. Raises Http404 when there is none, PermissionDenied when it is not the member's."""
    act = acts.get(name)
    if act is None:
        raise Http404
    if not access.may(request.user.role, act.right):  # type: ignore[union-attr]
        raise PermissionDenied
    return act


def ask_or_do(
    request: HttpRequest,
    ask: Callable[[DomainError | None], HttpResponse],
    run: Callable[[Actor, Data], str],
    link: str,
) -> HttpResponse:
    """Ask (GET) or do (POST). What was typed stays when it is refused."""
    if request.method != "POST":
        return ask(None)
    try:
        said = run(Actor.of_staff(request.user, "web"), request.POST)
    except ForbiddenError as error:
        raise PermissionDenied(str(error)) from error
    except DomainError as error:
        return ask(error)
    return went_well(request, said, link)


@never_cache
@require_http_methods(["GET", "POST"])
def order_act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """An act on an order."""
    act = chosen(request, ACTS, name)
    order = _order(request, pk)
    return ask_or_do(request, partial(_asked, request, act, order), partial(act.run, order), _link(order))


@never_cache
@require_GET
def order_masters(request: HttpRequest, pk: int) -> HttpResponse:
    """The first masters of the list of `assign`: what a card of the board may be dropped on."""
    if not access.may(request.user.role, "order.offer"):  # type: ignore[union-attr]
        raise PermissionDenied
    order = _order(request, pk)
    shown = {"order": order, "masters": _masters(order, request)[:STRIP]}
    return TemplateResponse(request, "desk/crew_strip.html", shown)


def _order(request: HttpRequest, pk: int) -> Order:
    try:
        return scope.get_for(request.user, pk)  # type: ignore[arg-type]
    except NotFoundError as error:
        raise Http404(str(error)) from error


def went_well(request: HttpRequest, said: str, link: str) -> HttpResponse:
    """Say it on the next page: where the person came from, else `link`."""
    messages.success(request, said)
    target = _next(request, link)
    if "HX-Request" in request.headers:
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return redirect(target)


def _asked(request: HttpRequest, act: Act, order: Order, error: DomainError | None) -> HttpResponse:
    role = request.user.role  # type: ignore[union-attr]
    about = f"{order.city.name} · {order.get_category_display()} · {order.get_status_display()}"
    shown: dict[str, Any] = {
        "act": act, "heading": f"#{order.pk}", "link": _link(order), "about": about, "fits": act.fits(order, role),
        "url": reverse("admin:order_act", args=[order.pk, act.name]), "version": order.version,
        "search": request.POST.get("search") or order.search_number,
    }  # fmt: skip
    if act.asks == "master" and shown["fits"]:
        shown["masters"] = _masters(order, request)
        shown["may_assign"] = access.may(role, "order.assign")
    elif act.asks == "slot":
        shown |= _slots(order)
    return asked(request, shown, _link(order), error)


def asked(request: HttpRequest, shown: dict[str, Any], link: str, error: DomainError | None) -> HttpResponse:
    """The question, again with what was typed when it was refused."""
    in_dialog = "HX-Request" in request.headers
    shown |= {
        "error": error, "typed": request.POST or {"master": request.GET.get("master")}, "next": _next(request, link),
        "most": REASONS,
        "must_confirm": error is not None and error.code in {"confirm", "late"},
        "is_stale": error is not None and error.code == "stale",
        # the version of the page that was refused, so that a second click is refused, too
        "version": request.POST.get("version") or shown["version"],
    }  # fmt: skip
    page = context(request, str(shown["act"].title), None, **shown)
    template = "desk/act_part.html" if in_dialog else "desk/act.html"
    # htmx shows nothing of an answer with an error status
    return TemplateResponse(request, template, page, status=409 if error and not in_dialog else 200)


def _link(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def _slots(order: Order) -> dict[str, Any]:
    """The times that can be chosen, day by day, and what time it is there."""
    now, tz = timezone.now(), zone(order.city.timezone)
    days: dict[str, list[tuple[str, str]]] = {}
    present = ""
    for key, slot in choices(now=now, tz=tz, window=load_window(), days=DESK_DAYS):
        if slot is None:
            days[""] = [(key, _("As soon as possible"))]
            continue
        start = slot.start.astimezone(tz)
        said = format_timeslot_local(slot.start, slot.end, tz=tz, now=now).capitalize()
        days.setdefault(date_format(start, "l, j E"), []).append((key, said))
        if (slot.start, slot.end) == (order.timeslot_start_utc, order.timeslot_end_utc):
            present = key
    seen = format_timeslot_local(order.timeslot_start_utc, order.timeslot_end_utc, tz=tz, now=now)
    clock = _("It is %(time)s in %(city)s now.") % {"time": f"{now.astimezone(tz):%H:%M}", "city": order.city.name}
    return {"days": list(days.items()), "present": present, "seen_slot": seen, "clock": clock}


def _masters(order: Order, request: HttpRequest) -> list[dict[str, Any]]:
    """The masters staff may choose, with what speaks for and against them."""
    chosen = manual.candidates(order_id=order.pk, actor=Actor.of_staff(request.user, "web"))
    ids = [candidate.master_id for candidate in chosen]
    known = Master.objects.in_bulk(ids)
    checks = average_checks(ids, now=timezone.now())
    return [{"candidate": c, "master": known[c.master_id], "check": checks.get(c.master_id)}
            for c in chosen if c.master_id in known]  # fmt: skip


def _next(request: HttpRequest, link: str) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    fits = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if fits else link
