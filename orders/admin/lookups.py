"""What the form of a new order asks while the client is on the phone: who calls, and which slots are left."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from fieldservice.lib.clean import read_number
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.localtime import format_moment, format_timeslot_local, zone
from fieldservice.lib.phones import parse_phone
from orders import scope
from orders.enums import OrderStatus
from orders.models import Order
from orders.services.schedule import DESK_DAYS, choices
from orders.services.window import load_window
from orders.words import address
from staff import scope as staff_scope

LAST = 5


@never_cache
@require_GET
def client(request: HttpRequest) -> HttpResponse:
    """Orders of the phone that the member may see: open ones as a warning, addresses to take over with a key."""
    try:
        phone = parse_phone(request.GET.get("phone", "")[:40])
    except InvalidError:
        return HttpResponse(status=204)
    rows = scope.visible_to(request.user).filter(client_phone=phone)  # type: ignore[arg-type]
    now = timezone.now()
    found = [_shown(order, now) for order in rows.order_by("-id")[:LAST]]
    page = {"found": found, "open": [row for row in found if row["is_open"]], "name": _name(found)}
    return TemplateResponse(request, "orders/known_client.html", page)


def _shown(order: Order, now: object) -> dict[str, object]:
    tz = zone(order.city.timezone)
    return {
        "order": order, "is_open": order.status not in OrderStatus.FINAL, "street": order.street_name,
        "created": format_moment(order.created_at, tz=tz, now=now),  # type: ignore[arg-type]
        "place": address(order, flat=True),
    }  # fmt: skip


def _name(found: list[dict[str, object]]) -> str:
    names = (row["order"].client_name for row in found)  # type: ignore[attr-defined]
    return next((name for name in names if name), "")


@never_cache
@require_GET
def slots(request: HttpRequest) -> JsonResponse:
    """The slots that can be chosen now in a city, and what time it is there."""
    wanted = read_number(request.GET.get("city")) or 0
    city = staff_scope.cities(request.user).filter(pk=wanted).first()  # type: ignore[arg-type]
    if city is None:
        return JsonResponse({"slots": [], "note": ""})
    tz, now = zone(city.timezone), timezone.now()
    found = [
        (key, _("As soon as possible") if slot is None else
         format_timeslot_local(slot.start, slot.end, tz=tz, now=now).capitalize())
        for key, slot in choices(now=now, tz=tz, window=load_window(), days=DESK_DAYS)
    ]  # fmt: skip
    note = _("It is %(time)s in %(city)s now.") % {"time": f"{now.astimezone(tz):%H:%M}", "city": city.name}
    return JsonResponse({"slots": found, "note": note})
