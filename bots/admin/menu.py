"""The main menu: what needs the staff now."""

from __future__ import annotations

from django.utils.translation import gettext as _

from bots.buttons import tap
from bots.callbacks import on
from bots.screens import Button, page
from bots.visit import Reply, Visit
from finance import scope as finance_scope
from finance.enums import CommissionStatus
from finance.models.commission import TO_CHECK
from orders import scope
from orders.enums import OrderStatus
from staff import access
from staff import scope as staff_scope
from staff.enums import ModerationStatus


@on("adm:menu")
def home(visit: Visit) -> Reply:
    """/start, /menu, and wherever nothing else fits."""
    member = visit.member
    orders = scope.visible_to(member)
    searching = orders.filter(status__in=OrderStatus.SEARCH)
    facts = {
        "searching": searching.count(),
        "escalated": searching.filter(dist_escalated_logist_at__isnull=False).count(),
        "active": orders.filter(status__in=OrderStatus.ACTIVE).count(),
        **dict.fromkeys(("reported", "overdue", "applications"), 0),
    }
    rows = [[tap(_("📋 Orders"), "adm:q"), tap(_("➕ New order"), "adm:new")]]
    if access.may(member.role, "finance.see"):
        unpaid = finance_scope.visible_to(member).filter(status__in=CommissionStatus.UNPAID)
        facts["reported"] = unpaid.filter(TO_CHECK).count()
        facts["overdue"] = unpaid.filter(status=CommissionStatus.OVERDUE).count()
        rows.append([tap(_("💳 Commissions (%(count)s)") % {"count": facts["reported"]}, "adm:f:aw")])
    if access.may(member.role, "master.moderate"):
        waiting = staff_scope.masters(member).filter(moderation_status=ModerationStatus.PENDING, is_deleted=False)
        facts["applications"] = waiting.exclude(full_name="").count()
        rows.append([tap(_("🪪 Applications (%(count)s)") % {"count": facts["applications"]}, "adm:mod")])
    rows += _more(member.role)
    rows.append([tap(_("🖥 Web admin"), "adm:web"), tap(_("🔄 Refresh"), "adm:menu")])
    return Reply(page("admin/menu.html", rows, member=member, **facts))


def _more(role: str) -> list[list[Button]]:
    """What is needed less often, two in a row, by the rights of the role."""
    buttons = [
        (_("👷 Masters"), "adm:m:list", "master.see"),
        (_("📄 Exports"), "adm:rep", "export"),
        (_("📈 Statistics"), "adm:stat", "stats"),
        (_("📜 Log"), "adm:log", ""),
        (_("👥 Staff"), "adm:st", "staff"),
        (_("⚙️ Settings"), "adm:set", "settings"),
    ]
    found = [tap(text, path) for text, path, right in buttons if not right or access.may(role, right)]
    return [found[at : at + 2] for at in range(0, len(found), 2)]


def help_page(visit: Visit) -> Reply:
    """/help."""
    return Reply(page("admin/help.html", [[menu_button()]]))


def menu_button() -> Button:
    """To the main menu."""
    return tap(_("🏠 Menu"), "adm:menu")
