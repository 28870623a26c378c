"""What happens to an offer: accepted, declined, viewed, delivered, expired (spec §4).

Every verb locks order, offer, master, in this order. Who wins a race is decided by these locks and by
`uix_offers__order_accepted_once`, never by an earlier read.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib.actor import SYSTEM, Actor
from fieldservice.lib.errors import ConflictError, DomainError, NotFoundError
from fieldservice.runtime import wake
from orders.enums import OfferState, OrderStatus, OrderType
from orders.models import Offer, Order
from orders.services import acceptance, guarantee, history, lifecycle, offer_writer
from staff.enums import ShiftStatus
from staff.models import Master
from staff.selectors import block_reason

#: a guarantee visit offered to the master whose work it is
OWN_GUARANTEE = Q(order__type=OrderType.GUARANTEE, order__preferred_master_id=F("master_id"))


def accept(*, offer_id: int, actor: Actor, now: datetime | None = None) -> Order:
    """The master takes the order. Returns it, ASSIGNED.

    Raises ConflictError whose sentence is the true reason; its `code` is one of expired, already_yours, taken,
    declined, withdrawn, limit, off_shift, blocked, changed.
    """
    try:
        return _accept(offer_id, actor, now)
    except IntegrityError:
        # an accepted offer of an order that searches: an import brought it, and nobody could take the order ever
        if not _void_strays(offer_id):
            raise
        return _accept(offer_id, actor, now)


def _accept(offer_id: int, actor: Actor, now: datetime | None) -> Order:
    with transaction.atomic():
        ground = acceptance.lock(offer_id, actor.master_id or 0)
        if ground is None or actor.kind != lifecycle.MASTER:
            raise NotFoundError(_("There is no such offer."))
        now = now or timezone.now()
        _refuse_closed(ground.offer, ground.order, now)
        _refuse_unfit(ground.master, ground.offer, now)
        acceptance.write(ground, actor=actor, now=now)
    return ground.order


def _void_strays(offer_id: int) -> bool:
    with transaction.atomic():
        order = lifecycle.lock(Offer.objects.values_list("order_id", flat=True).get(pk=offer_id))
        if order.status not in OrderStatus.SEARCH:
            return False
        strays = order.offers.select_for_update(no_key=True).filter(state=OfferState.ACCEPTED)
        return strays.update(state=OfferState.CANCELED, close_reason="withdrawn") > 0


def decline(*, offer_id: int, actor: Actor, now: datetime | None = None) -> None:
    """The master does not want it: the next one is asked at once. Raises ConflictError when the offer is over."""
    with transaction.atomic():
        offer, order, _master = _lock(offer_id, actor)
        now = now or timezone.now()
        _refuse_closed(offer, order, now)
        offer_writer.close(offer, OfferState.DECLINED, now=now)
        history.remark(order, actor=actor, reason="offer_declined", now=now, context={"offer_id": offer.pk})
        guarantee.refused(order, offer, now=now, answered=True)
        make_due(order.pk, now=now)
        wake.dispatch()


def mark_viewed(*, offer_id: int, actor: Actor, now: datetime | None = None) -> None:
    """The master looked at the card. Nothing but the state changes; a closed offer stays closed."""
    Offer.objects.filter(pk=offer_id, master_id=actor.master_id or 0, state=OfferState.SENT).update(
        state=OfferState.VIEWED
    )


def mark_delivered(*, offer_id: int, now: datetime | None = None) -> None:
    """The message reached Telegram: the master has the full time to answer from now on."""
    now = now or timezone.now()
    with transaction.atomic():
        order_id = Offer.objects.filter(pk=offer_id).values_list("order_id", flat=True).first()
        if order_id is None:
            return
        lifecycle.lock(order_id)
        offer = Offer.objects.select_for_update(no_key=True).get(pk=offer_id)
        if offer.state not in OfferState.LIVE or offer.delivered_at:
            return
        offer.delivered_at = now
        offer.expires_at = max(offer.expires_at or now, now + timedelta(seconds=offer.sla_seconds))
        offer.save(update_fields=["delivered_at", "expires_at"])
        Order.objects.filter(pk=order_id, dispatch_at__isnull=False, dispatch_at__lt=offer.expires_at).update(
            dispatch_at=offer.expires_at
        )


def undeliverable(*, offer_id: int, now: datetime | None = None) -> None:
    """The master cannot be reached: the offer expires at once and the next one is asked."""
    now = now or timezone.now()
    with transaction.atomic():
        order_id = Offer.objects.filter(pk=offer_id).values_list("order_id", flat=True).first()
        if order_id is None:
            return
        order = lifecycle.lock(order_id)
        offer = Offer.objects.select_for_update(no_key=True).get(pk=offer_id)
        if offer.state not in OfferState.LIVE:
            return
        offer_writer.close(offer, OfferState.EXPIRED, now=now, reason="undeliverable")
        Master.objects.filter(pk=offer.master_id).update(unreachable_at=now)
        history.remark(order, actor=SYSTEM, reason="offer_undeliverable", now=now, context={"offer_id": offer_id})
        if _nobody_was_asked(offer, order):  # the round is given back
            Order.objects.filter(pk=order_id).update(dispatch_round=order.dispatch_round - 1)
        make_due(order_id, now=now)
        wake.dispatch()


def _nobody_was_asked(offer: Offer, order: Order) -> bool:
    """Whether the order's present round reached no master at all: this offer was the last of it."""
    present = offer.search_number == order.search_number and offer.round_number == order.dispatch_round > 0
    if offer.is_manual or not present:
        return False
    others = Offer.objects.filter(
        order_id=order.pk, search_number=offer.search_number, round_number=offer.round_number, is_manual=False
    ).exclude(pk=offer.pk)
    return not others.exclude(close_reason="undeliverable").exists()


