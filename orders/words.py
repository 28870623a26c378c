"""Codes in words: what the rows of orders hold, as people read it in both bots, the web admin and `explain`."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.enums import Category
from orders.models import Order, OrderStatusHistory

#: why dispatch needs help; also the outcome of a decision
ESCALATION = {
    "no_candidates": gettext_lazy("no free master with this skill"),
    "rounds_exhausted": gettext_lazy("all rounds are used up"),
    "no_district": gettext_lazy("the order has no district"),
    "no_category": gettext_lazy("no skill for this category"),
}
#: who says where an order is (orders.geocode_provider)
LOCATED = {
    "user_location": gettext_lazy("given by the client"),
    "street_centroid": gettext_lazy("middle of the street"),
    "district_centroid": gettext_lazy("middle of the district"),
    "city_centroid": gettext_lazy("middle of the city"),
    "yandex": "Yandex",
    "nominatim": "Nominatim",
}
OUTCOME = {"offered": gettext_lazy("offered"), **ESCALATION}
#: why a master is no candidate (orders.dispatch.values.LeftOut)
LEFT_OUT = {
    "not_verified": gettext_lazy("not approved"),
    "inactive": gettext_lazy("switched off"),
    "blocked": gettext_lazy("blocked"),
    "unreachable": gettext_lazy("unreachable in Telegram"),
    "off_shift": gettext_lazy("off shift"),
    "break": gettext_lazy("on a break"),
    "skill": gettext_lazy("without the skill"),
    "district": gettext_lazy("serves other districts"),
    "limit": gettext_lazy("no free place"),
    "asked": gettext_lazy("asked already in this search"),
}
HISTORY = {
    "accepted_by_master": gettext_lazy("accepted by the master"),
    "activated_by_admin": gettext_lazy("search started by the office"),
    "commission_paid": gettext_lazy("the commission is paid"),
    "corrected": gettext_lazy("corrected by the office"),
    "created_by_staff": gettext_lazy("created by the office"),
    "deferred_wakeup": gettext_lazy("the time of the visit has come"),
    "distribution_escalate_admin": gettext_lazy("escalated to an admin"),
    "distribution_escalate_logist": gettext_lazy("escalated to a logist"),
    "guarantee_completed": gettext_lazy("guarantee visit done"),
    "guarantee_created": gettext_lazy("guarantee visit created by the office"),
    "manual_assign": gettext_lazy("assigned by the office"),
    "master_en_route": gettext_lazy("the master is on the way"),
    "master_uploaded_act": gettext_lazy("act handed in"),
    "master_working": gettext_lazy("the master is on site"),
    "offer_declined": gettext_lazy("offer declined"),
    "offer_undeliverable": gettext_lazy("the master cannot be reached"),
    "offered_by_staff": gettext_lazy("offered by the office"),
    "outside_working_hours": gettext_lazy("outside working hours"),
    "rescheduled": gettext_lazy("visit moved to another time"),
    "search_again": gettext_lazy("new search"),
    "search_started": gettext_lazy("search started"),
    "visit_rated": gettext_lazy("visit rated"),
}


def address(order: Order, *, city: bool = True, flat: bool = False) -> str:
    """`City, district, street, house`, without the city where it is said already, with the flat only for those who may
    know it."""
    parts = [order.city.name if city else None, order.district and order.district.name, order.street_name, order.house]
    if flat and order.apartment:
        parts.append(_("flat %(number)s") % {"number": order.apartment})
    return ", ".join(part for part in parts if part)


def escalation(reason: str | None) -> str:
    """Why dispatch needs help."""
    return str(ESCALATION.get(reason or "", reason or _("the reason is not known")))


def outcome(code: str) -> str:
    """What a decision of dispatch led to."""
    return str(OUTCOME.get(code, code))


def history(reason: str | None) -> str:
    """Why an order changed; staff's own words are shown as they are."""
    return str(HISTORY.get(reason or "", reason or ""))


def corrected(row: OrderStatusHistory) -> list[tuple[str, str, str, str]]:
    """What a correction changed: the field, its name in words, the value before and after."""
    changes = (row.context or {}).get("changes")
    if not isinstance(changes, dict):
        return []
    found = [field for field in Order._meta.fields if field.name in changes]
    pairs = [[_value(field.name, value) for value in changes[field.name]] for field in found]
    return [(field.name, str(field.verbose_name), old, new) for field, (old, new) in zip(found, pairs, strict=True)]


def _value(name: str, value: str | None) -> str:
    return str(dict(Category.choices).get(value, value)) if name == "category" and value else value or "—"


def left_out(reason: str) -> str:
    """Why a master is no candidate."""
    return str(LEFT_OUT.get(reason, reason))


def located_by(provider: str | None) -> str:
    """Whose coordinates these are; an unknown name is shown as it is."""
    return str(LOCATED.get(provider or "", provider or "—"))
