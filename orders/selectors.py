"""Reading orders and offers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Avg, QuerySet

from orders.enums import AttachmentEntity, OfferState, OrderStatus, OrderType
from orders.models import Attachment, Offer, Order

PLACES = ("city", "district", "street")


def live_offers(*, master_id: int, now: datetime) -> list[Offer]:
    """The master's offers that can still be accepted, newest first."""
    rows = Offer.objects.select_related("order", *(f"order__{place}" for place in PLACES)).filter(
        master_id=master_id, state__in=OfferState.LIVE, expires_at__gt=now, order__status__in=OrderStatus.SEARCH
    )
    return list(rows.order_by("-sent_at", "-id")[:100])


def offer_of(*, master_id: int, offer_id: int) -> Offer | None:
    """The master's offer in any state."""
    rows = Offer.objects.select_related("order", *(f"order__{place}" for place in PLACES))
    return rows.filter(pk=offer_id, master_id=master_id).first()


def active_orders(*, master_id: int) -> list[Order]:
    """The orders on the master's hands, last changed first."""
    rows = Order.objects.select_related(*PLACES).filter(assigned_master_id=master_id, status__in=OrderStatus.ACTIVE)
    return list(rows.order_by("-updated_at", "-id")[:100])


def order_of(*, master_id: int, order_id: int) -> Order | None:
    """The master's own order in any state."""
    return Order.objects.select_related(*PLACES).filter(pk=order_id, assigned_master_id=master_id).first()


def order_files(order_id: int) -> list[Attachment]:
    """Files of an order, oldest first."""
    return list(Attachment.objects.filter(entity_type=AttachmentEntity.ORDER, entity_id=order_id).order_by("pk")[:30])


def counted_orders(now: datetime) -> QuerySet[Order]:
    """The orders an average check is made of: NORMAL, in PAYMENT or CLOSED, created in the last 7 days."""
    return Order.objects.filter(
        status__in=(OrderStatus.PAYMENT, OrderStatus.CLOSED),
        type=OrderType.NORMAL,
        created_at__gte=now - timedelta(days=7),
    )


def average_checks(master_ids: Iterable[int], *, now: datetime) -> dict[int, Decimal]:
    """Master → 7-day average check (spec §4: one definition for ranking, commission rate and cards)."""
    rows = counted_orders(now).filter(assigned_master_id__in=list(master_ids)).values_list("assigned_master_id")
    return {pk: average for pk, average in rows.annotate(average=Avg("total_sum")) if pk is not None}
