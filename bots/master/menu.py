"""The main menu: what is going on now."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bots.buttons import tap
from bots.callbacks import on
from bots.screens import Button, Rows, Screen, page
from bots.visit import Reply, Visit
from fieldservice.runtime import registry
from finance.enums import CommissionStatus
from finance.selectors import unpaid_commissions
from orders.selectors import active_orders, live_offers
from staff.enums import ModerationStatus, ShiftStatus
from staff.models import Master


@on("m:menu")
def home(visit: Visit) -> Reply:
    """/start, /menu, and wherever nothing else fits."""
    return Reply(screen(visit.master))


def screen(master: Master) -> Screen:
    """The menu as it is now; a master who is not approved sees only where the application stands."""
    approved = master.moderation_status == ModerationStatus.APPROVED
    facts = _facts(master) if approved else {}
    rows = _rows(master, facts) if approved else [[tap(_("🔄 Refresh"), "m:menu")]]
    return page(
        "master/menu.html", rows, master=master, approved=approved, support=registry.get("support_contact"), **facts
    )


def help_page(visit: Visit) -> Reply:
    """/help."""
    return Reply(page("master/help.html", [[menu_button()]], support=registry.get("support_contact")))


def menu_button() -> Button:
    """To the main menu."""
    return tap(_("🏠 Menu"), "m:menu")


def _facts(master: Master) -> dict[str, Any]:
    commissions = unpaid_commissions(master_id=master.pk)
    return {
        "offers": len(live_offers(master_id=master.pk, now=timezone.now())),
        "active": len(active_orders(master_id=master.pk)),
        "unpaid": sum(c.status != CommissionStatus.REPORTED for c in commissions),
        "waiting": sum(c.status == CommissionStatus.REPORTED for c in commissions),
    }


def _rows(master: Master, facts: dict[str, Any]) -> Rows:
    return [
        _shift_row(master),
        [tap(_("🆕 New orders (%(count)s)") % {"count": facts["offers"]}, "m:new")],
        [tap(_("🛠 Active orders (%(count)s)") % {"count": facts["active"]}, "m:act")],
        [tap(_("💳 Finance (%(count)s)") % {"count": facts["unpaid"] + facts["waiting"]}, "m:fin")],
    ]


def _shift_row(master: Master) -> list[Button]:
    if master.is_blocked:
        return []
    if master.shift_status == ShiftStatus.SHIFT_OFF:
        return [tap(_("▶️ Start shift"), "m:sh:on")]
    end = tap(_("⏹ End shift"), "m:sh:off")
    if master.shift_status == ShiftStatus.BREAK:
        return [tap(_("▶️ Return to shift"), "m:sh:brk:ok"), tap(_("⏳ Extend"), "m:sh:brk"), end]
    return [tap(_("☕ Break"), "m:sh:brk"), end]
