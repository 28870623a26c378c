"""What a staff member may do with an order now: the buttons of the bots and the web admin, never the permission."""

from __future__ import annotations

from fieldservice.lib.actor import Actor
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import correction, lifecycle, rating, rerouting
from staff.scope import may


def options(order: Order, actor: Actor) -> frozenset[str]:
    """Some of offer, assign, search_again, activate, return, reschedule, reroute, cancel, correct, guarantee, rate."""
    status = order.status
    searching = status in OrderStatus.SEARCH
    open_ = searching or status == OrderStatus.DEFERRED
    had_master = order.assigned_master_id is not None
    is_so = {
        "offer": open_,
        "assign": open_,
        "search_again": searching,
        "activate": status == OrderStatus.DEFERRED,
        "return": status in OrderStatus.ACTIVE and (status, lifecycle.search_status(order)) in lifecycle.TRANSITIONS,
        "reschedule": status in correction.MOVABLE,
        "reroute": status in rerouting.OPEN,
        "cancel": (status, OrderStatus.CANCELED) in lifecycle.TRANSITIONS
        and (status != OrderStatus.WORKING or may(actor, "order.cancel_working")),
        "correct": status != OrderStatus.CANCELED,
        "guarantee": status == OrderStatus.CLOSED and not lifecycle.is_guarantee(order) and had_master,
        "rate": status in rating.DONE and had_master,
    }
    right = {"search_again": "order.offer", "reschedule": "order.create", "reroute": "order.create",
             "correct": "order.create"}  # fmt: skip
    return frozenset(name for name, so in is_so.items() if so and may(actor, right.get(name, f"order.{name}")))
