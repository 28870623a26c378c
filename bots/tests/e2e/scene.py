"""People and orders of the stories."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bots.sandbox.client import ChatClient, SandboxClient
from fieldservice.lib.actor import COMMAND_LINE, Actor
from fieldservice.outbox.models import Notification
from orders.enums import OrderStatus
from orders.models import Offer, Order
from orders.services import manual
from orders.tests.factories import OrderFactory
from staff.enums import Role
from staff.models import Master, StaffUser
from staff.tests.factories import MasterFactory, StaffUserFactory


@dataclass
class Worker:
    """A master with a phone in hand."""

    row: Master
    chat: ChatClient


@dataclass
class Member:
    """A staff member with a phone in hand."""

    row: StaffUser
    chat: ChatClient


def master(telegram: SandboxClient, order: Order | None = None, *, language: str = "en", **fields: Any) -> Worker:
    """A master (of the order's city), who has opened the bot."""
    if order is not None:
        fields = {"city": order.city, "districts": [order.district]} | fields
    row = MasterFactory(**fields)
    chat = telegram.person(row.full_name, id=row.tg_user_id, language=language).chat("master")
    chat.starts()
    chat.sees()
    return Worker(row, chat)


def member(telegram: SandboxClient, role: Role = Role.GLOBAL_ADMIN, *, language: str = "en", **fields: Any) -> Member:
    """A staff member, who has opened the bot."""
    row = StaffUserFactory(role=role, **fields)
    chat = telegram.person(row.full_name, id=row.tg_user_id, language=language).chat("admin")
    chat.starts()
    chat.sees()
    return Member(row, chat)


def clerk() -> Actor:
    """A GLOBAL_ADMIN at the desk."""
    return Actor.of_staff(StaffUserFactory(role=Role.GLOBAL_ADMIN))


def offered(order: Order, worker: Worker) -> Offer:
    """Staff offer the order to the master; the message is on its way."""
    return manual.offer(order_id=order.pk, master_id=worker.row.pk, actor=COMMAND_LINE, confirmed=True)


def working(telegram: SandboxClient, **fields: Any) -> tuple[Order, Worker]:
    """A master on site, the order's card on the screen."""
    order = OrderFactory()
    worker = master(telegram, order)
    Order.objects.filter(pk=order.pk).update(
        status=OrderStatus.WORKING, assigned_master=worker.row, dispatch_at=None, **fields
    )
    worker.chat.presses_data("m:act")
    worker.chat.presses(f"Open #{order.pk}")
    worker.chat.sees(f"Order #{order.pk}")
    return order, worker


def eventually(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait until the condition holds."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it never came true"
        time.sleep(0.01)


def outbox_is_empty() -> None:
    """Wait until every message was sent, skipped or given up."""
    eventually(lambda: not Notification.objects.filter(processed_at__isnull=True).exists())
