"""What happened lately: orders of the member's cities, and what the office did. From the tables, so it survives."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from bots.admin.menu import menu_button
from bots.buttons import in_columns, pager, tap
from bots.callbacks import on
from bots.screens import page
from bots.visit import Reply, Visit
from orders.enums import ActorType
from orders.models import OrderStatusHistory
from staff import access, scope
from staff.models import AuditLog, StaffUser

LINES = 10
#: filter of the orders' log → who acted
WHO = {"all": None, "staff": ActorType.ADMIN, "masters": ActorType.MASTER, "dispatch": ActorType.AUTO_DISTRIBUTION}


@on("adm:log")
def orders_log(visit: Visit, who: str = "all", number: int = 1) -> Reply:
    """Changes of orders, newest first."""
    who, number = who if who in WHO else "all", max(number, 1)
    rows_ = _changes(visit.member, who)
    found = list(rows_[(number - 1) * LINES : number * LINES + 1])
    items, more = found[:LINES], len(found) > LINES
    names = {"all": _("All"), "staff": _("Office"), "masters": _("Masters"), "dispatch": _("Dispatch")}
    tabs = [tap(f"· {name} ·" if key == who else name, "adm:log", key) for key, name in names.items()]
    turns = pager("adm:log", number, number + more, who)
    rows = [*in_columns(tabs), turns, [tap(_("🔄 Refresh"), "adm:log", who), menu_button()]]
    if access.may(visit.member.role, "staff"):
        rows.insert(2, [tap(_("🗂 Actions of the office"), "adm:audit")])
    return Reply(page("admin/log.html", rows, records=items, page=number))


@on("adm:audit", needs="staff")
def office_log(visit: Visit, number: int = 1) -> Reply:
    """The audit log, newest first."""
    number = max(number, 1)
    rows_ = AuditLog.objects.select_related("admin", "master").order_by("-created_at", "-id")
    found = list(rows_[(number - 1) * LINES : number * LINES + 1])
    items, more = found[:LINES], len(found) > LINES
    turns = pager("adm:audit", number, number + more)
    rows = [turns, [tap(_("📜 Orders"), "adm:log"), tap(_("🔄 Refresh"), "adm:audit"), menu_button()]]
    return Reply(page("admin/log_staff.html", rows, records=items, page=number))


def _changes(member: StaffUser, who: str) -> QuerySet[OrderStatusHistory]:
    rows = OrderStatusHistory.objects.select_related("order__city", "changed_by_staff", "changed_by_master")
    if not scope.sees_all(member):
        rows = rows.filter(order__city_id__in=list(scope.city_ids(member)))
    actor = WHO[who]
    return (rows.filter(actor_type=actor) if actor else rows).order_by("-id")
