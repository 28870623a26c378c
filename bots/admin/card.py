"""The facts of an order card, read in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from finance import scope as finance_scope
from finance.models import Commission
from orders import words
from orders.dispatch import trace
from orders.enums import AttachmentEntity, OfferState, OrderStatus
from orders.models import Attachment, DispatchDecision, Offer, Order, OrderRating, OrderStatusHistory
from staff.models import StaffUser

OFFERS, RECORDS, FILES = 5, 5, 30


@dataclass(frozen=True, slots=True)
class LiveOffer:
    """An offer on the card; `left` seconds to answer, 0 when it is over."""

    row: Offer
    left: int

    @property
    def countdown(self) -> str:
        """`1:32`."""
        return f"{self.left // 60}:{self.left % 60:02d}"


def facts(order: Order, member: StaffUser) -> dict[str, Any]:
    """What the template of the card shows."""
    commission = finance_scope.visible_to(member).filter(order_id=order.pk).first()
    return {
        "order": order,
        "offers": [_offer(row) for row in order.offers.select_related("master").order_by("-sent_at", "-id")[:OFFERS]],
        "history": list(records(order)[:RECORDS])[::-1],
        "waiting": waiting_minutes(order),
        "searching": order.status in OrderStatus.SEARCH,
        "decision": _decision(order),
        "commission": commission,
        "files": len(files(order, commission)),
        "rating": OrderRating.objects.filter(order_id=order.pk).first(),
        "visits": list(order.guarantees.order_by("-id").values_list("pk", flat=True)[:5]),
    }


def records(order: Order) -> QuerySet[OrderStatusHistory]:
    """The history, newest first."""
    rows = OrderStatusHistory.objects.filter(order_id=order.pk)
    return rows.select_related("changed_by_staff", "changed_by_master").order_by("-created_at", "-id")


def files(order: Order, commission: Commission | None) -> list[Attachment]:
    """Pictures and acts of the order, and the receipts where the member may see money."""
    of_order = Attachment.objects.filter(entity_type=AttachmentEntity.ORDER, entity_id=order.pk)
    found = list(of_order.order_by("pk")[:FILES])
    if commission:
        receipts = Attachment.objects.filter(entity_type=AttachmentEntity.COMMISSION, entity_id=commission.pk)
        found += list(receipts.order_by("pk")[:FILES])
    return found


def waiting_minutes(order: Order) -> int:
    """Minutes the order has been searching for a master."""
    begin = order.search_started_at or order.created_at
    return max(0, int((timezone.now() - begin).total_seconds() // 60))


def _offer(row: Offer) -> LiveOffer:
    left = 0
    if row.state in OfferState.LIVE and row.expires_at:
        left = max(0, int((row.expires_at - timezone.now()).total_seconds()))
    return LiveOffer(row, left)


def _decision(order: Order) -> dict[str, Any] | None:
    """What dispatch decided last, in numbers."""
    rows = DispatchDecision.objects.filter(order_id=order.pk).select_related("master")
    last = rows.order_by("-decided_at", "-id").first()
    if last is None:
        return None
    rest = [(words.left_out(reason), len(ids)) for reason, ids in trace.left_out(last).items()]
    return {
        "at": last.decided_at,
        "round": last.round_number,
        "outcome": words.outcome(last.outcome),
        "master": last.master,
        "candidates": last.candidates_count,
        "left_out": rest,
    }
