"""What network, phone and person do to a dialog: restarts, two devices, double taps, forwards, long texts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bots import enclosures, fsm, text
from bots.sandbox import SandboxClient
from bots.sandbox.client import ChatClient
from bots.tests.conftest import Running
from bots.tests.e2e.applicants import begin, newcomer
from bots.tests.e2e.scene import master, offered, working
from bots.tests.e2e.test_closing import enter_sum
from finance.models import Commission
from finance.tests.factories import CommissionFactory, OwnerRequisitesFactory
from orders.enums import OrderStatus
from orders.models import Attachment, Order
from orders.tests.factories import OrderFactory
from staff.models import Master

pytestmark = pytest.mark.e2e


def asked_by(telegram: SandboxClient) -> dict[str, tuple[ChatClient, str]]:
    """Step → somebody who is asked just that, and what is said to a sticker."""
    found: dict[str, tuple[ChatClient, str]] = {}
    _order, closing = working(telegram)
    closing.chat.presses("Close")
    found["m:close:sum"] = closing.chat, "A number is expected here"
    _order, sending = working(telegram)
    enter_sum(sending.chat)
    found["m:close:act"] = sending.chat, "A photo or a scan (PDF) of the signed act is expected here."
    _order, pages = working(telegram)
    enter_sum(pages.chat)
    pages.chat.sends_album(2)
    pages.chat.sees("The act is accepted.")
    found["m:close:more"] = pages.chat, "Use the buttons, please."
    for step, address, sentence in (
        ("m:pf:phone", "m:pf:ph", "phone"),
        ("m:pf:ticks", "m:pf:t:skills", "Use the buttons below, please."),
        ("m:pf:plate", "m:pf:v:yes", "expected"),
        ("m:pf:payout", "m:pf:pay:by:CARD", "expected"),
    ):
        chat = master(telegram).chat
        chat.presses_data(address, message=chat.last())
        found[step] = chat, sentence
    debtor = master(telegram)
    debt = CommissionFactory(order=OrderFactory(in_payment=True, assigned_master=debtor.row), master=debtor.row)
    debtor.chat.presses_data(f"m:fin:cm:chk:{debt.pk}:1:aw", message=debtor.chat.last())
    found["m:fin:receipt"] = debtor.chat, "A photo or a scan (PDF) of the receipt is expected here."
    stranger = newcomer(telegram, id=4101)
    stranger.starts()
    stranger.sees("send the invite code")
    found["m:code"] = stranger, "invite code"
    applicant = begin(telegram, id=4102)
    applicant.presses("I agree")
    applicant.sees("surname")
    found["m:onb"] = applicant, "surname"
    return found


def test_a_restart_in_the_middle_of_every_dialog(launch: Callable[..., Running], telegram: SandboxClient) -> None:
    OwnerRequisitesFactory()
    first = launch("master")
    people = asked_by(telegram)
    assert set(people) == {step for step in fsm.STEPS if step.startswith("m:")}
    first.stop()
    launch("master")
    for step, (chat, sentence) in people.items():
        chat.sends_sticker()
        assert sentence.lower() in chat.sees("", fresh=True).text.lower(), step
        chat.sends("/start")
        chat.sees("", fresh=True)
    telegram.waits_idle("master")
    assert Commission.objects.count() == 2  # of the debtor, and of the album: nothing was done twice or by itself


@pytest.mark.usefixtures("bots")
def test_two_devices(telegram: SandboxClient) -> None:
    """Two screens of one person: each tap is answered where it was made, the dialog is one."""
    order, worker = working(telegram)
    chat = worker.chat
    here = chat.last()
    chat.sends("/menu")
    there = chat.sees("You are on shift", fresh=True)
    chat.presses_data(f"m:act:cls:{order.pk}", message=here)
    chat.sees("How much has the client paid")
    chat.presses_data("m:fin", message=there)  # the other screen is opened: the question is over
    chat.sends("3500")
    chat.sees("Use the buttons, please.", fresh=True)
    assert Order.objects.get(pk=order.pk).status == OrderStatus.WORKING
    texts = {message.id: message.text for message in chat.messages()}
    assert "How much has the client paid" in texts[here.id]
    assert "Finance" in texts[there.id]
    chat.presses_data(f"m:act:card:{order.pk}:1", message=here)
    chat.presses_data(f"m:act:card:{order.pk}:1", message=there)
    shown = {message.id: message.text for message in chat.messages()}
    assert shown[here.id] == shown[there.id]


@pytest.mark.usefixtures("bots")
def test_a_double_tap_in_flight_accepts_once(telegram: SandboxClient) -> None:
    order = OrderFactory(status=OrderStatus.SEARCHING)
    worker = master(telegram, order)
    offer = offered(order, worker)
    worker.chat.sees(f"New order #{order.pk}")
    for _ in range(4):
        worker.chat.presses_data(f"m:new:acc:{offer.pk}:0", waits=False)
    telegram.waits_idle("master")
    order.refresh_from_db()
    assert (order.status, order.assigned_master_id) == (OrderStatus.ASSIGNED, worker.row.pk)
    assert order.history.filter(to_status=OrderStatus.ASSIGNED).count() == 1
    assert len([m for m in worker.chat.messages() if f"Order #{order.pk}" in m.text]) == 1


@pytest.mark.usefixtures("bots")
def test_forwarded_messages(telegram: SandboxClient) -> None:
    worker = master(telegram)
    chat = worker.chat
    chat.forwards("New order: call me")
    chat.sees("Use the buttons, please.", fresh=True)
    chat.presses_data("m:pf:ph", message=chat.last())
    chat.shares_contact("+79990000077", user_id=999)
    chat.sees("", fresh=True)
    assert Master.objects.get(pk=worker.row.pk).phone == worker.row.phone  # somebody else's card is not his number
    chat.sends("/cancel")
    order, other = working(telegram)
    other.chat.presses("Close")
    other.chat.forwards("3500")
    other.chat.sees("— correct?", fresh=True)
    assert Order.objects.get(pk=order.pk).total_sum == 0


@pytest.mark.usefixtures("bots")
def test_long_texts_and_captions_arrive(telegram: SandboxClient) -> None:
    order, worker = working(telegram)
    chat = worker.chat
    enter_sum(chat)
    chat.sends_photo()
    chat.sees("The act is accepted.")
    Order.objects.filter(pk=order.pk).update(
        description="<&>" * 1300, address_comment="&" * 250, client_name="<b>" * 50, street_text="«" * 200
    )
    Attachment.objects.filter(entity_id=order.pk).update(caption="<&>" * 1000)
    chat.presses_data(f"m:act:card:{order.pk}:1", message=chat.last())
    card = chat.sees(f"Order #{order.pk}", fresh=True)
    assert len(card.text) <= text.LIMIT
    assert ["‹ Back", "🏠 Menu"] in card.buttons
    chat.presses_data(f"m:act:files:{order.pk}:1", message=chat.last())
    (caption,) = [message.text for message in chat.messages() if message.media and message.from_bot]
    assert len(caption) <= enclosures.CAPTION
    assert caption.endswith("…")


def test_help_keeps_every_dialog(launch: Callable[..., Running], telegram: SandboxClient) -> None:
    launch("master")
    for step, (chat, sentence) in asked_by(telegram).items():
        asked = chat.last()
        chat.sends("/help")
        chat.sees("How it works", fresh=True)
        shown = next(message for message in chat.messages() if message.id == asked.id)
        assert shown.buttons == asked.buttons, step  # the question can still be answered by its buttons
        chat.sends_sticker()
        assert sentence.lower() in chat.sees("", fresh=True).text.lower(), step
