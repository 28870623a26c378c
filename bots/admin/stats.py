"""Statistics of the member's cities: orders, dispatch, the best masters; with a picture."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from bots.admin import chart
from bots.admin.menu import menu_button
from bots.buttons import tap
from bots.callbacks import on
from bots.media import Enclosure
from bots.screens import Screen, page
from bots.visit import Reply, Visit
from fieldservice.lib.localtime import zone
from orders import reports, scope
from orders.enums import OrderStatus
from orders.models import Order
from staff import access
from staff import scope as staff_scope
from staff.models import StaffUser

PERIODS = (1, 7, 30)


@on("adm:stat", needs="stats")
def numbers(visit: Visit, days: int = 7) -> Reply:
    """The figures of the last days, today included."""
    return Reply(_screen(visit.member, days if days in PERIODS else 7))


@on("adm:stat:pic", needs="stats")
def picture(visit: Visit, days: int = 7) -> Reply:
    """Orders created and closed, day by day."""
    days = days if days in PERIODS else 7
    caption = _("🟦 created, 🟩 closed")
    content = chart.bars(_by_day(visit.member, max(days, 7)))
    file = Enclosure("PHOTO", name="orders.png", content=content, caption=caption)
    return Reply(_screen(visit.member, days), files=(file,))


def _screen(member: StaffUser, days: int) -> Screen:
    since, now = _since(days), timezone.now()
    seen = scope.visible_to(member).select_related(None)
    counts = seen.filter(created_at__gte=since).aggregate(
        created=Count("id"), canceled=Count("id", filter=Q(status=OrderStatus.CANCELED))
    )
    closed = _closed(seen, since).aggregate(closed=Count("id"), total=Sum("total_sum"))
    city_ids = None if staff_scope.sees_all(member) else list(staff_scope.city_ids(member))
    metrics = reports.rows(since=since, until=now, city_ids=city_ids)
    totals = reports.totals(metrics)
    facts: dict[str, Any] = counts | closed | {"t": totals, "days": days, "share": _shares(totals)}
    facts["seconds"] = int(totals["average_seconds"] or 0)
    facts["masters"] = reports.by_master(metrics, limit=5)
    facts["cities"] = reports.by_city(metrics, limit=5) if city_ids is None or len(city_ids) > 1 else []
    facts["money"] = access.may(member.role, "finance.see")
    names = {1: _("Today"), 7: _("7 days"), 30: _("30 days")}
    tabs = [tap(f"· {name} ·" if n == days else name, "adm:stat", n) for n, name in names.items()]
    rows = [tabs, [tap(_("📈 Picture"), "adm:stat:pic", days), menu_button()]]
    return page("admin/stats.html", rows, title=names[days], **facts)


def _shares(totals: dict[str, Any]) -> dict[str, int]:
    """Percent of the assignments."""
    whole = totals["assignments"] or 1
    return {name: round(100 * totals[name] / whole) for name in reports.COUNTS}


def _since(days: int) -> datetime:
    """Midnight, so many days ago; the office's own zone: its cities have several."""
    today = timezone.now().astimezone(zone(None)).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days - 1)


def _closed(seen: QuerySet[Order], since: datetime) -> QuerySet[Order]:
    return seen.filter(status=OrderStatus.CLOSED, closed_at__gte=since)


def _by_day(member: StaffUser, days: int) -> list[tuple[str, int, int]]:
    since, tz = _since(days), zone(None)
    seen = scope.visible_to(member).select_related(None)
    made = _per_day(seen.filter(created_at__gte=since), "created_at")
    closed = _per_day(_closed(seen, since), "closed_at")
    shown = [(since.astimezone(tz) + timedelta(days=n)).date() for n in range(days)]
    return [(f"{day:%d.%m}", made[day], closed[day]) for day in shown]


def _per_day(rows: QuerySet[Order], field: str) -> Counter[Any]:
    found = rows.order_by().annotate(day=TruncDate(field, tzinfo=zone(None))).values_list("day").annotate(n=Count("id"))
    return Counter(dict(found.values_list("day", "n")))
