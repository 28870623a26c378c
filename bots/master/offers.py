"""New orders: the list, the card with its deadline, accept, decline. The push message is the same card."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bots import language, words
from bots.buttons import back, page_of, pager, tap
from bots.callbacks import on
from bots.delivery import onscreen
from bots.live import MOST, Redraw, Standing
from bots.master import active
from bots.master.menu import menu_button
from bots.screens import Button, Screen, page
from bots.visit import Reply, Visit
from fieldservice.lib.errors import NotFoundError
from fieldservice.outbox.models import Notification
from orders.enums import OfferState, OrderStatus, OrderType
from orders.models import Offer
from orders.selectors import live_offers, offer_of, order_of
from orders.services import offers
from orders.services.offer_writer import edits_key


@on("m:new", needs="approved")
def new_list(visit: Visit, number: int = 1) -> Reply:
    """The offers that can still be accepted."""
    now = timezone.now()
    items, number, pages = page_of(live_offers(master_id=visit.master.pk, now=now), number)
    rows = [[tap(_("Open #%(id)s") % {"id": offer.order_id}, "m:new:card", offer.pk, number)] for offer in items]
    rows += [pager("m:new", number, pages), [tap(_("🔄 Refresh"), "m:new", number), menu_button()]]
    lines = [_line(offer) for offer in items]
    return Reply(page("master/offers.html", rows, lines=lines, page=number, pages=pages))


def _line(offer: Offer) -> dict[str, str]:
    """An offer in the list: roughly where, and until when; the rest is on its card."""
    order = offer.order
    return active.line(order) | {
        "job": f"{order.get_category_display()} · {words.slot(order)}",
        "place": ", ".join(place.name for place in (order.city, order.district) if place),
        "until": _("Answer until %(time)s") % {"time": words.clock(offer.expires_at, order.city)},
    }


@on("m:new:card", needs="approved", back=lambda visit, offer_id, number=1: new_list(visit, number))
def card(visit: Visit, offer_id: int, number: int = 0) -> Reply:
    """One offer, live or over. Page 0: the card came as a message of its own."""
    offer = _own(visit, offer_id)
    if offer.state == OfferState.SENT:
        offers.mark_viewed(offer_id=offer.pk, actor=visit.actor)
    now = timezone.now()
    live = redraw(offer.pk, offer.master_id, number) if is_live(offer, now) else None
    return Reply(screen(offer, now=now, number=number), live=live)


def _truth(visit: Visit, offer_id: int, number: int = 0) -> Reply:
    """After a refusal: the order itself when it is the master's, else the offer as it is."""
    offer = _own(visit, offer_id)
    order = order_of(master_id=visit.master.pk, order_id=offer.order_id)
    if order and order.status in OrderStatus.ACTIVE:
        return Reply(active.screen(order))
    return Reply(screen(offer, now=timezone.now(), number=number))


@on("m:new:acc", needs="approved", back=_truth)
def accept(visit: Visit, offer_id: int, number: int = 0) -> Reply:
    """Take the order; the screen becomes its card."""
    with transaction.atomic():
        order_id = offers.accept(offer_id=offer_id, actor=visit.actor).pk
        onscreen.answered(offer_id, master_id=visit.master.pk, visit=visit)
    order = order_of(master_id=visit.master.pk, order_id=order_id)
    if order is None:
        raise NotFoundError(_("There is no order #%(id)s.") % {"id": order_id})
    return Reply(active.screen(order), toast=_("The order is yours."))


@on("m:new:dec", needs="approved", back=_truth)
def ask_decline(visit: Visit, offer_id: int, number: int = 0) -> Reply:
    """One tap must not lose an order."""
    offer = _own(visit, offer_id)
    if not is_live(offer, timezone.now()):
        return Reply(screen(offer, now=timezone.now(), number=number))
    yes = tap(_("Yes, decline"), "m:new:dec_yes", offer_id, number)
    no = tap(_("No, keep it"), "m:new:card", offer_id, number)
    return Reply(page("master/decline.html", [[yes, no]], offer=offer, order=offer.order, blocks=_blocks(offer)))


