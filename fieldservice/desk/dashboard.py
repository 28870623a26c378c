"""The first page: what needs somebody now, how the day goes, what is owed. Every figure leads to its list."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Choices
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fieldservice.desk import figures
from fieldservice.desk.sight import Sight
from fieldservice.lib.money import show_money
from finance.enums import CommissionStatus
from orders import words
from orders.enums import OrderStatus

S = OrderStatus


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, what it counts, and where its rows are. `since`: the age of the oldest runs beside it."""

    title: str
    value: str
    link: str = ""
    note: str = ""
    tone: str = ""
    since: datetime | None = None


def page(sight: Sight, now: datetime) -> dict[str, Any]:
    """What the template shows. Money is there for roles that may see it."""
    orders, waiting = figures.open_and_waiting(sight)
    context: dict[str, Any] = {
        "urgent": _urgent(sight, waiting, now),
        "stages": [_stage(sight, status, orders[status]) for status in map(str, figures.OPEN)],
        "today": _today(sight, now),
        "dispatch": _dispatch(sight, now),
        "rounds": _rounds(sight, now),
        "longest": [(order, words.escalation(order.escalation_reason) if order.escalation_reason else "")
                    for order in figures.longest_waiting(sight)],
        "masters": _masters(sight),
        "busiest": figures.busiest(sight),
        "charts": [_orders_chart(sight, now)],
    }  # fmt: skip
    if sight.may("finance.see"):
        context["money"] = _money(sight)
        context["charts"].append(_earnings_chart(sight, now))
    return context


def orders_link(sight: Sight, **filters: Any) -> str:
    """The list of orders, filtered."""
    return _link("orders_order", sight.query(**filters))


def _link(model: str, query: dict[str, Any]) -> str:
    return reverse(f"admin:{model}_changelist") + (f"?{urlencode(query)}" if query else "")


def _urgent(sight: Sight, waiting: dict[str, Any], now: datetime) -> list[Figure]:
    offers = figures.live_offers(sight, now)
    shown = [
        Figure(_("Waiting for a master"), str(waiting["count"]), orders_link(sight, stage="waiting"),
               tone="warn" if waiting["count"] else "", since=waiting["since"]),
        Figure(_("Escalated to logists"), str(waiting["logist"]), orders_link(sight, stage="logist"),
               tone="warn" if waiting["logist"] else "", since=waiting["logist_since"]),
        Figure(_("Escalated to admins"), str(waiting["admin"]), orders_link(sight, stage="admin"),
               tone="bad" if waiting["admin"] else "", since=waiting["admin_since"]),
        Figure(_("Offers waiting for an answer"), str(offers["count"]), _link("orders_offer", sight.query(live="yes"))),
    ]  # fmt: skip
    if waiting["no_district"]:
        shown.append(Figure(_("Without a district"), str(waiting["no_district"]),
                            orders_link(sight, stage="no_district"), tone="warn"))  # fmt: skip
    if waiting["broken"]:
        shown.append(Figure(_("Dispatch stopped on an error"), str(waiting["broken"]),
                            orders_link(sight, stage="broken"), tone="bad"))  # fmt: skip
    return shown


def _stage(sight: Sight, status: str, count: int) -> Figure:
    return Figure(str(S(status).label), str(count), orders_link(sight, status__exact=status), tone=status.lower())


def _today(sight: Sight, now: datetime) -> Figure:
    _day, created, canceled, closed = figures.by_day(sight, now)[-1]
    today = now.astimezone(sight.tz).date()
    note = _("closed %(closed)s, canceled %(canceled)s") % {"closed": closed, "canceled": canceled}
    link = orders_link(sight, created_at_from=today.isoformat())
    return Figure(_("Orders taken today"), str(created), link, note)


def _dispatch(sight: Sight, now: datetime) -> list[Figure]:
    totals = figures.assignments(sight, now)
    count = totals["assignments"]
    link = ""
    if sight.may("finance.see"):
        link = _link("orders_distributionmetric", sight.query())
    average = totals["average_seconds"]
    return [
        Figure(_("Assigned in 24 hours"), str(count), link,
               _("by hand: %(manual)s") % {"manual": totals["manual"]} if count else ""),
        Figure(_("Time to assignment"), duration(average) if average is not None else "—", link,
               _("within 2 minutes: %(share)s %%") % {"share": _share(totals["fast"], count)} if count else ""),
        Figure(_("Needed help"), str(totals["to_logist"]), link,
               _("of these by admins: %(admins)s") % {"admins": totals["to_admin"]} if totals["to_logist"] else ""),
    ]  # fmt: skip


