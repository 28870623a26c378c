"""The countdown of an offer ticks on the screen, and never draws over what the screen became."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from bots import live
from bots.delivery.limits import PER_TOKEN, Limits
from bots.sandbox import SandboxClient
from bots.tests.e2e.scene import Worker, eventually, master, offered
from orders.models import Offer
from orders.tests.factories import OfferFactory, OrderFactory

pytestmark = pytest.mark.e2e
LEFT = re.compile(r"\((\d+) seconds left\)")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "ROUND", 0.1)
    monkeypatch.setattr(live, "PERIOD", 0.4)


def left(worker: Worker) -> int:
    found = LEFT.search(worker.chat.sees("Answer until").text)
    assert found
    return int(found[1])


@pytest.mark.usefixtures("bots")
def test_it_ticks_in_the_push_and_ends_with_the_answer(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order)
    offered(order, worker)
    first = left(worker)
    eventually(lambda: left(worker) <= first - 2)
    pushed = worker.chat.sees("Answer until")
    assert pushed.edits >= 2
    worker.chat.presses("Decline")
    worker.chat.sees("Decline order")
    time.sleep(1)
    worker.chat.sees("Decline order")  # the question is not drawn over
    worker.chat.presses("No, keep it")
    again = left(worker)
    eventually(lambda: left(worker) < again)
    worker.chat.presses("Accept")
    worker.chat.sees("📞")
    time.sleep(1)
    worker.chat.does_not_see("Answer until")
    assert len([m for m in worker.chat.messages() if m.from_bot]) == 2


@pytest.mark.usefixtures("bots")
def test_it_ticks_in_the_list_s_card_and_says_how_it_ended(telegram: SandboxClient) -> None:
    worker = master(telegram)
    offer = OfferFactory(master=worker.row)
    worker.chat.presses("New orders")
    worker.chat.presses(f"Open #{offer.order_id}")
    first = left(worker)
    eventually(lambda: left(worker) < first)
    Offer.objects.filter(pk=offer.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    ended = worker.chat.sees("Time is up")
    assert "Back" in str(ended.buttons)
    worker.chat.presses("Menu")
    time.sleep(0.6)
    worker.chat.sees("You are on shift")


def test_it_goes_on_after_a_restart(telegram: SandboxClient, launch: Callable[..., Any]) -> None:
    running = launch("master")
    order = OrderFactory()
    worker = master(telegram, order)
    offered(order, worker)
    left(worker)
    running.stop()
    edits = worker.chat.sees("Answer until").edits
    launch("master")
    eventually(lambda: worker.chat.sees("Answer until").edits > edits + 1)


@pytest.mark.usefixtures("bots")
def test_a_deleted_message_ticks_no_more(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order)
    telegram.faults.add("400", method="editMessageText", description="Bad Request: message to edit not found")
    offered(order, worker)
    worker.chat.sees("Answer until")
    time.sleep(1.5)
    edits = [call for call in telegram.calls(method="editMessageText") if call["status"] == 400]
    assert len(edits) <= 1


def test_half_of_the_window_is_left_to_what_matters() -> None:
    limits = Limits()
    chats = 0
    while limits.has_room(chats):
        limits.take(chats)
        chats += 1
    assert chats == PER_TOKEN[0] // 2
