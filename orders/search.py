"""Orders by whatever a person types: number, phone, name of the client or master, street and house.

Every source is bounded and has an index, or looks at the last months only: a word is never compared with all orders.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from fieldservice.lib.clean import clean
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.phones import parse_phone
from geo.models import Street
from orders import scope
from orders.models import Order
from staff import scope as staff_scope
from staff.models import Master, StaffUser

#: names and ends of phones are looked for in orders of so many days
DAYS = 92
MOST = 100
#: masters and streets of a name
NAMED = 50
LONGEST = 80
HOUSE = re.compile(r"(?P<street>.*\D)[,\s]+(?:д(?:ом|\.)?\s*)?(?P<house>[0-9]+\S*)", re.IGNORECASE)


def search(member: StaffUser, text: str, *, now: datetime) -> list[int]:
    """The numbers of the member's orders that fit, newest first, at most MOST. Raises InvalidError when too short."""
    text = " ".join(clean(text).split())[:LONGEST]
    visible = scope.visible_to(member).select_related(None).order_by("-id")
    recent = visible.filter(created_at__gte=now - timedelta(days=DAYS)).order_by("-created_at")
    digits = re.sub(r"\D", "", text)
    if re.fullmatch(r"[#№]?\s*[0-9]{1,9}", text):
        tails = recent.filter(client_phone__endswith=digits) if len(digits) >= 4 else recent.none()
        return _numbers(visible.filter(pk=int(digits)), tails)
    try:
        phone = parse_phone(text)
    except InvalidError:
        pass
    else:
        masters = staff_scope.masters(member).filter(phone=phone)
        return _numbers(visible.filter(client_phone=phone), visible.filter(assigned_master__in=_few(masters)))
    if len(text) < 3:
        raise InvalidError("")
    masters = staff_scope.masters(member).filter(full_name__icontains=text)
    return _numbers(
        visible.filter(assigned_master__in=_few(masters)),
        recent.filter(client_name__icontains=text),
        visible.filter(_address(member, text)),
        recent.filter(_typed_address(text)),
    )


def _numbers(*sources: QuerySet[Order]) -> list[int]:
    found: set[int] = set()
    for rows in sources:
        found |= set(rows.values_list("pk", flat=True)[:MOST])
    return sorted(found, reverse=True)[:MOST]


def _few(masters: QuerySet[Master]) -> list[int]:
    return list(masters.order_by("-id").values_list("pk", flat=True)[:NAMED])


def _address(member: StaffUser, text: str) -> Q:
    parts = HOUSE.fullmatch(text)
    name, house = (parts["street"], parts["house"]) if parts else (text, "")
    streets = _streets(member, name.strip(" ,"))
    return Q(street_id__in=list(streets)) & (Q(house__iexact=house) if house else Q())


def _typed_address(text: str) -> Q:
    """Streets the catalogue does not have stand on the order itself."""
    parts = HOUSE.fullmatch(text)
    name, house = (parts["street"], parts["house"]) if parts else (text, "")
    return Q(street_text__icontains=name.strip(" ,")) & (Q(house__iexact=house) if house else Q())


def _streets(member: StaffUser, name: str) -> Iterable[int]:
    words = [word for word in re.split(r"[\s.,]+", name) if len(word) > 2]
    if not words:
        return []
    rows = Street.objects.filter(city__in=staff_scope.cities(member))
    for word in words[:4]:
        rows = rows.filter(name__icontains=word)
    return rows.order_by("id").values_list("pk", flat=True)[:NAMED]
