"""One blow at a time, at the worst moment."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from bots.sandbox.client import ChatClient
from fieldservice.outbox.models import Notification
from fieldservice.tests.chaos import checker
from fieldservice.tests.chaos.people import Cast
from fieldservice.tests.chaos.processes import Installation, until
from finance.models import Commission
from orders.enums import OfferState, OrderStatus
from orders.models import Offer, Order
from staff.models import Master

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
Install = Callable[..., Installation]
#: a settle that waits for a row
BLOCKED = "wait_event_type = 'Lock' AND query LIKE 'UPDATE \"notifications_outbox\"%%'"
ALL = ("worker", "beat", "master_bot", "admin_bot")


class Scene:
    """An installation at work, its company, the masters' phones by Telegram id."""

    def __init__(
        self, install: Install, *, masters: int = 1, processes: tuple[str, ...] = ALL, **settings: str
    ) -> None:
        self.site = install(**settings)
        self.cast = Cast(masters=masters, districts=1)
        self.phones = {pk: self.phone(pk, "master") for pk in (m.tg_user_id or 0 for m in self.cast.masters)}
        for member in (self.cast.logist, self.cast.admin):
            self.phone(member.tg_user_id or 0, "admin")
        self.site.start(*processes)
        self.site.up(*processes)
        for chat in self.phones.values():
            chat.sees("on shift")

    def phone(self, tg_user_id: int, bot: str) -> ChatClient:
        """A person who has pressed Start."""
        person = self.site.sandbox(timeout=30).person(f"P{tg_user_id}", id=tg_user_id, language="en")
        person.chat(bot).acts("start", payload="")
        return person.chat(bot)

    def order(self, key: str = "order") -> int:
        """A new order in the one district."""
        return self.cast.new_order(key, self.cast.districts[0])

    def phone_of(self, offer: Offer) -> ChatClient:
        """Where the offer is to be seen."""
        return self.phones[offer.master.tg_user_id or 0]

    def kill_while_sending(self) -> Offer:
        """An offer reaches the phone, but the bot is dead before it can write that down."""
        self.site.sandbox().faults.add("slow", bot="master", method="sendMessage", seconds=2, times=1)
        self.order()
        claimed = Notification.objects.filter(event="offer", leased_until__isnull=False)
        until(claimed.exists, 15, "no claim")
        offer = Offer.objects.get()
        with transaction.atomic():
            list(claimed.select_for_update())
            self.phone_of(offer).sees(f"New order #{offer.order_id}")
            until(lambda: backends(BLOCKED), 10, "nobody writes the delivery down")
            self.site.kill("master_bot")
            # the server would finish the statement of a client that is no more
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {BLOCKED}", [])
        offer.refresh_from_db()
        assert offer.delivered_at is None
        assert claimed.get().processed_at is None
        return offer


def processed(event: str = "offer") -> bool:
    return not Notification.objects.filter(event=event, processed_at=None).exists()


def test_an_offer_sent_by_a_bot_that_died_can_be_accepted(install: Install) -> None:
    scene = Scene(install, DISTRIBUTION_SLA_SECONDS="120")
    offer = scene.kill_while_sending()
    scene.site.up()
    assert "yours" in scene.phone_of(offer).presses("Accept").text
    assert Order.objects.get(pk=offer.order_id).status == OrderStatus.ASSIGNED
    # once its lease is over the row is looked at again, and is no longer true: nothing is sent twice
    until(processed, 75, "the row waits")
    assert checker.offers_on_screens(scene.site.sandbox(), scene.phones) == {(5001, offer.order_id): 1}


def test_an_offer_sent_by_a_bot_that_died_runs_out_in_time(install: Install) -> None:
    scene = Scene(install, masters=2, DISTRIBUTION_SLA_SECONDS="25")
    first = scene.kill_while_sending()
    asked = Offer.objects.filter(order_id=first.order_id).exclude(pk=first.pk)
    until(asked.exists, 45, "nobody else was asked")
    scene.site.up()
    assert scene.phone_of(asked.get()).sees(f"New order #{first.order_id}")
    assert "Time is up" in scene.phone_of(first).presses("Accept").text
    assert "yours" in scene.phone_of(asked.get()).presses("Accept").text


