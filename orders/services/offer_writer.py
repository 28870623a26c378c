"""THE writer of `Offer.state`: opens and closes offers, and tells the masters' screens about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Lane
from orders.enums import OfferState
from orders.models import Offer

INSERT = """
INSERT INTO offers(order_id, master_id, round_number, search_number, state, sent_at, created_at, expires_at,
                   sla_seconds, is_manual, staff_confirmed)
SELECT o, m, r, s, 'SENT', %(now)s, %(now)s, %(expires)s, %(sla)s, %(manual)s, %(confirmed)s
  FROM unnest(%(orders)s::int[], %(masters)s::int[], %(rounds)s::int[], %(searches)s::int[]) AS t(o, m, r, s)
ON CONFLICT DO NOTHING RETURNING id, order_id, master_id"""


class OpenedOffer(NamedTuple):
    """An offer that was made."""

    id: int
    order_id: int
    master_id: int


def edits_key(offer_id: int) -> str:
    """The outbox key of the one message a master sees for an offer."""
    return f"offer:{offer_id}"


class NewOffer(NamedTuple):
    """An offer to make."""

    order_id: int
    master_id: int
    round_number: int
    search_number: int


def open_offers(new: Sequence[NewOffer], *, sla_seconds: int, now: datetime, is_manual: bool = False,
                staff_confirmed: bool = False) -> list[OpenedOffer]:  # fmt: skip
    """Insert live offers with their messages, two statements whatever their number; returns those inserted.

    A pair that has a live offer already is left out by `uq_offers__order_master`: two engines cannot ask one master
    twice, whatever they had read.
    """
    if not new:
        return []
    columns = [list(column) for column in zip(*new, strict=True)]
    params: dict[str, Any] = dict(zip(("orders", "masters", "rounds", "searches"), columns, strict=True))
    expires_at = now + timedelta(seconds=sla_seconds)
    common = {"now": now, "expires": expires_at, "sla": sla_seconds, "manual": is_manual, "confirmed": staff_confirmed}
    with connection.cursor() as cursor:
        cursor.execute(INSERT, params | common)
        opened = [OpenedOffer._make(row) for row in cursor.fetchall()]
    outbox.enqueue_to_masters(
        "offer",
        [(offer.master_id, f'{{"offer_id": {offer.id}}}', edits_key(offer.id)) for offer in opened],
        lane=Lane.OFFER,
        expires_at=expires_at,
        once=True,
    )
    return opened


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
    redraw_rows([(offer.pk, offer.master_id) for offer in offers])


def redraw_rows(offers: Sequence[tuple[int, int]]) -> None:
    """`redraw` for (offer id, master id)."""
    rows = [(master, f'{{"offer_id": {offer}}}', edits_key(offer)) for offer, master in offers]
    outbox.enqueue_to_masters("offer", rows, lane=Lane.PERSONAL)
