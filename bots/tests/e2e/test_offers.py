"""Offers: the push, the list, deadlines, races, masters who cannot be reached."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from bots.sandbox import SandboxClient
from bots.tests.e2e.scene import eventually, master, offered, outbox_is_empty
from fieldservice.lib.actor import Actor
from fieldservice.outbox.models import Notification, Outcome
from orders.enums import OfferState, OrderStatus, OrderType
from orders.models import Offer
from orders.services import offer_writer, offers
from orders.tests.factories import OfferFactory, OrderFactory

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]


def expire(offer: Offer) -> None:
    # what is being written down as delivered is left to the next tick, and there is none here
    eventually(lambda: Offer.objects.get(pk=offer.pk).delivered_at)
    past = timezone.now() - timedelta(seconds=1)
    Offer.objects.filter(pk=offer.pk).update(expires_at=past, delivered_at=past)
    offers.expire_due(now=timezone.now())


def test_the_push_is_quick_and_starts_the_clock(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order)
    offer = offered(order, worker)
    worker.chat.sees(f"New order #{order.pk}", timeout=1.0)
    eventually(lambda: Offer.objects.get(pk=offer.pk).delivered_at)
    offer.refresh_from_db()
    assert offer.expires_at - offer.delivered_at >= timedelta(seconds=120)


def test_an_expired_offer_says_so_in_its_message(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order)
    offer = offered(order, worker)
    worker.chat.sees("Answer until")
    expire(offer)
    ended = worker.chat.sees("Time is up: the order went on to other masters.")
    assert ended.buttons == [["🏠 Menu"]]
    assert worker.chat.presses_data(f"m:new:acc:{offer.pk}:0", message=ended).alert
    assert "Time is up" in worker.chat.toast()


def test_the_list_leads_to_the_card_and_back(telegram: SandboxClient) -> None:
    worker = master(telegram)
    orders = [OfferFactory(master=worker.row).order for _ in range(7)]
    worker.chat.presses("New orders")
    worker.chat.sees("Page 1 of 2")
    worker.chat.presses("▶")
    worker.chat.sees("Page 2 of 2")
    worker.chat.presses(f"Open #{orders[0].pk}")
    worker.chat.sees(f"New order #{orders[0].pk}", fresh=True)
    assert Offer.objects.get(order=orders[0]).state == OfferState.VIEWED
    worker.chat.presses("Back")
    worker.chat.sees("Page 2 of 2", fresh=True)


def test_declining_needs_a_second_tap(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order)
    offer = offered(order, worker)
    worker.chat.sees("Answer until")
    worker.chat.presses("Decline")
    worker.chat.sees(f"Decline order #{order.pk}?")
    worker.chat.presses("No, keep it")
    worker.chat.sees("Answer until", fresh=True)
    worker.chat.presses("Decline")
    assert worker.chat.presses("Yes, decline").text == "Declined: the order goes to another master."
    worker.chat.sees("There are no new orders now")
    offer.refresh_from_db()
    assert offer.state == OfferState.DECLINED


def test_double_taps_and_stale_buttons_tell_the_truth(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order)
    offer = offered(order, worker)
    pushed = worker.chat.sees("Answer until")
    answers = [worker.chat.presses_data(f"m:new:acc:{offer.pk}:0", message=pushed) for _ in range(2)]
    assert answers[0].text == "The order is yours."
    assert "already yours" in answers[1].text
    worker.chat.sees("📞")  # the card, and no copy of it
    assert len([m for m in worker.chat.messages() if m.from_bot]) == 2
    # v1.2: an old Decline turned an accepted offer into a declined one
    refused = worker.chat.presses_data(f"m:new:dec_yes:{offer.pk}:0", message=pushed)
    assert refused.alert
    assert "already yours" in refused.text
    offer.refresh_from_db()
    assert offer.state == OfferState.ACCEPTED
    worker.chat.sends("/menu")
    worker.chat.presses("New orders")
    worker.chat.sees("There are no new orders now", fresh=True)
    worker.chat.presses("Menu")
    worker.chat.presses("Active orders")
    worker.chat.sees(f"#{order.pk}", fresh=True)


def test_losers_are_told_in_the_message_itself(telegram: SandboxClient) -> None:
    order = OrderFactory()
    quick, slow = master(telegram, order), master(telegram, order)
    for worker in (quick, slow):
        offered(order, worker)
        worker.chat.sees("Answer until")
    quick.chat.presses("Accept")
    slow.chat.sees("Another master has taken this order.")
    slow.chat.does_not_see("Answer until")


def test_accepting_in_the_list_ends_the_pushed_message_too(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order)
    offered(order, worker)
    pushed = worker.chat.sees("Answer until")
    worker.chat.sends("/start")
    worker.chat.presses("New orders (1)")
    worker.chat.presses(f"Open #{order.pk}")
    worker.chat.presses("Accept")
    worker.chat.sees("You have accepted this order.")
    shown = {m.id: m for m in worker.chat.messages()}
    assert "You have accepted" in shown[pushed.id].text


def test_edits_do_not_overwrite_what_the_message_became(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order)
    offer = offered(order, worker)
    worker.chat.sees("Answer until")
    worker.chat.presses("Accept")
    worker.chat.sees("📞")
    offer_writer.redraw([offer])
    outbox_is_empty()
    worker.chat.sees("📞")
    worker.chat.does_not_see("You have accepted")


def test_a_blocked_bot_frees_the_offer_at_once(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order)
    person = telegram.people()[0]
    person.blocks("master")
    offer = offered(order, worker)
    outbox_is_empty()
    eventually(lambda: Offer.objects.get(pk=offer.pk).state == OfferState.EXPIRED)
    offer.refresh_from_db()
    assert (offer.state, offer.close_reason) == (OfferState.EXPIRED, "undeliverable")
    worker.row.refresh_from_db()
    assert worker.row.unreachable_at is not None
    worker.chat.starts()  # back again: offers are possible
    worker.chat.sees("You are on shift", fresh=True)
    worker.row.refresh_from_db()
    assert worker.row.unreachable_at is None


def test_a_guarantee_offer_names_payment_and_consequence(telegram: SandboxClient) -> None:
    order = OrderFactory(type=OrderType.GUARANTEE, status=OrderStatus.GUARANTEE, company_payment=2500)
    worker = master(telegram, order)
    order.preferred_master = worker.row
    order.save(update_fields=["preferred_master"])
    offered(order, worker)
    pushed = worker.chat.sees("Guarantee visit")
    assert "2\u00a0500\u00a0₽" in pushed.text
    assert "you will be blocked" in pushed.text
    worker.chat.presses("Decline")
    worker.chat.sees("declining blocks you")


def test_an_offer_that_ended_before_it_was_sent_is_not_sent(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order)
    telegram.faults.add("500", method="sendMessage", times=2)
    offer = offered(order, worker)
    offers.decline(offer_id=offer.pk, actor=Actor.of_master(worker.row))
    outbox_is_empty()
    worker.chat.does_not_see(f"#{order.pk}", within=0.3)


def test_an_edit_of_a_deleted_message_is_done_with(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order)
    offer = offered(order, worker)
    worker.chat.sees("Answer until")
    outbox_is_empty()
    telegram.faults.add("400", method="editMessageText", description="Bad Request: message to edit not found")
    expire(offer)
    outbox_is_empty()
    assert set(Notification.objects.values_list("outcome", flat=True)) == {Outcome.SENT}
    assert len([m for m in worker.chat.messages() if m.from_bot]) == 2


def test_an_offer_of_another_master_cannot_be_opened(telegram: SandboxClient) -> None:
    order = OrderFactory()
    owner, thief = master(telegram, order), master(telegram, order)
    offer = offered(order, owner)
    menu = thief.chat.sees("You are on shift")
    for address in (f"m:new:acc:{offer.pk}:0", f"m:new:card:{offer.pk}:1", f"m:new:dec_yes:{offer.pk}:0"):
        assert "no such offer" in thief.chat.presses_data(address, message=menu).text
    offer.refresh_from_db()
    assert offer.state == OfferState.SENT