def expire_due(*, now: datetime, limit: int = 5000) -> list[Offer]:
    """End the offers whose time is up; their orders are due at once. Rows that somebody holds are left for next time.

    No order lock is taken first: SKIP LOCKED never waits, so this cannot deadlock with a late acceptance, which
    holds the offer and wins. An offer that came without a deadline (an import) has its SLA from the sending.
    """
    with transaction.atomic():
        free = _overdue(now).exclude(OWN_GUARANTEE).select_for_update(skip_locked=True, no_key=True, of=("self",))
        overdue = list(free[:limit])
        if overdue:
            Offer.objects.filter(pk__in=[o.pk for o in overdue]).update(**_expired(now))
            offer_writer.redraw(overdue)
    return overdue + _expire_own_guarantees(now, limit)


def _expire_own_guarantees(now: datetime, limit: int) -> list[Offer]:
    """Letting these lapse blocks the master: a lock on him, so each takes order and offer first, as everybody does."""
    done: list[Offer] = []
    for order_id in _overdue(now).filter(OWN_GUARANTEE).values_list("order_id", flat=True)[:limit]:
        with transaction.atomic():
            order = lifecycle.lock(order_id)
            for offer in _overdue(now).select_for_update(no_key=True, of=("self",)).filter(order_id=order_id):
                Offer.objects.filter(pk=offer.pk).update(**_expired(now))
                offer_writer.redraw([offer])
                guarantee.refused(order, offer, now=now)
                done.append(offer)
    return done


def _overdue(now: datetime) -> QuerySet[Offer]:
    sla = ExpressionWrapper(F("sla_seconds") * timedelta(seconds=1), output_field=DurationField())
    return (
        Offer.objects.filter(state__in=OfferState.LIVE)
        .filter(Q(expires_at__lte=now) | Q(expires_at__isnull=True, sent_at__lte=now - sla))
        .order_by("expires_at")
    )


def _expired(now: datetime) -> dict[str, Any]:
    return {"state": OfferState.EXPIRED, "responded_at": now, "close_reason": "expired"}


def make_due(order_id: int, *, now: datetime) -> None:
    """The engine looks at the order at once, if it is searching."""
    Order.objects.filter(pk=order_id, status__in=OrderStatus.SEARCH, assigned_master__isnull=True).update(
        dispatch_at=now
    )


def _lock(offer_id: int, actor: Actor) -> tuple[Offer, Order, Master]:
    order_id = (
        Offer.objects.filter(pk=offer_id, master_id=actor.master_id or 0).values_list("order_id", flat=True).first()
    )
    if order_id is None or actor.kind != lifecycle.MASTER:
        raise NotFoundError(_("There is no such offer."))
    order = lifecycle.lock(order_id)
    offer = Offer.objects.select_for_update(no_key=True).get(pk=offer_id)
    # NO KEY: the tick's inserts of offers hold FOR KEY SHARE on masters and must not wait for us
    master = Master.objects.select_for_update(no_key=True).get(pk=offer.master_id)
    return offer, order, master


def _refuse_closed(offer: Offer, order: Order, now: datetime) -> None:
    sentence = _closed_reason(offer, order, now)
    if sentence:
        raise sentence


def _closed_reason(offer: Offer, order: Order, now: datetime) -> DomainError | None:
    number = {"id": order.pk}
    if order.assigned_master_id == offer.master_id and order.status in OrderStatus.ACTIVE:
        return ConflictError(_("Order #%(id)s is already yours.") % number, code="already_yours")
    if order.assigned_master_id == offer.master_id and order.status == OrderStatus.CLOSED:
        return ConflictError(_("Order #%(id)s is closed already: you have done it.") % number, code="changed")
    if order.assigned_master_id and order.status in (*OrderStatus.ACTIVE, OrderStatus.CLOSED):
        return ConflictError(_("Order #%(id)s was taken by another master.") % number, code="taken")
    if offer.state == OfferState.DECLINED:
        return ConflictError(_("You have declined order #%(id)s.") % number, code="declined")
    if offer.state == OfferState.CANCELED and offer.close_reason == "taken":
        return ConflictError(_("Order #%(id)s was taken by another master.") % number, code="taken")
    if offer.state in (OfferState.CANCELED, OfferState.ACCEPTED) or order.status not in OrderStatus.SEARCH:
        return ConflictError(_("Order #%(id)s was withdrawn by the office.") % number, code="withdrawn")
    if offer.state == OfferState.EXPIRED or (offer.expires_at and offer.expires_at <= now):
        return ConflictError(_("Time is up: order #%(id)s went on to other masters.") % number, code="expired")
    return None


def _refuse_unfit(master: Master, offer: Offer, now: datetime) -> None:
    if master.is_blocked or not master.is_active or master.is_deleted or not master.verified:
        raise ConflictError(
            _("You cannot take orders now: %(reason)s.") % {"reason": block_reason(master)}, code="blocked"
        )
    if offer.staff_confirmed:  # the office chose this master knowing that he is off shift or full
        return
    if master.shift_status == ShiftStatus.SHIFT_OFF:
        raise ConflictError(_("Start your shift first, then take the order."), code="off_shift")
    if master.shift_status == ShiftStatus.BREAK and (master.break_until is None or master.break_until > now):
        raise ConflictError(_("You are on a break: return to your shift first, then take the order."), code="off_shift")
    active, limit = acceptance.load(master)
    if limit == 0:
        raise ConflictError(_("The office has set your limit to 0: you cannot take orders."), code="limit")
    if active >= limit:
        raise ConflictError(
            _("You have %(active)s of %(limit)s active orders: finish one first.") % {"active": active, "limit": limit},
            code="limit",
        )
