"""Dispatch by hand: staff offer or assign an order to a master of their choice (spec §4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError, NotFoundError
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from fieldservice.runtime import registry, wake
from orders import metrics
from orders.enums import OfferState, OrderStatus
from orders.models import Offer, Order
from orders.selectors import average_checks
from orders.services import history, lifecycle, offer_writer
from orders.services.offer_writer import NewOffer
from staff.enums import ShiftStatus
from staff.models import Master
from staff.scope import require, require_city

NOTES = {
    "off_shift": gettext_lazy("off shift"),
    "break": gettext_lazy("on a break"),
    "limit": gettext_lazy("at the limit"),
    "skill": gettext_lazy("without the skill"),
    "district": gettext_lazy("serves other districts"),
    "unreachable": gettext_lazy("unreachable in Telegram"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A master staff may choose; `marks` say what speaks against him now. Choosing a marked one needs a confirm."""

    master_id: int
    name: str
    marks: tuple[str, ...]
    load: int = 0
    limit: int = 0
    rating: float = 0.0
    has_vehicle: bool = False
    #: the 7-day average check; None without finished orders, or where nobody needs it
    average: Decimal | None = None

    @property
    def available(self) -> bool:
        """Whether nothing but another district speaks against him."""
        return not set(self.marks) - {"district"}

    @property
    def note(self) -> str:
        """The marks in words; empty when there are none."""
        return ", ".join(str(NOTES[mark]) for mark in self.marks)


def candidates(*, order_id: int, actor: Actor, name: str = "") -> list[Candidate]:
    """All verified, active, not blocked, not deleted masters of the order's city, ranked as dispatch would (spec §4).

    The available ones first, those of the order's district before the others. `name`: a part of the name.
    """
    order = Order.objects.filter(pk=order_id).first()
    if order is None:
        raise NotFoundError(lifecycle.no_order(order_id))
    require_city(actor, order.city_id, missing=lifecycle.no_order(order_id))
    found = _candidates(order, name=name)
    averages = average_checks([c.master_id for c in found], now=timezone.now())
    found = [replace(c, average=averages.get(c.master_id)) for c in found]
    return sorted(
        found,
        key=lambda c: (not c.available, len(c.marks), not c.has_vehicle, -(c.average or 0), -c.rating, c.name),
    )


@transaction.atomic
def offer(
    *,
    order_id: int,
    master_id: int,
    actor: Actor,
    confirmed: bool = False,
    version: int | None = None,
    now: datetime | None = None,
) -> Offer:
    """Offer the order to this master with the usual time to answer.

    Raises ConflictError (code `confirm`) when the master is marked and the choice is not confirmed, or when he has a
    live offer of this order already.
    """
    now = now or timezone.now()
    require(actor, "order.offer")
    order = _searching(order_id, actor, version, now)
    candidate = _chosen(order, master_id)
    if not candidate.available and not confirmed:
        raise ConflictError(
            _("%(name)s is %(note)s now. Offer anyway?") % {"name": candidate.name, "note": candidate.note},
            code="confirm",
        )
    made = offer_writer.open_offers(
        [NewOffer(order.pk, master_id, order.dispatch_round, order.search_number)],
        sla_seconds=registry.get("distribution_sla_seconds"),
        now=now,
        is_manual=True,
        staff_confirmed=confirmed and not candidate.available,
    )
    if not made:
        raise ConflictError(_("%(name)s has a live offer of this order already.") % {"name": candidate.name})
    history.remark(order, actor=actor, reason="offered_by_staff", now=now, context={"master_id": master_id})
    opened = Offer.objects.get(pk=made[0].id)
    Order.objects.filter(pk=order.pk).update(dispatch_at=opened.expires_at, **lifecycle.CALM)
    return opened


@transaction.atomic
def nudge(*, order_id: int, actor: Actor, version: int | None = None, now: datetime | None = None) -> Order:
    """ "Auto": dispatch looks at the order at once; a deferred one is activated first.

    Raises ConflictError when it would find nothing to do: an offer is out, the rounds are used up, no district.
    """
    now = now or timezone.now()
    require(actor, "order.offer")
    order = _searching(order_id, actor, version, now)
    number = {"id": order.pk}
    live = order.offers.filter(state__in=OfferState.LIVE, expires_at__gt=now).select_related("master").first()
    if live is not None:
        raise ConflictError(_("%(name)s has an offer of this order now: wait for the answer.") % {"name": live.master})
    if order.district_id is None:
        raise ConflictError(_("Order #%(id)s has no district: choose a master by hand.") % number)
    if order.escalation_reason == "rounds_exhausted":
        raise ConflictError(_("All rounds of order #%(id)s are used up: search again, or choose a master.") % number)
    Order.objects.filter(pk=order.pk).update(dispatch_at=now)
    wake.dispatch()
    return order


