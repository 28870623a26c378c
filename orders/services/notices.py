"""What masters hear about orders that staff change."""

from __future__ import annotations

from collections.abc import Iterable

from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from orders.enums import OrderStatus
from orders.models import Order

#: what a master who is on the way must know; the rest he reads on the card
WORTH_TELLING = {
    "house", "apartment", "address_comment", "client_name", "client_phone", "description", "timeslot_start_utc",
    "timeslot_end_utc", "street", "street_text", "district", "category", "lat", "lon",
}  # fmt: skip


def changed(order: Order, fields: Iterable[str]) -> None:
    """The master at work on the order hears that staff have changed it. In the transaction of the change."""
    if order.assigned_master_id and order.status in OrderStatus.ACTIVE and WORTH_TELLING & set(fields):
        payload = {"order_id": order.pk}
        outbox.enqueue(Message(event="order_changed", master_id=order.assigned_master_id, payload=payload))
