"""The map of one city: open orders and masters on shift, as precisely as is known where they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _

from fieldservice.desk.board import place
from fieldservice.desk.figures import OPEN
from fieldservice.desk.sight import Sight
from fieldservice.lib.localtime import format_timeslot_local
from geo.models import District
from orders.enums import OrderStatus
from orders.models import Order
from staff.enums import ModerationStatus, ShiftStatus
from staff.models import Master, MasterDistrict

#: points of a kind: with more the map says nothing
LIMIT = 500


def places(sight: Sight, now: datetime) -> dict[str, Any]:
    """Points of the chosen city: districts, orders, masters. `exact`: false where only street or district is known."""
    if sight.city is None:
        return {"centre": None, "districts": [], "orders": [], "masters": []}
    districts = {d.pk: d for d in District.objects.filter(city=sight.city)[:1000]}
    centre = (sight.city.centroid_lat, sight.city.centroid_lon)
    named = [{"name": d.name, "at": _at(d)} for d in districts.values() if _at(d)]
    return {
        "centre": centre if None not in centre else None,
        "districts": named,
        "orders": [point for order in _orders(sight) if (point := _order(order, sight, now))],
        "masters": _masters(sight, districts),
    }


def _orders(sight: Sight) -> list[Order]:
    rows = Order.objects.filter(status__in=OPEN, city=sight.city)
    return list(rows.select_related("city", "district", "street", "assigned_master").order_by("-id")[:LIMIT])


def _order(order: Order, sight: Sight, now: datetime) -> dict[str, Any] | None:
    exact = order.lat is not None and order.lon is not None
    at = (order.lat, order.lon) if exact else _at(order.street) or _at(order.district) or _at(order.city)
    if at is None:
        return None
    slot = format_timeslot_local(order.timeslot_start_utc, order.timeslot_end_utc, tz=sight.tz, now=now)
    master = order.assigned_master
    return {
        "at": at, "exact": exact, "title": f"#{order.pk} · {order.get_category_display()}",
        "status": order.get_status_display(), "tone": _tone(order), "lines": [place(order), slot],
        "master": master.full_name if master else "", "link": reverse("admin:orders_order_change", args=[order.pk]),
    }  # fmt: skip


def _tone(order: Order) -> str:
    if order.status in OrderStatus.SEARCH:
        return "bad" if order.dist_escalated_logist_at else "warn"
    return "plain" if order.status == OrderStatus.DEFERRED else "info"


def _masters(sight: Sight, districts: dict[int, District]) -> list[dict[str, Any]]:
    rows = Master.objects.filter(
        city=sight.city, moderation_status=ModerationStatus.APPROVED, is_active=True, is_blocked=False, is_deleted=False
    ).exclude(shift_status=ShiftStatus.SHIFT_OFF)
    masters = list(rows.order_by("full_name", "id")[:LIMIT])
    serves: dict[int, list[int]] = {}
    links = MasterDistrict.objects.filter(master__in=masters).order_by("district_id")
    for master_id, district_id in links.values_list("master_id", "district_id"):
        serves.setdefault(master_id, []).append(district_id)
    active = Order.objects.filter(assigned_master__in=masters, status__in=OrderStatus.ACTIVE).order_by()
    load = dict(active.values_list("assigned_master").annotate(n=Count("*")))
    return [point for master in masters if (point := _master(master, serves.get(master.pk, []), districts, sight,
                                                             load.get(master.pk, 0)))]  # fmt: skip


def _master(
    master: Master, serves: list[int], districts: dict[int, District], sight: Sight, load: int
) -> dict[str, Any] | None:
    exact = master.home_latitude is not None and master.home_longitude is not None
    at: Any = (
        _home(master) if exact else _middle([districts[pk] for pk in serves if pk in districts]) or _at(sight.city)
    )
    if at is None:
        return None
    return {
        "at": at, "exact": exact, "title": master.full_name,
        "tone": "good" if master.shift_status == ShiftStatus.SHIFT_ON else "",
        "status": master.get_shift_status_display(), "lines": [_("active orders: %(count)s") % {"count": load}],
        "link": reverse("admin:staff_master_change", args=[master.pk]),
    }  # fmt: skip


def _home(master: Master) -> tuple[float, float]:
    return float(master.home_latitude or 0), float(master.home_longitude or 0)


def _middle(districts: list[District]) -> tuple[float, float] | None:
    """The middle of what a master serves: those of one district do not hide the others."""
    known = [at for district in districts if (at := _at(district))]
    return (
        (sum(lat for lat, _lon in known) / len(known), sum(lon for _lat, lon in known) / len(known)) if known else None
    )


def _at(row: Any) -> tuple[float, float] | None:
    if row is None or row.centroid_lat is None or row.centroid_lon is None:
        return None
    return row.centroid_lat, row.centroid_lon
