"""The order card: everything about an order, and what can be done with it now."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import words
from bots.admin import card as facts
from bots.admin import dispatching, origin, queue
from bots.admin.card import waiting_minutes as waiting_minutes
from bots.admin.menu import menu_button
from bots.admin.origin import Origin
from bots.buttons import back, in_columns, tap
from bots.callbacks import on
from bots.live import Redraw
from bots.media import Enclosure
from bots.screens import PAGE, Button, Rows, Screen, page
from bots.visit import Reply, Visit
from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import DomainError, NotFoundError
from fieldservice.lib.phones import show_phone
from finance import scope as finance_scope
from orders import scope
from orders.dispatch import explain
from orders.enums import OfferState
from orders.models import Offer, Order
from orders.services import lifecycle, manual
from orders.services.options import options
from staff.models import StaffUser
from staff.services.moderation import audit


@on("adm:q:card", back=lambda visit, order_id, at="": queue.queue(visit))
def card(visit: Visit, order_id: int, at: Origin = origin.QUEUE) -> Reply:
    """One order."""
    return shown(visit, order_id, at)


@on(
    "adm:q:again",
    needs="order.offer",
    back=lambda visit, order_id, version=0, at="", search=0: card(visit, order_id, at),
)
def search_again(visit: Visit, order_id: int, version: int, at: Origin = origin.QUEUE, search: int = 0) -> Reply:
    """A new search from round 1. A button of an older card is refused: the order has changed since.

    While a master has an offer, it is asked first: the offer would be withdrawn.
    """
    order = scope.get_for(visit.member, order_id)
    live = (
        order.offers.filter(state__in=OfferState.LIVE, expires_at__gt=timezone.now()).select_related("master").first()
    )
    if live is None:
        return search_now(visit, order_id, version, at, search)
    question = _("%(name)s has an offer of this order until %(time)s. Withdraw it and begin anew?")
    text = question % {"name": live.master, "time": words.clock(live.expires_at, order.city)}
    yes = tap(_("Yes, begin anew"), "adm:q:again:ok", order_id, version, at, search or order.search_number)
    return Reply(
        page("admin/confirm.html", [[yes, tap(_("No"), "adm:q:card", order_id, at)]], order=order, question=text)
    )


@on(
    "adm:q:again:ok",
    needs="order.offer",
    back=lambda visit, order_id, _version, at="", search=0: card(visit, order_id, at),
)
def search_now(visit: Visit, order_id: int, version: int, at: Origin = origin.QUEUE, search: int = 0) -> Reply:
    """Confirmed, or nobody to ask about."""
    order = scope.get_for(visit.member, order_id)
    manual.search_again(order_id=order.pk, actor=visit.actor, version=version, search=search or None)
    dispatching.serve()
    return shown(visit, order_id, at, _("The search has begun anew."))


@on("adm:q:act", needs="order.activate", back=lambda visit, order_id, _version, at="": card(visit, order_id, at))
def activate(visit: Visit, order_id: int, version: int, at: Origin = origin.QUEUE) -> Reply:
    """A deferred order is searched for now."""
    order = scope.get_for(visit.member, order_id)
    lifecycle.activate(order_id=order.pk, actor=visit.actor, version=version)
    dispatching.serve()
    return shown(visit, order_id, at, _("The search has begun."))


@on("adm:q:his", back=lambda visit, order_id, *rest: card(visit, order_id))
def history(visit: Visit, order_id: int, number: int = 1, at: Origin = origin.QUEUE) -> Reply:
    """All that happened to the order, newest first."""
    order, number = scope.get_for(visit.member, order_id), max(number, 1)
    found = list(facts.records(order)[(number - 1) * PAGE * 2 : number * PAGE * 2 + 1])
    items, more = found[: PAGE * 2], len(found) > PAGE * 2
    rows = [_pager("adm:q:his", order_id, number, number + more, at), _home_row(order_id, at)]
    return Reply(page("admin/history.html", rows, order=order, history=items, page=number))


@on("adm:q:why", back=lambda visit, order_id, *rest: card(visit, order_id))
def why(visit: Visit, order_id: int, number: int = 1, at: Origin = origin.QUEUE) -> Reply:
    """Why this master and not that one: the decision log in words, the last event first."""
    order = scope.get_for(visit.member, order_id)
    story = explain.explain(order_id=order.pk, now=timezone.now())
    events = story.events[::-1]
    pages = max(1, -(-len(events) // PAGE))
    number = min(max(number, 1), pages)
    shown = [(story.clock.show(e.at), e) for e in events[(number - 1) * PAGE : number * PAGE]]
    rows = [_pager("adm:q:why", order_id, number, pages, at), _home_row(order_id, at)]
    return Reply(page("admin/why.html", rows, order=order, story=story, events=shown, page=number, pages=pages))


@on("adm:q:att", back=card)
def attachments(visit: Visit, order_id: int, at: Origin = origin.QUEUE) -> Reply:
    """Pictures, acts, receipts. Who looked at them is kept in the audit log."""
    order = scope.get_for(visit.member, order_id)
    commission = finance_scope.visible_to(visit.member).filter(order_id=order.pk).first()
    files = facts.files(order, commission)
    if not files:
        raise NotFoundError(_("Order #%(id)s has no files.") % {"id": order.pk})
    audit("attachments_viewed", actor=visit.actor, order_id=order.pk, count=len(files))
    shown = tuple(
        Enclosure(row.file_type, row.file_id, row.bot, row.file_name or "", caption=row.caption or "") for row in files
    )
    return Reply(screen(visit.member, order_id, at), files=shown)


def changed(visit: Visit, order_id: int, at: Origin, error: DomainError) -> Reply:
    """The order is another one than the person saw when the question was asked: no answer would help."""
    return replace(shown(visit, order_id, at, str(error)), alert=True)


def shown(visit: Visit, order_id: int, at: Origin = origin.QUEUE, toast: str = "") -> Reply:
    """The card, ticking while a master has an offer of the order."""
    now_on_screen = screen(visit.member, order_id, at)
    live = redraw(visit.member.pk, order_id, at) if _ticks(order_id) else None
    return Reply(now_on_screen, toast=toast, live=live)


def redraw(member_id: int, order_id: int, at: Origin) -> Redraw:
    """The card again and again, until no offer is out; for whoever may still see it."""

    def draw() -> tuple[Screen, bool] | None:
        member = StaffUser.objects.filter(pk=member_id, is_active=True).first()
        try:
            return (screen(member, order_id, at), _ticks(order_id)) if member else None
        except NotFoundError:
            return None

    return draw


def _ticks(order_id: int) -> bool:
    live = Offer.objects.filter(order_id=order_id, state__in=OfferState.LIVE, expires_at__gt=timezone.now())
    return live.exists()


def screen(member: StaffUser, order_id: int, at: Origin = origin.QUEUE) -> Screen:
    """The card. Raises NotFoundError for an order of another city."""
    order = scope.get_for(member, order_id)
    shown = facts.facts(order, member)
    rows = _rows(order, Actor.of_staff(member, via="bot"), at, files=shown["files"], commission=shown["commission"])
    return page("admin/order.html", rows, **shown)


def search_buttons(order: Order, at: Origin = origin.QUEUE) -> list[Button]:
    """What staff do with an order that has no master."""
    return [
        tap(_("👤 Assign"), "adm:q:asg", order.pk, 1, at),
        tap(_("🔁 Search again"), "adm:q:again", order.pk, order.version, at, order.search_number),
    ]


def _rows(order: Order, actor: Actor, at: Origin, *, files: int, commission: object) -> Rows:
    can, pk = options(order, actor), order.pk
    rows: list[list[Button]] = []
    if "search_again" in can:
        rows.append(search_buttons(order, at))
    elif "offer" in can:
        rows.append([tap(_("👤 Assign"), "adm:q:asg", pk, 1, at)])
    actions = {
        "activate": lambda: tap(_("▶️ Search now"), "adm:q:act", pk, order.version, at),
        "return": lambda: tap(_("↩️ Return to search"), "adm:q:ret", pk, at),
        "correct": lambda: tap(_("✏️ Correct"), "adm:q:fix", pk, at),
        "cancel": lambda: tap(_("✖️ Cancel order"), "adm:q:cnl", pk, at),
        "guarantee": lambda: tap(_("🛡 Guarantee visit"), "adm:q:gar", pk, at),
        "rate": lambda: tap(_("⭐ Rate the visit"), "adm:q:rate", pk, at),
    }
    found = [make() for name, make in actions.items() if name in can]
    rows += [found[n : n + 2] for n in range(0, len(found), 2)]
    more = [tap(_("📜 History"), "adm:q:his", pk, 1, at), tap(_("❓ Why"), "adm:q:why", pk, 1, at)]
    if files:
        more.append(tap(_("📎 Files (%(count)s)") % {"count": files}, "adm:q:att", pk, at))
    rows += [more, *in_columns(_copies(order))]
    rows.append([tap(_("🔄 Refresh"), "adm:q:card", pk, at), origin.way_back(at), menu_button()])
    return rows


def _copies(order: Order) -> list[Button]:
    values = {
        _("📋 Client"): show_phone(order.client_phone),
        _("📋 Master"): show_phone(order.assigned_master.phone) if order.assigned_master else "",
        _("📋 Address"): words.address(order, flat=True),
    }
    copies = [Button(name, copy=value) for name, value in values.items() if value]
    return [*copies, Button(_("🗺 Map"), url=words.map_url(order))]


def _pager(path: str, order_id: int, number: int, pages: int, at: Origin) -> list[Button]:
    row = [tap("◀", path, order_id, number - 1, at)] if number > 1 else []
    return row + ([tap("▶", path, order_id, number + 1, at)] if number < pages else [])


def _home_row(order_id: int, at: Origin) -> list[Button]:
    return [back("adm:q:card", order_id, at), menu_button()]