@on("m:new:dec_yes", needs="approved", back=_truth)
def decline(visit: Visit, offer_id: int, number: int = 0) -> Reply:
    """Give the order to others; back to the same page of the list."""
    with transaction.atomic():
        offers.decline(offer_id=offer_id, actor=visit.actor)
        onscreen.answered(offer_id, master_id=visit.master.pk, visit=visit)
    return Reply(new_list(visit, max(number, 1)).screen, toast=_("Declined: the order goes to another master."))


def screen(offer: Offer, *, now: datetime, number: int = 0) -> Screen:
    """The card. An undelivered offer shows the deadline it will have once delivered: nothing is taken from the SLA."""
    live = is_live(offer, now)
    until = offer.expires_at if offer.delivered_at else now + timedelta(seconds=offer.sla_seconds)
    rows = _answers(offer, number) if live else []
    rows.append([back("m:new", number), menu_button()] if number else [] if live else [menu_button()])
    return page(
        "master/offer.html",
        rows,
        offer=offer,
        order=offer.order,
        live=live,
        until=until,
        listed=number,
        left=max(0, int((until - now).total_seconds())) if until else 0,
        blocks=_blocks(offer),
        ended=_ended(offer),
    )


def redraw(offer_id: int, master_id: int, number: int = 0) -> Redraw:
    """The card again and again, until it has said how the offer ended."""

    def draw() -> tuple[Screen, bool] | None:
        offer, now = offer_of(master_id=master_id, offer_id=offer_id), timezone.now()
        return (screen(offer, now=now, number=number), is_live(offer, now)) if offer else None

    return draw


def standing() -> list[Standing]:
    """The messages of live offers, after a restart."""
    live = list(Offer.objects.filter(state__in=OfferState.LIVE, expires_at__gt=timezone.now()).order_by("-pk")[:MOST])
    keys = {edits_key(offer.pk): offer for offer in live}
    rows = Notification.objects.filter(edits_key__in=list(keys), message_id__isnull=False, chat_id__isnull=False)
    return [
        Standing(row.chat_id, row.message_id, redraw(keys[row.edits_key].pk, keys[row.edits_key].master_id),
                 language.known(row.chat_id))
        for row in rows.order_by("pk") if row.chat_id and row.message_id and row.edits_key
    ]  # fmt: skip


def is_live(offer: Offer, now: datetime) -> bool:
    """Whether the offer can still be accepted: a property of time, not of the job that cleans up."""
    in_time = offer.expires_at is None or offer.expires_at > now
    return offer.state in OfferState.LIVE and in_time and offer.order.status in OrderStatus.SEARCH


def _answers(offer: Offer, number: int) -> list[list[Button]]:
    return [[tap(_("✅ Accept"), "m:new:acc", offer.pk, number), tap(_("❌ Decline"), "m:new:dec", offer.pk, number)]]


def _blocks(offer: Offer) -> bool:
    """Whether declining ends in a block: a guarantee visit goes first to the one who did the work."""
    return offer.order.type == OrderType.GUARANTEE and offer.order.preferred_master_id == offer.master_id


def _ended(offer: Offer) -> str:
    """What became of an offer that is over."""
    if offer.state == OfferState.ACCEPTED:
        return _("You have accepted this order.")
    if offer.state == OfferState.DECLINED:
        return _("You have declined this order.")
    if offer.close_reason == "taken":
        return _("Another master has taken this order.")
    if offer.state == OfferState.CANCELED or offer.order.status not in OrderStatus.SEARCH:
        return _("The office has withdrawn this order.")
    return _("Time is up: the order went on to other masters.")


def _own(visit: Visit, offer_id: int) -> Offer:
    offer = offer_of(master_id=visit.master.pk, offer_id=offer_id)
    if offer is None:
        raise NotFoundError(_("There is no such offer."))
    return offer
