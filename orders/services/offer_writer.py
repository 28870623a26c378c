"""THE writer of `Offer.state`: opens and closes offers, and tells the masters' screens about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Lane
from fieldservice.outbox.services import Message
from orders.enums import OfferState
from orders.models import Offer


def edits_key(offer_id: int) -> str:
    """The outbox key of the one message a master sees for an offer."""
    return f"offer:{offer_id}"


def open_offers(offers: list[Offer]) -> list[Offer]:
    """Insert live offers with their messages; returns those inserted.

    A pair that has a live offer already is left out by `uq_offers__order_master`: two engines cannot ask one master
    twice, whatever they had read.
    """
    Offer.objects.bulk_create(offers, ignore_conflicts=True, batch_size=1000)
    # bulk_create with ignore_conflicts returns no keys: read back what is live now
    wanted = {(o.order_id, o.master_id): o for o in offers}
    stored = [
        row
        for row in Offer.objects.filter(order_id__in={o.order_id for o in offers}, state__in=OfferState.LIVE)
        if (mine := wanted.get((row.order_id, row.master_id))) and mine.sent_at == row.sent_at
    ]
    outbox.enqueue(
        Message(
            event="offer",
            payload={"offer_id": o.pk},
            master_id=o.master_id,
            lane=Lane.OFFER,
            expires_at=o.expires_at,
            dedup_key=edits_key(o.pk),
            edits_key=edits_key(o.pk),
        )
        for o in stored
    )
    return stored


def close(offer: Offer, state: OfferState, *, now: datetime, reason: str = "") -> None:
    """The offer, locked by the caller, ends; its master answered it, so the screen needs no edit."""
    offer.state, offer.responded_at, offer.close_reason = state, now, reason or None
    offer.save(update_fields=["state", "responded_at", "close_reason"])


def close_live(*, order_id: int, state: OfferState, reason: str, now: datetime, keep: int | None = None) -> list[Offer]:
    """End all live offers of an order (but `keep`) and have their messages say so; returns them."""
    live = Offer.objects.select_for_update(no_key=True).filter(order_id=order_id, state__in=OfferState.LIVE)
    ended = list(live.exclude(pk=keep) if keep else live)
    Offer.objects.filter(pk__in=[o.pk for o in ended]).update(state=state, responded_at=now, close_reason=reason)
    redraw(ended)
    return ended


def redraw(offers: Iterable[Offer]) -> None:
    """The messages of these offers are shown anew, as the rows are by then."""
    outbox.enqueue(
        Message(event="offer", payload={"offer_id": o.pk}, master_id=o.master_id, edits_key=edits_key(o.pk))
        for o in offers
    )