def test_a_close_dialog_survives_the_bot(install: Install) -> None:
    scene = Scene(install)
    (chat,) = scene.phones.values()
    order = scene.order()
    chat.presses("Accept")
    for button in ("On my way", "On site", "Close"):
        chat.presses(button)
    scene.site.kill("master_bot")
    chat.sends("3 500,50")  # nobody is there to read it
    chat.sees("correct?", timeout=30)
    scene.site.kill("master_bot")
    chat.presses("Yes", timeout=30)
    scene.site.kill("master_bot")
    chat.sends_photo()
    chat.sees("The act is accepted", timeout=30)
    closed = Order.objects.get(pk=order)
    assert (closed.status, str(closed.total_sum)) == (OrderStatus.PAYMENT, "3500.50")
    assert Commission.objects.filter(order_id=order).count() == 1


def test_a_worker_killed_in_its_batch_loses_and_doubles_nothing(install: Install) -> None:
    scene = Scene(install, masters=8, processes=("master_bot", "admin_bot"), DISTRIBUTION_SLA_SECONDS="120")
    Master.objects.update(max_active_orders_override=50)
    orders = [scene.order(f"batch-{n}") for n in range(200)]
    with transaction.atomic():
        # a batch has written its offers and messages when it comes to its log: there it waits
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE dispatch_decisions IN ACCESS EXCLUSIVE MODE")
        scene.site.start("worker", "beat")
        until(lambda: backends("wait_event_type = 'Lock' AND query LIKE '%%dispatch_decisions%%'"), 40, "no batch")
        scene.site.kill("worker")
        assert not Offer.objects.exists()
    until(lambda: Offer.objects.values("order_id").distinct().count() == len(orders), 30, "orders without an offer")
    until(processed, 90, "offers not sent")
    assert Offer.objects.count() == len(orders)
    assert checker.double_messages(scene.site.sandbox(), scene.phones) == 0
    assert checker.missing_messages(scene.site.sandbox(), scene.phones) == []


def backends(condition: str) -> int:
    """How many other connections of this database are in that state."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else the picture stays the same in a transaction
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}",
            [],
        )
        return int(cursor.fetchone()[0])


def test_the_tick_finds_orders_whose_wake_up_was_lost(install: Install) -> None:
    scene = Scene(install, masters=3, processes=("beat", "master_bot", "admin_bot"))
    orders = [scene.order(f"lost-{n}") for n in range(5)]
    scene.site.flush_redis()
    scene.site.start("worker")
    until(lambda: Offer.objects.values("order_id").distinct().count() == len(orders), 15, "orders without an offer")


def test_without_a_beat_orders_come_in_and_afterwards_all_is_made_up_for(install: Install) -> None:
    scene = Scene(install, masters=3)
    scene.site.kill("beat", stay_dead=True)
    order = scene.order()
    until(lambda: Offer.objects.filter(order_id=order, delivered_at__isnull=False).exists(), 5, "no offer")
    time.sleep(30)
    assert Offer.objects.get().state == OfferState.SENT  # nobody is there to end it
    scene.site.start("beat")
    until(lambda: Offer.objects.filter(order_id=order).count() >= 2, 15, "the next master was not asked")


def test_the_second_copy_of_a_bot_ends_for_good(install: Install) -> None:
    scene = Scene(install)
    site = scene.site
    site.start("master_bot2")
    bots = [site.processes[name] for name in ("master_bot", "master_bot2")]
    until(lambda: [78] in [bot.codes for bot in bots], 40, "both copies run")
    time.sleep(5)  # a supervisor that did not know the code would have restarted it
    loser, winner = sorted(bots, key=lambda bot: bot.codes, reverse=True)
    assert (loser.running, loser.restarts, winner.running, winner.codes) == (False, 0, True, [])
    assert Notification.objects.filter(event="alert", dedup_key__startswith="conflict:master").count() == 1
    scene.order()
    (chat,) = scene.phones.values()
    assert "yours" in chat.presses("Accept").text


def test_a_worker_goes_on_after_the_database_was_restarted(install: Install) -> None:
    scene = Scene(install, masters=3)
    scene.order("before")
    until(lambda: Offer.objects.exists(), 10, "no offer")
    scene.site.restart_postgres()
    connection.close()
    order = scene.order("after")
    began = time.monotonic()
    until(lambda: Offer.objects.filter(order_id=order).exists(), 60, "no offer after the restart")
    assert time.monotonic() - began < 15
