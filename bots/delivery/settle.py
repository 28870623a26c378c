"""What is written down after a message went, or did not (each function is one short transaction)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bots.delivery.render import Nothing
from fieldservice.lib.errors import DomainError
from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Lane, Notification, Outcome
from orders.services import offers
from staff.models import Master

#: longest pause between two attempts: an offer lives for two minutes, the rest may wait
LONGEST = {Lane.OFFER: 4, Lane.PERSONAL: 60}
LONGEST_ELSE = 300
#: our own mistakes do not heal with time
CRASHES = 8


def sent(rows: Sequence[Notification], chat_id: int, message_id: int, now: datetime, *, first: bool) -> None:
    """The message is on the screen. If it is an offer's `first` one, the time to answer counts from now."""
    for row in rows:
        outbox.settle(row, outcome=Outcome.SENT, now=now, chat_id=chat_id, message_id=message_id)
    for row in rows:
        if first and (offer_id := _offer_of(row)):
            _quietly(offers.mark_delivered, offer_id, now)


def skipped(row: Notification, nothing: Nothing, now: datetime) -> None:
    """Not sent: no longer true, or nobody is there."""
    outbox.settle(row, outcome=Outcome.SKIPPED, now=now, error=nothing.why)
    if nothing.deaf:
        _give_up_offer(row, now)


def failed(rows: Sequence[Notification], error: str, now: datetime, *, deaf: bool = False) -> None:
    """Never to be sent. A master who cannot be reached gets no offers; the offer goes to the next one at once."""
    for row in rows:
        if deaf and row.master_id:
            Master.objects.filter(pk=row.master_id, unreachable_at__isnull=True).update(unreachable_at=now)
            _give_up_offer(row, now)
        # last: a kill before it means one more attempt, never a failure without its consequences
        outbox.settle(row, outcome=Outcome.FAILED, now=now, error=error)


def later(rows: Sequence[Notification], error: str, now: datetime, *, wait: float | None = None) -> None:
    """Try again: after `wait` seconds, else after a pause that doubles with each attempt, never in step."""
    for row in rows:
        longest = LONGEST.get(Lane(row.lane), LONGEST_ELSE) if row.lane in Lane.values else LONGEST_ELSE
        pause = min(longest, 0.5 * 2 ** min(row.attempt_count, 12)) * random.uniform(0.6, 1)
        outbox.retry(row, due_at=now + timedelta(seconds=pause if wait is None else wait), error=error)


def postponed(rows: Sequence[Notification], until: datetime) -> None:
    """The chat's limit is used up: not an attempt, only a later one."""
    Notification.objects.filter(pk__in=[row.pk for row in rows], processed_at__isnull=True).update(
        due_at=until, leased_until=None
    )


def moved(rows: Sequence[Notification], chat_id: int, now: datetime) -> None:
    """The group has become a supergroup with another id: the rows go there."""
    Notification.objects.filter(pk__in=[row.pk for row in rows], chat_id__isnull=False).update(chat_id=chat_id)
    later(rows, "chat moved", now, wait=0)


def crashed(rows: Sequence[Notification], error: str, now: datetime) -> None:
    """A bug in rendering: tried again for a while, then given up, so that it never blocks the rest."""
    for row in rows:
        if row.attempt_count + 1 >= CRASHES:
            failed([row], error, now)
        else:
            later([row], error, now)


def _offer_of(row: Notification) -> int | None:
    is_offer = row.event == "offer" and isinstance(row.payload, dict)
    return int(row.payload["offer_id"]) if is_offer and "offer_id" in row.payload else None


def _give_up_offer(row: Notification, now: datetime) -> None:
    if offer_id := _offer_of(row):
        _quietly(offers.undeliverable, offer_id, now)


def _quietly(service: Callable[..., Any], offer_id: int, now: datetime) -> None:
    """The offer may be answered or gone by now: then there is nothing to do."""
    try:
        service(offer_id=offer_id, now=now)
    except DomainError:
        return
