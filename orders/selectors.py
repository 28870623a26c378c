"""Reading orders and offers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Avg, QuerySet

from fieldservice.lib.prepared import prepared
from orders.enums import AttachmentEntity, OfferState, OrderStatus, OrderType
from orders.models import Attachment, Offer, Order

PLACES = ("city", "district", "street")
#: what lists show of an order; the rest is read when it is asked for
LISTED = (
    "type", "status", "category", "timeslot_start_utc", "timeslot_end_utc", "street_text", "house",
    "city__name", "city__timezone", "district__name", "street__name",
)  # fmt: skip


def live_offers(*, master_id: int, now: datetime) -> list[Offer]:
    """The master's offers that can still be accepted, newest first."""
    return _live_offers(master_id=master_id, now=now)


@prepared
def _live_offers(*, master_id: int, now: datetime) -> QuerySet[Offer]:
    rows = Offer.objects.select_related("order", *(f"order__{place}" for place in PLACES)).filter(
        master_id=master_id, state__in=OfferState.LIVE, expires_at__gt=now, order__status__in=OrderStatus.SEARCH
    )
    return rows.only("expires_at", *(f"order__{name}" for name in LISTED)).order_by("-sent_at", "-id")[:100]


def offer_of(*, master_id: int, offer_id: int) -> Offer | None:
    """The master's offer in any state."""
    return _offer_of.first(master_id=master_id, offer_id=offer_id)


@prepared
def _offer_of(*, master_id: int, offer_id: int) -> QuerySet[Offer]:
    rows = Offer.objects.select_related("order", *(f"order__{place}" for place in PLACES))
    return rows.filter(pk=offer_id, master_id=master_id)


def active_orders(*, master_id: int) -> list[Order]:
    """The orders on the master's hands, last changed first."""
    return _active_orders(master_id=master_id)


@prepared
def _active_orders(*, master_id: int) -> QuerySet[Order]:
    rows = Order.objects.select_related(*PLACES).filter(assigned_master_id=master_id, status__in=OrderStatus.ACTIVE)
    return rows.only(*LISTED).order_by("-updated_at", "-id")[:100]


def order_of(*, master_id: int, order_id: int) -> Order | None:
    """The master's own order in any state."""
    return _order_of.first(master_id=master_id, order_id=order_id)


@prepared
def _order_of(*, master_id: int, order_id: int) -> QuerySet[Order]:
    return Order.objects.select_related(*PLACES).filter(pk=order_id, assigned_master_id=master_id)


def order_files(order_id: int) -> list[Attachment]:
    """Files of an order, oldest first."""
    return _files(AttachmentEntity.ORDER, entity_id=order_id)


def commission_files(commission_id: int) -> list[Attachment]:
    """What a master sent to prove a payment, oldest first."""
    return _files(AttachmentEntity.COMMISSION, entity_id=commission_id)


@prepared
def _files(entity: AttachmentEntity, *, entity_id: int) -> QuerySet[Attachment]:
    return Attachment.objects.filter(entity_type=entity, entity_id=entity_id).order_by("pk")[:30]


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
