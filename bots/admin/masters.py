"""Masters: the lists, the card, and what the office does with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm
from bots.admin import moderation
from bots.admin.menu import menu_button
from bots.buttons import back, in_columns, tap
from bots.callbacks import on
from bots.screens import PAGE, Button, Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.clean import read_number
from fieldservice.lib.errors import ConflictError, InvalidError
from fieldservice.lib.phones import show_phone
from fieldservice.runtime import registry
from orders.enums import Category, OrderStatus
from orders.models import Order, OrderRating
from orders.selectors import average_checks
from staff import access, lists
from staff.models import AuditLog, Master
from staff.services import moderation as services

SEE, DECIDE = "master.see", "master.moderate"
SEARCH, WHY, LIMIT = "adm:m:find", "adm:m:why", "adm:m:lim:n"
ANY = "any"


def titles() -> dict[str, str]:
    """The groups in words."""
    return {
        "ok": _("Working"),
        "on": _("On shift"),
        "blk": _("⛔ Blocked"),
        "rej": _("❌ Rejected"),
        "del": _("Closed accounts"),
    }


@on("adm:m:list", needs=SEE)
def listed(visit: Visit, group: str = "ok", number: int = 1, skill: str = ANY) -> Reply:
    """Masters of a group. A part of a name or phone may be typed."""
    group = group if group in lists.GROUPS else "ok"
    skill = skill if skill in Category.values else ANY
    data = {"group": group, "skill": skill}
    return Reply(_list(visit, group, number, skill), dialog=Dialog(SEARCH, data))


@fsm.step(SEARCH, ask=lambda visit: _list(visit, visit.answer("group"), 1, visit.answer("skill")), needs=SEE)
def find(visit: Visit) -> Reply:
    """Masters of the group like what was typed; the only one is opened."""
    text = visit.incoming.text
    if len(text) < 2:
        raise InvalidError(_("Type at least two letters of the name, please."))
    group, skill = visit.answer("group"), visit.answer("skill")
    return Reply(_list(visit, group, 1, skill, text[:60]), dialog=visit.dialog)


@on("adm:m:skill", needs=SEE)
def choose_skill(visit: Visit, group: str) -> Reply:
    """Only masters with this skill."""
    group = group if group in lists.GROUPS else "ok"
    rows = in_columns([tap(str(label), "adm:m:list", group, 1, value) for value, label in Category.choices])
    rows += [[tap(_("Any skill"), "adm:m:list", group, 1, ANY)], [back("adm:m:list", group), menu_button()]]
    return Reply(page("admin/filter.html", rows, title=_("Skill"), hint=""))


@on("adm:m:card", needs=SEE, back=lambda visit, master_id, *rest: listed(visit))
def card(visit: Visit, master_id: int, group: str = "ok", number: int = 1) -> Reply:
    """One master."""
    return Reply(_card(visit, master_id, group, number))


@on("adm:m:log", needs=DECIDE, back=card)
def history(visit: Visit, master_id: int) -> Reply:
    """What the office did with the master."""
    master = moderation.own(visit.member, master_id)
    rows_ = AuditLog.objects.filter(master_id=master.pk).select_related("admin").order_by("-created_at", "-id")[:15]
    rows = [[back("adm:m:card", master.pk), menu_button()]]
    return Reply(page("admin/master_log.html", rows, master=master, records=list(rows_)))


@on("adm:m:blk", needs=DECIDE, back=card)
def ask_block(visit: Visit, master_id: int) -> Reply:
    """Why?"""
    master = moderation.own(visit.member, master_id)
    if master.is_blocked:
        raise ConflictError(_("%(name)s is blocked already.") % {"name": master})
    return _ask_why(visit, master, "blk")


@on("adm:m:blk:ok", needs=DECIDE, back=lambda visit, master_id, preset: card(visit, master_id))
def block_preset(visit: Visit, master_id: int, preset: str) -> Reply:
    """For a ready-made reason."""
    return _block(visit, master_id, _preset("blk", preset))


@on("adm:m:unb", needs=DECIDE, back=card)
def ask_unblock(visit: Visit, master_id: int) -> Reply:
    """Really? The reason is shown."""
    master = moderation.own(visit.member, master_id)
    rows = [[tap(_("Yes, unblock"), "adm:m:unb:ok", master.pk), tap(_("No"), "adm:m:card", master.pk)]]
    return Reply(page("admin/master_unblock.html", rows, master=master, commission=None))


@on("adm:m:unb:ok", needs=DECIDE, back=card)
def unblock(visit: Visit, master_id: int) -> Reply:
    """The master may start a shift again."""
    moderation.own(visit.member, master_id)
    services.unblock(master_id=master_id, actor=visit.actor, now=timezone.now())
    return Reply(_card(visit, master_id), toast=_("Unblocked: the master is told."))


@on("adm:m:lim", needs=DECIDE, back=card)
def ask_limit(visit: Visit, master_id: int) -> Reply:
    """How many orders at once?"""
    moderation.own(visit.member, master_id)
    return Reply(_limits(visit, master_id), dialog=Dialog(LIMIT, {"master": master_id}))


@on("adm:m:lim:ok", needs=DECIDE, back=lambda visit, master_id, word: card(visit, master_id))
def set_limit(visit: Visit, master_id: int, word: str) -> Reply:
    """A number, or `any`: everybody's."""
    return _limit(visit, master_id, word)


