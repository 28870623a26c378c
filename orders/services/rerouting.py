"""Another trade, district or street: who was asked was asked for another job, so the search begins anew (spec §4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError
from fieldservice.runtime import wake
from orders.enums import Category, OrderStatus
from orders.models import Order
from orders.services import intake, lifecycle, notices, place
from staff.scope import require

S = OrderStatus
#: the work is not done yet: what it is and where may change
OPEN = (S.CREATED, S.DEFERRED, *S.SEARCH, S.ASSIGNED, S.EN_ROUTE, S.WORKING)


@dataclass(frozen=True, slots=True)
class Route:
    """What decides who is asked and where he goes. A street is one of the catalogue or typed, not both."""

    category: str
    district_id: int | None = None
    street_id: int | None = None
    street_text: str = ""

    @classmethod
    def of(cls, order: Order) -> Route:
        """As the order is now."""
        return cls(
            order.category, order.district_id, order.street_id, "" if order.street_id else order.street_text or ""
        )

    @property
    def place(self) -> tuple[int | None, int | None, str]:
        return self.district_id, self.street_id, self.street_text


@transaction.atomic
def reroute(
    *,
    order_id: int, to: Route, actor: Actor, seen: Route | None = None, confirm_district: bool = False,
    version: int | None = None, now: datetime | None = None,
) -> Order:  # fmt: skip
    """Mend the trade or the place of an order whose work is not done; the order as it is when nothing differs.

    While it searches, live offers are withdrawn and the search begins anew, unless the typed street is only found in
    the catalogue. The master who has the order keeps it and is told; a trade he has no skill for is refused.
    `seen`: the route the caller was shown. Raises ConflictError, InvalidError, StreetElsewhere (confirm, or choose),
    StaleError.
    """
    now = now or timezone.now()
    require(actor, "order.create")
    order = lifecycle.lock_for(order_id, actor, version=version)
    if seen is not None and seen != Route.of(order):
        raise lifecycle.stale(order, remark="corrected")
    changes = check(order=order, to=to, confirm_district=confirm_district)
    if not changes:
        return order
    before, asked_for = _words(order), _job(order)
    for name, value in changes.items():
        setattr(order, name, value)
    told = {name: [old, new] for (name, old), new in zip(before.items(), _words(order).values(), strict=True)
            if old != new}  # fmt: skip
    if order.status in S.SEARCH and _job(order) != asked_for:
        # one that was moved to a later day is not searched for before
        changes |= lifecycle.search_anew(order, now=now, look_at=max(now, order.search_started_at or now))
    context = {"action": "rerouted", "changes": told}
    lifecycle.amend(order, changes, actor=actor, reason="corrected", now=now, context=context)
    if set(changes) & {"district", "street", "street_text"}:
        place.address_changed(order, now=now)
    notices.changed(order, changes)
    if "search_number" in changes:
        wake.dispatch()
    return order


def check(*, order: Order, to: Route, confirm_district: bool = False) -> dict[str, Any]:
    """What `reroute` would write of the route, as columns; nothing is written. Raises as `reroute` does."""
    if order.status not in OPEN:
        raise ConflictError(too_late(order))
    here, changes = Route.of(order), {}
    if to.category != here.category:
        changes["category"] = _category(order, to.category)
    if to.place != here.place:
        typed: str | None = to.street_text
        # what an old order has may stay as it is, and so may a long name of the catalogue
        if to.street_text not in (here.street_text, order.street_name):
            typed = intake.parse_field("street_text", to.street_text)
        changes |= place.settle(
            city=order.city, district_id=to.district_id, street_id=to.street_id, street_text=typed,
            confirm_district=confirm_district,
        )  # fmt: skip
    return {name: value for name, value in changes.items() if getattr(order, name) != value}


def too_late(order: Order) -> str:
    """The sentence for an order that is done."""
    return _("Order #%(id)s is «%(status)s» now: its category and its address can no longer be changed.") % {
        "id": order.pk, "status": order.get_status_display(),
    }  # fmt: skip


def _category(order: Order, category: str) -> str:
    category = intake.parse_category(category)
    master = order.assigned_master if order.status in S.ACTIVE else None
    if master is not None and not master.skills.filter(code=category, is_active=True).exists():
        raise ConflictError(
            _("%(name)s has no skill «%(category)s»: return order #%(id)s to the search, then change its category.")
            % {"name": master, "category": Category(category).label, "id": order.pk},
            code="skill",
        )
    return category


def _job(order: Order) -> tuple[str, int | None, str]:
    """What masters are asked for."""
    return order.category, order.district_id, order.street_name


def _words(order: Order) -> dict[str, str | None]:
    """The route as the history keeps it: names, for rows of the catalogue may be renamed or deleted."""
    street = order.street.label if order.street else order.street_text
    return {
        "category": order.category,
        "district": order.district.name if order.district else None,
        "street": street or None,
    }
