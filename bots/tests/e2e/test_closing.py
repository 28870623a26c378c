"""Closing an order: what people really send, restarts, albums, guarantee visits."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from bots import fsm
from bots.sandbox import SandboxClient
from bots.tests.conftest import Running
from bots.tests.e2e.scene import eventually, working
from bots.throttle import Throttle
from finance.models import Commission
from finance.tests.factories import OwnerRequisitesFactory
from orders.enums import OrderStatus, OrderType
from orders.models import Attachment, OrderStatusHistory

pytestmark = pytest.mark.e2e


def enter_sum(chat: object, text: str = "3500,50") -> None:
    chat.presses("Close")
    chat.sees("How much has the client paid")
    chat.sends(text)
    chat.sees("— correct?")
    chat.presses("Yes")
    chat.sees("Now send the signed act")


@pytest.mark.usefixtures("bots")
def test_wrong_input_is_told_what_is_expected_and_nothing_is_lost(telegram: SandboxClient) -> None:
    order, worker = working(telegram)
    chat = worker.chat
    chat.presses("Close")
    chat.sends_sticker()
    chat.sees("A number is expected here", fresh=True)
    chat.sends("a lot")
    chat.sees("The sum must be a number", fresh=True)
    chat.sends("0")
    chat.sees("The sum must be a number", fresh=True)
    chat.sends("12 000,50 руб")
    chat.sees("12\u00a0000,50\u00a0₽ — correct?", fresh=True)
    chat.presses("Change")
    chat.sees("How much has the client paid", fresh=True)
    chat.sends("3500")
    chat.presses("Yes")
    for send in (chat.sends_video, chat.sends_sticker, chat.sends_voice, lambda: chat.sends("done")):
        send()
        chat.sees("A photo or a scan (PDF) of the signed act is expected here.", fresh=True)
    chat.sends_document(b"PK", "act.zip", mime="application/zip")
    chat.sees("Only photos, pictures and PDF files are accepted.", fresh=True)
    chat.sends_document(b"%PDF", "act.pdf", mime="application/pdf", size=30 * 1024 * 1024)
    chat.sees("larger than 20 MB", fresh=True)
    chat.sends_document(b"%PDF-1.4", "act.pdf", mime="application/pdf")
    chat.sees("The act is accepted.", fresh=True)
    assert Commission.objects.get(order=order).order.total_sum == Decimal(3500)
    assert [m for m in chat.messages() if "expected here" in m.text and m.buttons] == []  # old questions are closed


@pytest.mark.usefixtures("bots")
def test_an_album_is_kept_whole_and_closes_once(telegram: SandboxClient) -> None:
    OwnerRequisitesFactory()
    order, worker = working(telegram)
    enter_sum(worker.chat)
    worker.chat.sends_album(5)
    worker.chat.sees("The act is accepted.")
    telegram.waits_idle("master")
    eventually(lambda: Attachment.objects.filter(entity_id=order.pk, document_type="act").count() == 5)
    assert Commission.objects.filter(order=order).count() == 1
    assert OrderStatusHistory.objects.filter(order=order, to_status=OrderStatus.PAYMENT).count() == 1
    assert len([m for m in worker.chat.messages() if "The act is accepted" in m.text]) == 1
    worker.chat.does_not_see("Use the buttons")
    worker.chat.sends_photo()
    worker.chat.sees("Use the buttons, please.")  # a later photo is no page


@pytest.mark.usefixtures("bots")
def test_a_guarantee_visit_needs_the_act_only(telegram: SandboxClient) -> None:
    order, worker = working(telegram, type=OrderType.GUARANTEE)
    worker.chat.presses("Close")
    worker.chat.sees("Now send the signed act")
    worker.chat.sends_photo()
    worker.chat.sees(f"Order #{order.pk} is closed.")
    order.refresh_from_db()
    assert (order.status, order.total_sum) == (OrderStatus.CLOSED, 0)
    assert not Commission.objects.exists()


def test_a_restart_in_the_middle_loses_nothing(launch: Callable[..., Running], telegram: SandboxClient) -> None:
    first = launch("master")
    order, worker = working(telegram)
    enter_sum(worker.chat)
    first.stop()
    worker.chat.sends_photo()  # while the bot is away
    launch("master")
    worker.chat.sees("The act is accepted.")
    order.refresh_from_db()
    assert (order.status, order.total_sum) == (OrderStatus.PAYMENT, Decimal("3500.50"))


@pytest.mark.usefixtures("bots")
def test_another_section_ends_the_dialog(telegram: SandboxClient) -> None:
    order, worker = working(telegram)
    worker.chat.presses("Close")
    worker.chat.sends("/menu")
    worker.chat.sees("You are on shift", fresh=True)
    worker.chat.presses("Finance")
    worker.chat.sees("You owe nothing")
    worker.chat.sends("3500")  # v1.2 took this for the sum
    worker.chat.sees("Use the buttons, please.")
    order.refresh_from_db()
    assert order.status == OrderStatus.WORKING


@pytest.mark.usefixtures("bots")
def test_cancel_leads_back_to_the_card(telegram: SandboxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Throttle, "allows", lambda *args: True)  # nobody is that quick
    order, worker = working(telegram)
    for answers in ((), ("3500",), ("3500", "Yes")):
        worker.chat.presses("Close")
        worker.chat.sees("How much has the client paid", fresh=True)
        for answer in answers:
            worker.chat.presses(answer) if answer == "Yes" else worker.chat.sends(answer)
            worker.chat.sees("signed act" if answer == "Yes" else "— correct?", fresh=True)
        assert worker.chat.presses("Cancel").text == "Canceled: the order is not closed."
        worker.chat.sees(f"Order #{order.pk}", fresh=True)
        worker.chat.presses("Map")  # the whole card
        worker.chat.sends("3500")
        worker.chat.sees("Use the buttons, please.", fresh=True)  # nothing is asked any more
        worker.chat.presses("Active orders")
        worker.chat.presses(f"Open #{order.pk}")
    worker.chat.presses("Close")
    worker.chat.sends("/cancel")
    worker.chat.sees("Canceled.")
    worker.chat.sends_photo()
    worker.chat.sees("Use the buttons, please.", fresh=True)


@pytest.mark.usefixtures("bots")
def test_a_dialog_times_out_with_a_notice(telegram: SandboxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    order, worker = working(telegram)
    enter_sum(worker.chat)
    monkeypatch.setattr(fsm, "IDLE_SECONDS", 0.01)
    time.sleep(0.05)
    worker.chat.sends_photo()
    worker.chat.sees("The dialog has timed out. Nothing was changed.")
    order.refresh_from_db()
    assert order.status == OrderStatus.WORKING


@pytest.mark.usefixtures("bots")
def test_old_buttons_of_the_dialog_are_harmless(telegram: SandboxClient) -> None:
    order, worker = working(telegram)
    worker.chat.presses("Close")
    worker.chat.sends("3500")
    check = worker.chat.sees("— correct?")
    worker.chat.presses("Yes")
    worker.chat.sends("/menu")
    worker.chat.sees("You are on shift", fresh=True)
    answer = worker.chat.presses_data(f"m:act:cls:ok:{order.pk}", message=check)
    assert "not known any more" in answer.text
    worker.chat.sees("🔧", fresh=True)


@pytest.mark.usefixtures("bots")
def test_sums_are_taken_as_people_type_them(telegram: SandboxClient) -> None:
    _order, worker = working(telegram)
    worker.chat.presses("Close")
    for typed in ("3 500", "3500,00", "3500.0", "3\u00a0500 ₽", "3500 руб."):
        worker.chat.sends(typed)
        worker.chat.sees("3\u00a0500\u00a0₽ — correct?", fresh=True)
    worker.chat.forwards("4 000", "The client")  # a forwarded message is a message
    worker.chat.sees("4\u00a0000\u00a0₽ — correct?", fresh=True)


@pytest.mark.usefixtures("bots")
def test_an_act_sent_too_early_keeps_the_sum(telegram: SandboxClient) -> None:
    order, worker = working(telegram)
    chat = worker.chat
    chat.presses("Close")
    chat.sends("3500")
    chat.sees("— correct?")
    for send, sentence in ((chat.sends_photo, "Confirm the sum first"), (lambda: chat.sends("ok"), "must be a number")):
        send()
        asked = chat.sees(sentence, fresh=True)
        assert "3\u00a0500\u00a0₽ — correct?" in asked.text
        assert asked.buttons[0] == ["✅ Yes", "✏️ Change"]
    chat.presses("Yes")
    chat.sees("Now send the signed act")
    chat.sends_photo()
    chat.sees("The act is accepted.")
    order.refresh_from_db()
    assert order.total_sum == Decimal(3500)
