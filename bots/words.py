"""Codes in words: what the rows hold, as people read it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.models import Order
from staff.enums import BlockReason

ESCALATION = {
    "no_candidates": gettext_lazy("no free master with this skill"),
    "rounds_exhausted": gettext_lazy("all rounds are used up"),
    "no_district": gettext_lazy("the order has no district"),
    "no_category": gettext_lazy("no skill for this category"),
}
HISTORY = {
    "accepted_by_master": gettext_lazy("accepted by the master"),
    "activated_by_admin": gettext_lazy("search started by the office"),
    "commission_paid": gettext_lazy("the commission is paid"),
    "created_by_staff": gettext_lazy("created by the office"),
    "deferred_wakeup": gettext_lazy("the time of the visit has come"),
    "distribution_escalate_admin": gettext_lazy("escalated to an admin"),
    "distribution_escalate_logist": gettext_lazy("escalated to a logist"),
    "guarantee_completed": gettext_lazy("guarantee visit done"),
    "manual_assign": gettext_lazy("assigned by the office"),
    "master_en_route": gettext_lazy("the master is on the way"),
    "master_uploaded_act": gettext_lazy("act handed in"),
    "master_working": gettext_lazy("the master is on site"),
    "offer_declined": gettext_lazy("offer declined"),
    "offer_undeliverable": gettext_lazy("the master cannot be reached"),
    "offered_by_staff": gettext_lazy("offered by the office"),
    "outside_working_hours": gettext_lazy("outside working hours"),
    "search_again": gettext_lazy("new search"),
    "search_started": gettext_lazy("search started"),
}


def escalation(reason: str | None) -> str:
    """Why dispatch needs help."""
    return str(ESCALATION.get(reason or "", reason or _("the reason is not known")))


def history(reason: str | None) -> str:
    """Why an order changed; staff's own words are shown as they are."""
    return str(HISTORY.get(reason or "", reason or ""))


def block(reason: str | None) -> str:
    """Why a master is blocked; staff's own words are shown as they are."""
    return str(dict(BlockReason.choices).get(reason or "", reason or _("blocked by the office")))


def address(order: Order, *, flat: bool = False) -> str:
    """`City, district, street, house`, with the flat only for those who may know it."""
    parts = [order.city.name, order.district and order.district.name, order.street and order.street.name, order.house]
    if flat and order.apartment:
        parts.append(_("flat %(number)s") % {"number": order.apartment})
    return ", ".join(part for part in parts if part)


def map_url(order: Order) -> str:
    """The place on a map: by coordinates, else by address."""
    if order.lat is not None and order.lon is not None:
        query = {"pt": f"{order.lon},{order.lat}", "z": "17", "l": "map"}
    else:
        query = {"text": address(order)}
    return f"https://yandex.ru/maps/?{urlencode(query)}"