def _rounds(sight: Sight, now: datetime) -> list[dict[str, Any]]:
    rows = figures.acceptance(sight, now)
    return [row | {"share": _share(row["accepted"], row["all"]),
                   "link": _link("orders_offer", sight.query(round_number=row["round_number"]))}
            for row in rows]  # fmt: skip


def _masters(sight: Sight) -> list[Figure]:
    load = figures.load(sight)
    crew = reverse("admin:desk_crew")
    return [
        Figure(_("On shift"), str(load.on_shift), crew,
               _("on a break: %(count)s") % {"count": load.on_break}),
        Figure(_("Free, without orders"), str(load.free), f"{crew}?load=free",
               tone="good" if load.free else "bad" if load.on_shift else ""),
        Figure(_("At their limit"), str(load.at_limit), f"{crew}?load=limit",
               ngettext("%(count)s order on their hands", "%(count)s orders on the hands of all", load.taken)
               % {"count": load.taken}, tone="warn" if load.at_limit else ""),
    ]  # fmt: skip


def _money(sight: Sight) -> list[Figure]:
    """An overdue commission with a reported payment is overdue and to be checked: it counts in both."""
    found, debt = figures.debts(sight), CommissionStatus
    shown = [
        (debt.OVERDUE, found.count(debt.OVERDUE), found.sum(debt.OVERDUE), "bad", {"status__exact": "OVERDUE"}),
        (debt.REPORTED, found.to_check, found.sum_to_check, "warn", {"check": "waits"}),
        (debt.WAIT_PAY, found.count(debt.WAIT_PAY), found.sum(debt.WAIT_PAY), "", {"status__exact": "WAIT_PAY"}),
    ]
    return [
        Figure(_label(status), show_money(total), _link("finance_commission", sight.query(**query)),
               ngettext("%(count)s commission", "%(count)s commissions", count) % {"count": count},
               tone=tone if count else "")
        for status, count, total, tone, query in shown
    ]  # fmt: skip


def _label(choice: Choices) -> str:
    return str(choice.label)


def _orders_chart(sight: Sight, now: datetime) -> dict[str, Any]:
    days = figures.by_day(sight, now)
    return _chart(
        _("Orders by day"),
        [row[0] for row in days],
        {_("Taken"): ([row[1] for row in days], "--color-primary-500"),
         _("of these canceled"): ([row[2] for row in days], "--color-base-400")},
    )  # fmt: skip


def _earnings_chart(sight: Sight, now: datetime) -> dict[str, Any]:
    days = figures.earnings(sight, now)
    return _chart(
        _("Commissions by day, ₽"),
        [day for day, _due, _paid in days],
        {_("Due"): ([float(due) for _day, due, _p in days], "--color-primary-300"),
         _("of these paid"): ([float(paid) for _day, _due, paid in days], "--color-green-500")},
    )  # fmt: skip


def _chart(title: str, days: list[str], series: dict[str, tuple[list[Any], str]]) -> dict[str, Any]:
    labels = [f"{date.fromisoformat(day):%d.%m}" for day in days]
    sets = [{"label": name, "data": values, "backgroundColor": f"var({color})", "borderRadius": 3}
            for name, (values, color) in series.items()]  # fmt: skip
    return {
        "title": title, "data": json.dumps({"labels": labels, "datasets": sets}), "empty": not _any(series),
        "rows": list(zip(labels, *(values for values, _color in series.values()), strict=True)), "heads": list(series),
    }  # fmt: skip


def _any(series: dict[str, tuple[list[Any], str]]) -> bool:
    return any(any(values) for values, _color in series.values())


def duration(seconds: float | Decimal) -> str:
    """`1:25` minutes and seconds; `2 h 10 min` for longer ones."""
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return _("%(hours)s h %(minutes)s min") % {"hours": whole // 3600, "minutes": whole % 3600 // 60}


def _share(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0
