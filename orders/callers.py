"""What is known of who is calling: the earlier orders of a phone, and those that are still open."""

from __future__ import annotations

from orders import scope
from orders.enums import OrderStatus
from orders.models import Order
from staff.models import StaffUser

MOST = 5


def earlier(member: StaffUser, phone: str) -> list[Order]:
    """The last orders of the phone in the member's cities, one of each address, newest first."""
    found: dict[tuple[object, ...], Order] = {}
    for order in scope.visible_to(member).filter(client_phone=phone).order_by("-id")[: MOST * 4]:
        found.setdefault(_address(order), order)
    return list(found.values())[:MOST]


def open_ones(member: StaffUser, phone: str) -> list[Order]:
    """The phone's orders that are not finished: a second one is often a mistake."""
    rows = scope.visible_to(member).filter(client_phone=phone).exclude(status__in=OrderStatus.FINAL)
    return list(rows.order_by("-id")[:MOST])


def same_address(order: Order, *, city_id: int, street: str, house: str) -> bool:
    """Whether the order is for this address; flats are not compared, people forget them."""
    return (order.city_id, order.street_name.casefold(), (order.house or "").casefold()) == (
        city_id, street.casefold(), house.casefold(),
    )  # fmt: skip


def _address(order: Order) -> tuple[object, ...]:
    return order.city_id, order.street_name.casefold(), (order.house or "").casefold(), order.apartment
