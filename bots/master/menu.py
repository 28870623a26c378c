"""The main menu: what is going on now."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from bots.buttons import tap
from bots.callbacks import on
from bots.master.counts import Counts, count
from bots.screens import Button, Rows, Screen, page
from bots.visit import Reply, Visit
from fieldservice.runtime import registry
from staff.enums import ShiftStatus
from staff.models import Master


def screen(master: Master) -> Screen:
    """The menu as it is now."""
    counts = count(master_id=master.pk, now=timezone.now())
    support = registry.get("support_contact") if master.is_blocked else ""
    return page("master/menu.html", _rows(master, counts), master=master, counts=counts, support=support)


@on("m:help")
def help_page(visit: Visit) -> Reply:
    """/help: how to work, for those who do; how to get in, for those who want to."""
    values = registry.read(["support_contact", "support_faq_url", "commission_deadline_hours", "guarantee_days"])
    faq = values["support_faq_url"]
    rows = [[Button(_("📖 Questions and answers"), url=faq)]] if faq.startswith(("http://", "https://")) else []
    master = visit.person.master_row
    return Reply(page("master/help.html", [*rows, [menu_button()]], master=master, **values))


def menu_button() -> Button:
    """To the main menu."""
    return tap(_("🏠 Menu"), "m:menu")


def _rows(master: Master, counts: Counts) -> Rows:
    return [
        _shift_row(master),
        [tap(_("🆕 New orders (%(count)s)") % {"count": counts.offers}, "m:new")],
        [tap(_("🛠 Active orders (%(count)s)") % {"count": counts.active}, "m:act")],
        [tap(_("💳 Finance (%(count)s)") % {"count": counts.unpaid + counts.waiting}, "m:fin")],
        [tap(_("📚 History"), "m:hist"), tap(_("📊 Statistics"), "m:st")],
        [tap(_("🎁 Invite a master"), "m:rf")],
        [tap(_("👤 Profile"), "m:pf"), tap(_("❓ Help"), "m:help")],
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