@fsm.step(LIMIT, ask=lambda visit: _limits(visit, visit.answer("master")), needs=DECIDE)
def take_limit(visit: Visit) -> Reply:
    """A number, typed."""
    return _limit(visit, visit.answer("master"), visit.incoming.text)


@on("adm:m:del", needs=DECIDE, back=card)
def ask_close(visit: Visit, master_id: int) -> Reply:
    """Why? What hangs on the master is shown."""
    return _ask_why(visit, moderation.own(visit.member, master_id), "del")


@on("adm:m:del:ok", needs=DECIDE, back=lambda visit, master_id, preset: card(visit, master_id))
def close_preset(visit: Visit, master_id: int, preset: str) -> Reply:
    """For a ready-made reason."""
    return _close(visit, master_id, _preset("del", preset))


@fsm.step(WHY, ask=lambda visit: _why(visit, visit.answer("master"), visit.answer("what")), needs=DECIDE)
def take_reason(visit: Visit) -> Reply:
    """Blocked, or the account closed: the reason in own words."""
    act = _block if visit.answer("what") == "blk" else _close
    return act(visit, visit.answer("master"), visit.incoming.text)


def _list(visit: Visit, group: str, number: int, skill: str, text: str = "") -> Screen:
    number, code = max(number, 1), "" if skill == ANY else skill
    found = list(lists.masters(visit.member, group, skill=code, text=text)[(number - 1) * PAGE : number * PAGE + 1])
    items, more = found[:PAGE], len(found) > PAGE
    names = titles()
    shown = ["ok", "on", "blk", "rej", "del"] if access.may(visit.member.role, DECIDE) else ["ok", "on", "blk"]
    tabs = [tap(f"· {names[g]} ·" if g == group else names[g], "adm:m:list", g, 1, skill) for g in shown]
    rows = [
        *in_columns(tabs),
        *([tap(m.full_name or f"#{m.pk}", "adm:m:card", m.pk, group, number)] for m in items),
    ]
    if not text:
        rows.append(_turns(group, number, more, skill))
    label = str(Category(code).label) if code else _("any")
    rows += [[tap(_("🔧 Skill: %(value)s") % {"value": label}, "adm:m:skill", group)], [menu_button()]]
    facts = {"rows": _lines(items), "title": names[group], "page": number, "text": text, "more": more and bool(text)}
    return page("admin/masters.html", rows, **facts)


def _turns(group: str, number: int, more: bool, skill: str) -> list[Button]:
    row = [tap("◀", "adm:m:list", group, number - 1, skill)] if number > 1 else []
    return row + ([tap("▶", "adm:m:list", group, number + 1, skill)] if more else [])


def _lines(items: Sequence[Master]) -> list[dict[str, Any]]:
    """A page of masters with their load, limit and average check: two queries for all."""
    ids = [master.pk for master in items]
    active = Order.objects.filter(assigned_master_id__in=ids, status__in=OrderStatus.ACTIVE).values("assigned_master")
    load = dict(active.annotate(n=Count("*")).values_list("assigned_master", "n"))
    averages, usual = average_checks(ids, now=timezone.now()), registry.get("max_active_orders")
    return [
        {"master": master, "load": load.get(master.pk, 0), "average": averages.get(master.pk),
         "limit": usual if master.max_active_orders_override is None else master.max_active_orders_override}
        for master in items
    ]  # fmt: skip


