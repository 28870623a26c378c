"""Active orders: everything needed to get there and to work; what staff change is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiogram import Bot
from aiogram.types import BufferedInputFile

from bots.bot import connect
from bots.sandbox import Sandbox, SandboxClient
from bots.sandbox.pictures import sample_photo
from bots.tests.e2e.scene import clerk, eventually, master, member, offered, outbox_is_empty
from orders.enums import OrderType
from orders.models import Attachment, Order, OrderStatusHistory
from orders.services import lifecycle, notices
from orders.tests.factories import AttachmentFactory, OrderFactory

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]


def uploaded(token: str, chat_id: int) -> str:
    """The id of a photo that the bot with this token knows."""

    async def send() -> str:
        bot: Bot = connect(token)
        try:
            message = await bot.send_photo(chat_id, BufferedInputFile(sample_photo(7), "plan.png"))
        finally:
            await bot.session.close()
        assert message.photo
        return message.photo[-1].file_id

    return asyncio.run(send())


def assigned(worker: Any, **fields: Any) -> Order:
    return OrderFactory(city=worker.row.city, assigned=True, assigned_master=worker.row, **fields)


def test_the_card_has_everything(telegram: SandboxClient) -> None:
    worker = master(telegram)
    order = assigned(worker, apartment="17", address_comment="код 17#", client_name="Анна <b>", lat=55.7, lon=37.6)
    worker.chat.presses("Active orders")
    worker.chat.presses(f"Open #{order.pk}")
    card = worker.chat.sees(f"Order #{order.pk}")
    for fact in ("flat 17", "код 17#", "Анна <b>", "+7 999 000", "Не работает розетка", "Assigned"):
        assert fact in card.text
    assert card.button("Phone")["value"].startswith("+7 999 000")
    assert "flat 17" in card.button("Address")["value"]
    assert "55.7" in card.button("Map")["value"]


def test_files_of_the_office_open_in_the_master_s_bot(telegram: SandboxClient, sb: Sandbox) -> None:
    worker, clerk = master(telegram), member(telegram)
    order = assigned(worker)
    AttachmentFactory(entity_id=order.pk, bot="admin", file_id=uploaded(sb.token("admin"), clerk.row.tg_user_id))
    AttachmentFactory(entity_id=order.pk, bot="admin", file_id="no-such-file")
    worker.chat.presses("Active orders")
    worker.chat.presses(f"Open #{order.pk}")
    worker.chat.presses("Files (2)")
    photo = worker.chat.sees(f"#{order.pk}", media="photo")
    assert photo.content() == sample_photo(7)
    below = worker.chat.sees("1 file could not be opened.")
    assert below.id > photo.id
    assert "On my way" in str(below.buttons)
    worker.chat.presses("Files (2)")  # the second time it is known to this bot, too
    eventually(lambda: len([m for m in worker.chat.messages() if m.media == "photo"]) == 2)
    assert len(telegram.calls(bot="admin", method="getFile", status=200)) == 1


def test_files_of_another_s_order_are_not_shown(telegram: SandboxClient) -> None:
    worker = master(telegram)
    foreign = OrderFactory(assigned=True)
    AttachmentFactory(entity_id=foreign.pk)
    menu = worker.chat.sees("You are on shift")
    assert "not yours" in worker.chat.presses_data(f"m:act:files:{foreign.pk}", message=menu).text
    assert Attachment.objects.count() == 1


def test_guarantee_visits_are_marked_everywhere(telegram: SandboxClient) -> None:
    worker = master(telegram)
    order = assigned(worker, type=OrderType.GUARANTEE, company_payment=2500)
    worker.chat.presses("Active orders")
    worker.chat.sees(f"🛡 #{order.pk}")
    worker.chat.presses(f"Open #{order.pk}")
    assert "the company pays 2\u00a0500\u00a0₽" in worker.chat.sees("Guarantee visit").text


def test_a_change_by_the_office_is_told_with_the_way_to_the_card(telegram: SandboxClient) -> None:
    worker = master(telegram)
    order = assigned(worker, house="12")
    notices.changed(order, ["rating"])  # nothing he must know
    notices.changed(order, ["house"])
    worker.chat.sees(f"The office has changed order #{order.pk}.")
    worker.chat.presses(f"Open #{order.pk}")
    worker.chat.sees("📞")
    outbox_is_empty()
    assert len([m for m in worker.chat.messages() if "has changed" in m.text]) == 0


def test_two_taps_and_two_phones_do_one_step(telegram: SandboxClient) -> None:
    worker = master(telegram)
    order = assigned(worker)
    worker.chat.presses("Active orders")
    worker.chat.presses(f"Open #{order.pk}")
    card = worker.chat.sees(f"Order #{order.pk}")
    for _ in range(2):
        worker.chat.presses_data(f"m:act:enr:{order.pk}:1", message=card)
    worker.chat.sees("On the way")
    assert OrderStatusHistory.objects.filter(order=order).count() == 1


def test_a_client_s_brackets_arrive(telegram: SandboxClient) -> None:
    """v1.2 lost the offer: Telegram refuses HTML it does not know."""
    order = OrderFactory(description="Течёт <кран> & <b>труба</b>")
    worker = master(telegram, order)
    offered(order, worker)
    assert "Течёт <кран> & <b>труба</b>" in worker.chat.sees(f"New order #{order.pk}").text


def test_before_the_acceptance_the_client_stays_unknown(telegram: SandboxClient) -> None:
    order = OrderFactory(apartment="17", address_comment="код 17#", client_name="Анна Клиентова")
    worker = master(telegram, order)
    offered(order, worker)
    shown = worker.chat.sees(f"New order #{order.pk}")
    worker.chat.sends("/menu")
    worker.chat.presses("New orders")
    listed = worker.chat.sees("Menu › New orders")
    for secret in ("flat 17", "код 17#", "Анна", "+7 999"):
        assert secret not in shown.text + listed.text
    assert "Phone" not in str(shown.buttons)


def test_who_lost_the_order_sees_the_client_no_more(telegram: SandboxClient) -> None:
    worker = master(telegram)
    order = assigned(worker, client_name="Анна Клиентова")
    worker.chat.presses("Active orders")
    worker.chat.presses(f"Open #{order.pk}")
    card = worker.chat.sees("Анна Клиентова")
    lifecycle.return_to_search(order_id=order.pk, actor=clerk(), reason="Не успевает")
    answer = worker.chat.presses_data(f"m:act:card:{order.pk}:1", message=card)
    assert "not yours any more" in answer.text
    worker.chat.gone("Анна Клиентова")
