"""Shift and breaks, what the office does meanwhile, and rights that end in the middle of something."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from bots.sandbox import SandboxClient
from bots.tests.e2e.scene import Worker, clerk, master, outbox_is_empty, working
from fieldservice.lib.actor import COMMAND_LINE
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import lifecycle, manual
from orders.tests.factories import OrderFactory
from staff.enums import ShiftStatus
from staff.models import Master
from staff.services import moderation, shifts

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]


def on_a_break(telegram: SandboxClient) -> Worker:
    worker = master(telegram)
    until = timezone.now() + timedelta(minutes=8)
    Master.objects.filter(pk=worker.row.pk).update(shift_status=ShiftStatus.BREAK, break_until=until)
    shifts.remind_breaks(now=timezone.now())
    shifts.remind_breaks(now=timezone.now())
    return worker


def test_the_reminder_s_buttons_work(telegram: SandboxClient) -> None:
    worker = on_a_break(telegram)
    worker.chat.sees("Your break ends")
    worker.chat.presses("Extend")
    worker.chat.presses("1 hour")
    worker.chat.sees("You are on a break until")
    outbox_is_empty()
    assert len([m for m in worker.chat.messages() if m.from_bot]) == 2  # told once
    other = on_a_break(telegram)
    other.chat.sees("Your break ends")
    other.chat.presses("Return to shift")
    other.chat.sees("You are on shift", fresh=True)


def test_a_reminder_of_a_break_that_is_over_is_not_sent(telegram: SandboxClient) -> None:
    worker = master(telegram)
    telegram.faults.add("500", method="sendMessage", times=2)
    until = timezone.now() + timedelta(minutes=8)
    Master.objects.filter(pk=worker.row.pk).update(shift_status=ShiftStatus.BREAK, break_until=until)
    shifts.remind_breaks(now=timezone.now())
    shifts.resume(master_id=worker.row.pk, actor=COMMAND_LINE)
    outbox_is_empty()
    worker.chat.does_not_see("Your break ends")


def test_a_running_dialog_does_not_outlive_the_right(telegram: SandboxClient) -> None:
    order, worker = working(telegram)
    worker.chat.presses("Close")
    worker.chat.sees("How much has the client paid")
    moderation.close_account(master_id=worker.row.pk, reason="Уволен", actor=COMMAND_LINE)
    worker.chat.sends("3500")
    worker.chat.sees("This bot is for the company's masters.")
    worker.chat.sees("Your account is closed")
    order.refresh_from_db()
    assert (order.status, order.total_sum) == (OrderStatus.WORKING, 0)


def test_a_blocked_master_finishes_what_he_has(telegram: SandboxClient) -> None:
    _order, worker = working(telegram)
    moderation.block(master_id=worker.row.pk, reason="Опоздал", actor=COMMAND_LINE, now=timezone.now())
    worker.chat.sees("You are blocked")
    worker.chat.presses("Close")
    worker.chat.sends("3500")
    worker.chat.presses("Yes")
    worker.chat.sends_photo()
    worker.chat.sees("The act is accepted.")


def test_what_the_office_does_to_an_order_is_told(telegram: SandboxClient) -> None:
    worker = master(telegram)
    given, canceled, returned = OrderFactory(city=worker.row.city), *(
        OrderFactory(city=worker.row.city, assigned=True, assigned_master=worker.row) for _ in range(2)
    )  # fmt: skip
    manual.assign(order_id=given.pk, master_id=worker.row.pk, actor=clerk(), confirmed=True)
    worker.chat.sees(f"The office has assigned order #{given.pk} to you.")
    lifecycle.cancel(order_id=canceled.pk, actor=clerk(), reason="Клиент передумал")
    assert "Клиент передумал" in worker.chat.sees(f"Order #{canceled.pk} was canceled by the office.").text
    lifecycle.return_to_search(order_id=returned.pk, actor=clerk(), reason="Далеко ехать")
    assert "Далеко ехать" in worker.chat.sees(f"Order #{returned.pk} was taken from you").text
    outbox_is_empty()
    told = [m.text for m in worker.chat.messages() if m.from_bot]
    assert len(told) == 4  # the menu, and each once
    assert Order.objects.get(pk=given.pk).assigned_master == worker.row