@transaction.atomic
def assign(
    *,
    order_id: int,
    master_id: int,
    actor: Actor,
    confirmed: bool = False,
    version: int | None = None,
    now: datetime | None = None,
) -> Order:
    """Assign the order without asking the master (CITY_ADMIN and above); he is told."""
    now = now or timezone.now()
    require(actor, "order.assign")
    order = _searching(order_id, actor, version, now)
    # offers before the master, as everywhere; if the choice is refused, this is undone with the rest
    own = order.offers.filter(master_id=master_id, state__in=OfferState.LIVE).first()
    ending: dict[str, Any] = {"order_id": order.pk, "state": OfferState.CANCELED, "now": now}
    offer_writer.close_live(**ending, reason="taken", keep=own.pk if own else None)
    # nobody took his own: if the order is returned to the search, he must not hear that another master did
    offer_writer.close_live(**ending, reason="assigned")
    Master.objects.select_for_update(no_key=True).filter(pk=master_id).first()
    candidate = _chosen(order, master_id)
    if not candidate.available and not confirmed:
        raise ConflictError(
            _("%(name)s is %(note)s now. Assign anyway?") % {"name": candidate.name, "note": candidate.note},
            code="confirm",
        )
    metrics.assigned(order, offer=None, now=now, master_id=master_id)
    lifecycle.assign(order, master_id=master_id, actor=actor, reason="manual_assign", now=now)
    outbox.enqueue(Message(event="order_assigned", master_id=master_id, payload={"order_id": order.pk}))
    return order


@transaction.atomic
def search_again(
    *,
    order_id: int,
    actor: Actor,
    version: int | None = None,
    search: int | None = None,
    now: datetime | None = None,
) -> Order:
    """A new search for an order that is searching: everybody may be asked anew, rounds start with 1.

    `search`: the number of the search the caller saw. A second tap would withdraw what the first one has found.
    """
    now = now or timezone.now()
    require(actor, "order.offer")
    order = lifecycle.lock_for(order_id, actor, version=version)
    if order.status not in OrderStatus.SEARCH:
        raise ConflictError(_("Order #%(id)s is not searching for a master now.") % {"id": order.pk})
    if search is not None and order.search_number != search:
        raise lifecycle.stale(order)
    changes = lifecycle.search_anew(order, now=now)
    Order.objects.filter(pk=order.pk).update(**changes)
    for name, value in changes.items():
        setattr(order, name, value)
    history.remark(order, actor=actor, reason="search_again", now=now)
    wake.dispatch()
    return order


def _searching(order_id: int, actor: Actor, version: int | None, now: datetime) -> Order:
    """The locked order; a deferred one is activated first."""
    order = lifecycle.lock_for(order_id, actor, version=version)
    if order.status == OrderStatus.DEFERRED:
        lifecycle.begin_search(order, actor=actor, reason="activated_by_admin", now=now)
    if order.status not in OrderStatus.SEARCH:
        raise ConflictError(
            _("Order #%(id)s is «%(status)s» now: it needs no master.")
            % {"id": order.pk, "status": order.get_status_display()}
        )
    return order


def _candidates(order: Order, master_id: int | None = None, *, name: str = "") -> list[Candidate]:
    masters = Master.objects.filter(
        city_id=order.city_id, moderation_status="APPROVED", is_active=True, is_blocked=False, is_deleted=False
    )
    if master_id is not None:
        masters = masters.filter(pk=master_id)
    if name:
        masters = masters.filter(full_name__icontains=name)
    found = list(masters.prefetch_related("skills", "districts").order_by("full_name", "pk")[:500])
    active = Order.objects.filter(assigned_master__in=found, status__in=OrderStatus.ACTIVE).values("assigned_master")
    load = dict(active.annotate(n=Count("*")).values_list("assigned_master", "n"))
    limit = registry.get("max_active_orders")
    return [_candidate(master, order, load=load.get(master.pk, 0), limit=limit) for master in found]


def _candidate(master: Master, order: Order, *, load: int, limit: int) -> Candidate:
    own_limit = master.max_active_orders_override
    limit = limit if own_limit is None else own_limit
    marks = {
        "off_shift": master.shift_status == ShiftStatus.SHIFT_OFF,
        "break": master.shift_status == ShiftStatus.BREAK,
        "limit": load >= limit,
        "skill": order.category not in {skill.code for skill in master.skills.all() if skill.is_active},
        "district": order.district_id is not None and order.district_id not in {d.pk for d in master.districts.all()},
        "unreachable": master.tg_user_id is None or master.unreachable_at is not None,
    }
    return Candidate(
        master.pk, master.full_name, tuple(name for name, is_so in marks.items() if is_so), load=load, limit=limit,
        rating=master.rating, has_vehicle=master.has_vehicle,
    )  # fmt: skip


def _chosen(order: Order, master_id: int) -> Candidate:
    found = _candidates(order, master_id)
    if not found:
        raise NotFoundError(_("This master cannot work in the order's city now."))
    return found[0]
