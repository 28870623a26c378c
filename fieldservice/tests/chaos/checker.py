"""Proves that the day lost and doubled nothing, from the rows and from what is on the screens."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection, connections
from django.db.models import Count
from django.utils import timezone

from bots.sandbox.client import SandboxClient
from fieldservice.outbox.models import Notification, Outcome
from finance.models import Commission
from finance.services import ledger
from orders.enums import OfferState, OrderStatus
from orders.models import Offer, Order

#: how long after its deadline an order may stand still (goals)
LATE = 60.0
#: how far ahead the next look may be
NEAR = timedelta(seconds=60)
OVERDUE = """
SELECT o.id, extract(epoch FROM now() - greatest(o.dispatch_at, (
         SELECT max(coalesce(f.expires_at, f.sent_at + f.sla_seconds * interval '1 s'))
           FROM offers f WHERE f.order_id = o.id AND f.state IN ('SENT', 'VIEWED'))))::float
  FROM orders o
 WHERE o.status IN ('SEARCHING', 'GUARANTEE', 'DEFERRED', 'CREATED') AND o.dispatch_at IS NOT NULL
 ORDER BY 2 DESC NULLS LAST LIMIT 1"""
#: an offer as it was first shown; in Russian when Redis has forgotten the person's language
FIRST = re.compile(r"(?:New order|Новый заказ) #(\d+)\n.*(?:Answer until|Ответьте до)", re.DOTALL)


class Watch(threading.Thread):
    """Looks twice a second how far past its deadline the most belated order is."""

    def __init__(self) -> None:
        super().__init__(name="watch", daemon=True)
        self.done = threading.Event()
        self.longest, self.order = 0.0, 0
        self.blind = 0

    def run(self) -> None:
        while not self.done.wait(0.5):
            try:
                self._look()
            except DatabaseError:
                self.blind += 1
                connections.close_all()
        connections.close_all()

    def _look(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(OVERDUE)
            for order, late in cursor.fetchall():
                if late is not None and late > self.longest:
                    self.longest, self.order = late, order


def stuck() -> list[str]:
    """Searching orders for which nothing will happen by itself, and nobody was told."""
    now, found = timezone.now(), []
    for order in Order.objects.filter(status__in=OrderStatus.SEARCH, assigned_master__isnull=True):
        live = order.offers.filter(state__in=OfferState.LIVE, expires_at__gt=now - timedelta(seconds=LATE)).exists()
        near = order.dispatch_at is not None and abs(order.dispatch_at - now) <= NEAR
        told = order.dist_escalated_logist_at is not None
        if not (live or near or told):
            found.append(f"#{order.pk} {order.status} round {order.dispatch_round} next look {order.dispatch_at}")
    return found


def doubled_rows() -> list[str]:
    """More than one winner, commission or live offer where there may be one."""
    accepted = Offer.objects.filter(state=OfferState.ACCEPTED).values("order_id", "search_number")
    many = [f"accepted twice: {row}" for row in accepted.annotate(n=Count("id")).filter(n__gt=1)]
    many += [
        f"two commissions: {row}"
        for row in Commission.objects.values("order_id").annotate(n=Count("id")).filter(n__gt=1)
    ]
    live = Offer.objects.filter(state__in=OfferState.LIVE).values("order_id").annotate(n=Count("id")).filter(n__gt=1)
    return many + [f"two live offers: {row}" for row in live]


def wrong_winners() -> list[str]:
    """Each assigned order has one accepted offer, of its own master; nobody holds more than the limit."""
    found = []
    held = (*OrderStatus.ACTIVE, OrderStatus.CLOSED)
    for order in Order.objects.filter(status__in=held).prefetch_related("offers"):
        won = [o for o in order.offers.all() if o.state == OfferState.ACCEPTED]
        if [o.master_id for o in won] != [order.assigned_master_id]:
            found.append(f"#{order.pk} {order.status}: master {order.assigned_master_id}, accepted {won}")
    unpaid = Order.objects.filter(status__in=(OrderStatus.PAYMENT, OrderStatus.CLOSED), total_sum__gt=0)
    found += [f"no commission: #{pk}" for pk in unpaid.filter(commission__isnull=True).values_list("pk", flat=True)]
    return found


def money() -> list[str]:
    """Where commissions, rewards and the journal do not agree."""
    report = ledger.check()
    return [*report.differences, *([f"accounts: {report.balances}"] if sum(report.balances.values()) else [])]


def unsent() -> list[str]:
    """Outbox rows that are not processed, or whose mark is not the truth."""
    rows = Notification.objects.filter(processed_at__isnull=True, due_at__lt=timezone.now() - timedelta(seconds=5))
    found = [f"waiting: {r.event} #{r.pk} due {r.due_at} leased {r.leased_until} {r.last_error}" for r in rows]
    for row in Notification.objects.filter(processed_at__isnull=False):
        # an offer answered in its message gives that message up: it shows something else by now
        if row.outcome == Outcome.SENT and not (row.chat_id and (row.message_id or row.edits_key)):
            found.append(f"sent without a message: {row.event} #{row.pk}")
        if row.outcome == Outcome.FAILED:
            found.append(f"given up: {row.event} #{row.pk} {row.last_error}")
    return found


def offers_on_screens(sandbox: SandboxClient, people: Iterable[int]) -> Counter[tuple[int, int]]:
    """(person, order) → how many messages began as an offer of this order."""
    seen: Counter[tuple[int, int]] = Counter()
    for person in people:
        view: dict[str, Any] = sandbox.wire.get("chats", f"{person}:master", last=1000)
        for message in view["messages"]:
            first = message["history"][0]["text"] if message["history"] else message["text"]
            if match := FIRST.match(first):
                seen[person, int(match[1])] += 1
    return seen


def offers_written() -> Counter[tuple[int, int]]:
    """(person, order) → how many offers were made."""
    pairs = Offer.objects.values_list("master__tg_user_id", "order_id")
    return Counter((person, order) for person, order in pairs)


def double_messages(sandbox: SandboxClient, people: Iterable[int]) -> int:
    """Messages with an offer beyond one for each offer."""
    written = offers_written()
    return sum(max(0, n - written[pair]) for pair, n in offers_on_screens(sandbox, people).items())


def missing_messages(sandbox: SandboxClient, people: Iterable[int]) -> list[str]:
    """Offers marked as delivered that no screen shows."""
    seen = offers_on_screens(sandbox, people)
    delivered = Offer.objects.filter(delivered_at__isnull=False).values_list("master__tg_user_id", "order_id")
    needed = Counter((person, order) for person, order in delivered)
    return [f"{pair}: {n} delivered, {seen[pair]} seen" for pair, n in needed.items() if seen[pair] < n]


def cuts(sandbox: SandboxClient) -> int:
    """Messages Telegram took without saying so."""
    rules = [rule for rule in sandbox.faults.all() if (rule["kind"], rule["method"]) == ("cut", "sendMessage")]
    return sum(rule["hits"] for rule in rules)
