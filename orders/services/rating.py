"""Ratings of visits, and what they make of the master's own rating (spec §9, used by the ranking of §4)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import clean
from fieldservice.lib.errors import ConflictError, InvalidError
from orders.enums import OrderStatus
from orders.models import Order, OrderRating
from orders.services import history, lifecycle
from staff.models import Master
from staff.scope import require

#: the work is done: the client can say how it was
DONE = (OrderStatus.PAYMENT, OrderStatus.CLOSED)
STARS = range(1, 6)
COMMENT = 500
#: the master's rating from before counts as so many visits: one bad day does not end a career
WEIGHT = 5
#: older visits no longer count
LAST = 50


@transaction.atomic
def rate(*, order_id: int, stars: int, actor: Actor, comment: str = "", now: datetime | None = None) -> Order:
    """The visit of a finished order gets 1 to 5 stars; a second rating replaces the first. Raises ConflictError."""
    now = now or timezone.now()
    require(actor, "order.rate")
    if stars not in STARS:
        raise InvalidError({"stars": _("The rating is a number from 1 to 5.")})
    if len(comment := clean(comment)) > COMMENT:
        raise InvalidError({"comment": _("The comment must have up to %(limit)s characters.") % {"limit": COMMENT}})
    order = lifecycle.lock_for(order_id, actor)
    if order.status not in DONE or order.assigned_master_id is None:
        raise ConflictError(_("Order #%(id)s is not finished: there is no visit to rate yet.") % {"id": order.pk})
    master = Master.objects.select_for_update(no_key=True).get(pk=order.assigned_master_id)
    values = {"master": master, "stars": stars, "comment": comment or None, "rated_by_staff_id": actor.staff_id}
    OrderRating.objects.update_or_create(
        order=order, defaults=values, create_defaults=values | {"rating_before": _before(master), "created_at": now}
    )
    Master.objects.filter(pk=master.pk).update(rating=_rating(master))
    history.remark(
        order, actor=actor, reason="visit_rated", now=now, context={"stars": stars, "comment": comment[:200]}
    )
    return order


def _before(master: Master) -> float:
    first = OrderRating.objects.filter(master=master).order_by("id").first()
    return first.rating_before if first else master.rating


def _rating(master: Master) -> float:
    """The mean of the last ratings, the rating from before among them as `WEIGHT` visits."""
    stars = list(OrderRating.objects.filter(master=master).order_by("-id").values_list("stars", flat=True)[:LAST])
    return round((WEIGHT * _before(master) + sum(stars)) / (WEIGHT + len(stars)), 2)
