"""After the work: the guarantee visit, and how the client found the visit."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from bots import fsm
from bots.admin import dispatching, orders, origin
from bots.admin.origin import Origin
from bots.buttons import tap
from bots.callbacks import on
from bots.screens import Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError, InvalidError, StaleError
from fieldservice.lib.fields import parse_description
from fieldservice.runtime import registry
from orders import scope
from orders.models import OrderRating
from orders.services import guarantee, rating
from orders.services.options import options

GUARANTEE, COMMENT = "adm:q:gar:text", "adm:q:rate:text"


def _card(visit: Visit, order_id: int, *rest: Any) -> Reply:
    return orders.card(visit, order_id)


@on("adm:q:gar", needs="order.guarantee", back=orders.card)
def ask_guarantee(visit: Visit, order_id: int, at: Origin = origin.QUEUE) -> Reply:
    """What will happen; the description may be another one."""
    order = scope.get_for(visit.member, order_id)
    if "guarantee" not in options(order, visit.actor):
        raise ConflictError(
            _("A guarantee visit is made from a closed normal order; #%(id)s is none.") % {"id": order.pk}
        )
    data = {"order": order.pk, "version": order.version, "at": at}
    return Reply(_guarantee_screen(visit, data), dialog=Dialog(GUARANTEE, data))


@on("adm:q:gar:ok", needs="order.guarantee", back=_card)
def make_guarantee(visit: Visit, order_id: int, version: int, at: Origin = origin.QUEUE) -> Reply:
    """With the description of the first visit."""
    return _make(visit, order_id, version, "", at)


@fsm.step(GUARANTEE, ask=lambda visit: _guarantee_screen(visit, visit.dialog.data if visit.dialog else {}),
          needs="order.guarantee")  # fmt: skip
def take_description(visit: Visit) -> Reply:
    """With another description."""
    text = parse_description(visit.incoming.text)
    try:
        return _make(visit, visit.answer("order"), visit.answer("version"), text, visit.answer("at"))
    except (ConflictError, StaleError) as error:
        return orders.changed(visit, visit.answer("order"), visit.answer("at"), error)


@on("adm:q:rate", needs="order.rate", back=orders.card)
def ask_stars(visit: Visit, order_id: int, at: Origin = origin.QUEUE) -> Reply:
    """One to five."""
    order = scope.get_for(visit.member, order_id)
    if "rate" not in options(order, visit.actor):
        raise ConflictError(_("Order #%(id)s is not finished: there is no visit to rate yet.") % {"id": order.pk})
    stars = [tap(f"{number} ⭐", "adm:q:rate:n", order.pk, number, at) for number in rating.STARS]
    rows = [stars, [tap(_("‹ Back"), "adm:q:card", order.pk, at)]]
    given = OrderRating.objects.filter(order_id=order.pk).first()
    return Reply(page("admin/rate.html", rows, order=order, rating=given))


@on("adm:q:rate:n", needs="order.rate", back=_card)
def ask_comment(visit: Visit, order_id: int, stars: int, at: Origin = origin.QUEUE) -> Reply:
    """What did the client say?"""
    if stars not in rating.STARS:
        return ask_stars(visit, order_id, at)
    order = scope.get_for(visit.member, order_id)
    data = {"order": order.pk, "stars": stars, "at": at}
    return Reply(_comment_screen(data), dialog=Dialog(COMMENT, data))


@on("adm:q:rate:ok", needs="order.rate", back=_card)
def rate(visit: Visit, order_id: int, stars: int, at: Origin = origin.QUEUE) -> Reply:
    """Without a comment."""
    return _rate(visit, order_id, stars, "", at)


@fsm.step(COMMENT, ask=lambda visit: _comment_screen(visit.dialog.data if visit.dialog else {}), needs="order.rate")
def take_comment(visit: Visit) -> Reply:
    """With a comment."""
    if not visit.incoming.text:
        raise InvalidError(_("Write the comment as text, or save without one."))
    try:
        return _rate(visit, visit.answer("order"), visit.answer("stars"), visit.incoming.text, visit.answer("at"))
    except ConflictError as error:
        return orders.changed(visit, visit.answer("order"), visit.answer("at"), error)


def _guarantee_screen(visit: Visit, data: dict[str, Any]) -> Screen:
    order = scope.get_for(visit.member, data["order"])
    yes = tap(_("🛡 Create the visit"), "adm:q:gar:ok", order.pk, data["version"], data["at"])
    rows = [[yes], [tap(_("No"), "adm:q:card", order.pk, data["at"])]]
    return page("admin/guarantee.html", rows, order=order, payment=registry.get("guarantee_company_payment"))


def _make(visit: Visit, order_id: int, version: int, description: str, at: Origin) -> Reply:
    source = scope.get_for(visit.member, order_id)
    made = guarantee.create(source_order_id=source.pk, actor=visit.actor, description=description, version=version)
    dispatching.serve()
    return orders.shown(visit, made.pk, at, _("The guarantee visit is order #%(id)s.") % {"id": made.pk})


def _comment_screen(data: dict[str, Any]) -> Screen:
    rows = [
        [tap(_("💾 Without a comment"), "adm:q:rate:ok", data["order"], data["stars"], data["at"])],
        [tap(_("‹ Back"), "adm:q:rate", data["order"], data["at"])],
    ]
    return page("admin/rate_comment.html", rows, stars=data["stars"], order={"pk": data["order"]})


def _rate(visit: Visit, order_id: int, stars: int, comment: str, at: Origin) -> Reply:
    order = scope.get_for(visit.member, order_id)
    rating.rate(order_id=order.pk, stars=stars, comment=comment, actor=visit.actor)
    return orders.shown(visit, order_id, at, _("Thank you: the rating is kept."))