def _card(visit: Visit, master_id: int, group: str = "ok", number: int = 1) -> Screen:
    master = moderation.own(visit.member, master_id)
    group = group if group in lists.GROUPS else "ok"
    rows: list[list[Button]] = []
    if access.may(visit.member.role, DECIDE):
        rows += _decisions(master)
    orders = [tap(_("📋 Orders"), "adm:q:of", master.pk)]
    if master.phone:
        orders.append(Button(_("📋 Phone"), copy=show_phone(master.phone)))
    rows += [orders, [back("adm:m:list", group, max(number, 1)), menu_button()]]
    ratings = OrderRating.objects.filter(master_id=master.pk).count()
    facts = moderation.facts(master) | _lines([master])[0] | {"ratings": ratings}
    if not access.may(visit.member.role, DECIDE):
        facts["payout"] = ""  # money is none of a logist's business
    return page("admin/master.html", rows, **facts)


def _decisions(master: Master) -> list[list[Button]]:
    pk, rows = master.pk, []
    if not master.is_deleted and master.verified:
        mark = tap(_("✅ Unblock"), "adm:m:unb", pk) if master.is_blocked else tap(_("⛔ Block"), "adm:m:blk", pk)
        rows.append([mark, tap(_("🔢 Limit"), "adm:m:lim", pk)])
        rows.append(
            [tap(_("🔧 Skills"), "adm:m:has", pk, "skills"), tap(_("🏙 Districts"), "adm:m:has", pk, "districts")]
        )
    rows.append([tap(_("🪪 Application"), "adm:mod:card", pk), tap(_("📜 History"), "adm:m:log", pk)])
    if not master.is_deleted:
        rows.append([tap(_("🗑 Close the account"), "adm:m:del", pk)])
    return rows


def _presets(what: str) -> dict[str, str]:
    if what == "blk":
        return {"rude": _("Complaints of clients"), "fake": _("Wrong data"), "gone": _("Does not come to visits")}
    return {"left": _("The master has left"), "ask": _("At the master's own wish")}


def _preset(what: str, name: str) -> str:
    if name not in _presets(what):
        raise ConflictError(_("This button is out of date."))
    return _presets(what)[name]


def _ask_why(visit: Visit, master: Master, what: str) -> Reply:
    return Reply(_why(visit, master.pk, what), dialog=Dialog(WHY, {"master": master.pk, "what": what}))


def _why(visit: Visit, master_id: int, what: str) -> Screen:
    master = moderation.own(visit.member, master_id)
    rows = [[tap(text, f"adm:m:{what}:ok", master.pk, name)] for name, text in _presets(what).items()]
    rows.append([tap(_("No, leave it"), "adm:m:card", master.pk)])
    return page("admin/master_why.html", rows, master=master, closing=what == "del", busy=busy(master))


def busy(master: Master) -> int:
    """How many orders are on the master's hands."""
    return Order.objects.filter(assigned_master_id=master.pk, status__in=OrderStatus.ACTIVE).count()


def _limits(visit: Visit, master_id: int) -> Screen:
    master = moderation.own(visit.member, master_id)
    numbers = [tap(str(n), "adm:m:lim:ok", master.pk, str(n)) for n in (0, 1, 2, 3, 5)]
    usual = registry.get("max_active_orders")
    rows = [numbers, [tap(_("As everybody: %(count)s") % {"count": usual}, "adm:m:lim:ok", master.pk, ANY)],
            [back("adm:m:card", master.pk)]]  # fmt: skip
    return page("admin/master_limit.html", rows, master=master, most=services.LIMIT)


def _block(visit: Visit, master_id: int, reason: str) -> Reply:
    moderation.own(visit.member, master_id)
    services.block(master_id=master_id, reason=reason, actor=visit.actor, now=timezone.now())
    return Reply(_card(visit, master_id), toast=_("Blocked: the master is told why."))


def _limit(visit: Visit, master_id: int, word: str) -> Reply:
    moderation.own(visit.member, master_id)
    limit = None if word == ANY else read_number(word, most=999)
    if limit is None and word != ANY:
        raise InvalidError(_("The limit is a number from 0 to %(most)s.") % {"most": services.LIMIT})
    services.set_limit(master_id=master_id, limit=limit, actor=visit.actor)
    return Reply(_card(visit, master_id), toast=_("Saved: it holds at once."))


def _close(visit: Visit, master_id: int, reason: str) -> Reply:
    moderation.own(visit.member, master_id)
    services.close_account(master_id=master_id, reason=reason, actor=visit.actor)
    return Reply(_card(visit, master_id), toast=_("The account is closed: the master is told."))
