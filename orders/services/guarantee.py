"""Guarantee visits: made from a closed order, offered to its master first, who is blocked for a refusal (spec §7)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib.actor import SYSTEM, Actor
from fieldservice.lib.clean import clean
from fieldservice.lib.errors import ConflictError
from fieldservice.lib.localtime import zone
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from fieldservice.runtime import registry, wake
from orders.enums import OrderStatus, OrderType
from orders.models import Offer, Order
from orders.services import history, lifecycle
from orders.services.schedule import next_opening
from orders.services.window import load_window
from staff.enums import BlockReason, Role
from staff.scope import require
from staff.services import moderation

COPIED = (
    "city_id", "district_id", "street_id", "street_text", "house", "apartment", "address_comment", "client_name",
    "client_phone", "category", "lat", "lon", "geocode_provider", "geocode_confidence", "no_district",
)  # fmt: skip


@transaction.atomic
def create(
    *,
    source_order_id: int,
    actor: Actor,
    description: str = "",
    version: int | None = None,
    now: datetime | None = None,
) -> Order:
    """A guarantee visit for a CLOSED order; it is searching (its former master first) or deferred when this returns.

    Raises ConflictError when the source is not closed, is a guarantee itself, has no master, is older than the
    allowed days (a GLOBAL_ADMIN may still), or has an open guarantee visit already.
    """
    now = now or timezone.now()
    require(actor, "order.guarantee")
    # the lock on the source decides who makes the one open visit
    source = lifecycle.lock_for(source_order_id, actor, version=version)
    _refuse(source, actor, now)
    order = _copy(source, description, actor, now)
    opening = next_opening(now, tz=zone(order.city.timezone), window=load_window())
    if opening > now:
        lifecycle.move(
            order, OrderStatus.DEFERRED, actor=actor, reason="outside_working_hours", now=now, dispatch_at=opening
        )
    else:
        lifecycle.begin_search(order, actor=actor, reason="search_started", now=now)
        wake.dispatch()
    return order


def _copy(source: Order, description: str, actor: Actor, now: datetime) -> Order:
    order = Order.objects.create(
        **{name: getattr(source, name) for name in COPIED},
        type=OrderType.GUARANTEE,
        status=OrderStatus.CREATED,
        company_payment=registry.get("guarantee_company_payment"),
        preferred_master_id=source.assigned_master_id,
        guarantee_source_order=source,
        description=clean(description)[:2000] or source.description,
        created_by_staff_id=actor.staff_id,
        created_at=now,
        updated_at=now,
        dispatch_at=now,
        version=1,
        search_number=1,
        dispatch_round=0,
    )
    history.record(
        order,
        from_status=None,
        actor=actor,
        reason="guarantee_created",
        now=now,
        context={"source_order_id": source.pk},
    )
    return order


def refused(order: Order, offer: Offer, *, now: datetime, answered: bool = False) -> bool:
    """An offer ended without a yes: if it was the guarantee's own master who refused or let it lapse, block him.

    An offer that never reached him is no refusal; one he `answered` did, though its delivery may be noted later. True
    when he was blocked now. In the caller's transaction, which holds the offer; locks the master.
    """
    own = order.type == OrderType.GUARANTEE and offer.master_id == order.preferred_master_id
    if not own or offer.is_manual or not (answered or offer.delivered_at):
        return False
    before = offer.master.is_blocked
    moderation.block(master_id=offer.master_id, reason=BlockReason.GUARANTEE_REFUSAL, actor=SYSTEM, now=now)
    channel = registry.get("alerts_channel_id")
    if channel:
        outbox.enqueue(
            Message(
                event="guarantee_refused",
                chat_id=channel,
                payload={"order_id": order.pk, "master_id": offer.master_id},
                dedup_key=f"guarantee_refused:{offer.pk}",
            )
        )
    return not before


def _refuse(source: Order, actor: Actor, now: datetime) -> None:
    number = {"id": source.pk}
    if source.status != OrderStatus.CLOSED or lifecycle.is_guarantee(source):
        raise ConflictError(_("A guarantee visit is made from a closed normal order; #%(id)s is none.") % number)
    if source.assigned_master_id is None:
        raise ConflictError(_("Order #%(id)s has no master who could come again.") % number)
    days = registry.get("guarantee_days")
    closed = source.closed_at or source.updated_at
    if closed < now - timedelta(days=days) and actor.kind != lifecycle.SYSTEM and actor.role != Role.GLOBAL_ADMIN:
        raise ConflictError(
            _("Order #%(id)s was closed more than %(days)s days ago: ask a global admin.")
            % {"id": source.pk, "days": days}
        )
    open_visit = source.guarantees.exclude(status__in=OrderStatus.FINAL).first()
    if open_visit is not None:
        raise ConflictError(
            _("There is an open guarantee visit for order #%(id)s already: #%(visit)s.")
            % {"id": source.pk, "visit": open_visit.pk}
        )
