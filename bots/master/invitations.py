"""Inviting other masters: the code, the link, who came, what it earned, asking for the money."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from bots import names
from bots.buttons import back, pager, tap
from bots.callbacks import on
from bots.master.menu import menu_button
from bots.screens import PAGE, Button, Screen, page
from bots.visit import Reply, Visit
from fieldservice.lib.money import show_money
from fieldservice.runtime import registry
from finance.selectors import balance, invited_by, rewards_of
from finance.services import payouts, referrals
from staff.models import Master
from staff.services.form import show_payout

M = TypeVar("M", bound=Model)
SHARE = "https://t.me/share/url?"


@on("m:rf", needs="approved")
def overview(visit: Visit) -> Reply:
    """Everything about inviting."""
    return Reply(_screen(visit.master))


@on("m:rf:inv", needs="approved")
def invited(visit: Visit, number: int = 1) -> Reply:
    """Who came by the code, the latest first. First names only: these are colleagues, not contacts."""
    rows_ = invited_by(master_id=visit.master.pk)
    count = rows_.count()
    pages, number, items = _slice(rows_, count, number)
    rows = [pager("m:rf:inv", number, pages), [back("m:rf"), menu_button()]]
    people = [(_first_name(row.master), row.master, row.created_at) for row in items]
    return Reply(page("master/invited.html", rows, people=people, count=count, page=number, pages=pages,
                      me=visit.master))  # fmt: skip


@on("m:rf:rw", needs="approved")
def rewards(visit: Visit, number: int = 1) -> Reply:
    """Every reward, the latest first."""
    rows_ = rewards_of(master_id=visit.master.pk)
    count = rows_.count()
    pages, number, items = _slice(rows_, count, number)
    rows = [pager("m:rf:rw", number, pages), [back("m:rf"), menu_button()]]
    return Reply(page("master/rewards.html", rows, rewards=items, count=count, page=number, pages=pages,
                      me=visit.master))  # fmt: skip


@on("m:rf:pay", needs="approved", back=lambda visit: overview(visit))
def ask_payout(visit: Visit) -> Reply:
    """Is the account right?"""
    sums = balance(master_id=visit.master.pk)
    rows = [[tap(_("✅ Yes, ask"), "m:rf:pay_yes"), tap(_("✏️ Change"), "m:pf:pay")], [back("m:rf")]]
    return Reply(
        page(
            "master/payout_ask.html",
            rows,
            amount=sums.open,
            payout=_account(visit.master),
        )
    )


@on("m:rf:pay_yes", needs="approved", back=lambda visit: overview(visit))
def payout_asked(visit: Visit) -> Reply:
    """The office is told."""
    total = payouts.ask(actor=visit.actor)
    toast = _("The office is asked for %(sum)s. You will get a message when it is paid.") % {"sum": show_money(total)}
    return Reply(_screen(visit.master), toast=toast)


def _screen(master: Master) -> Screen:
    code = referrals.code_of(master_id=master.pk)
    link = names.link("master", code)
    sums = balance(master_id=master.pk)
    count = invited_by(master_id=master.pk).count()
    rows = [[Button(_("📋 Code"), copy=code)]]
    if link:
        text = _("Join us as a master: orders come to Telegram. My code: %(code)s") % {"code": code}
        rows[0].append(Button(_("📋 Link"), copy=link))
        rows.append([Button(_("📣 Share"), url=SHARE + urlencode({"url": link, "text": text}))])
    if count:
        rows.append([tap(_("👥 Invited (%(count)s)") % {"count": count}, "m:rf:inv"), tap(_("🎁 Rewards"), "m:rf:rw")])
    least = registry.get("referral_payout_min")
    if sums.open > sums.requested and sums.open >= least:
        rows.append([tap(_("💸 Ask for %(sum)s") % {"sum": show_money(sums.open)}, "m:rf:pay")])
    rows.append([menu_button()])
    return page("master/invitations.html", rows, code=code, link=link, count=count, sums=sums)


def _slice(rows: QuerySet[M], count: int, number: int) -> tuple[int, int, list[M]]:
    pages = max(1, -(-count // PAGE))
    number = min(max(number, 1), pages)
    return pages, number, list(rows[(number - 1) * PAGE : number * PAGE])


def _first_name(master: Master) -> str:
    words = master.full_name.split()
    return master.first_name or " ".join(words[1:2] or words[:1]) or "—"


def _account(master: Master) -> str:
    return show_payout(master.payout_method, master.payout_data) if master.payout_method else ""
