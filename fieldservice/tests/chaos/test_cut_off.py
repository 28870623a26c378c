"""Two hosts; the one that holds everything is cut off in the middle of its work, and comes back later."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction
from django.utils import timezone

from bots.sandbox.client import ChatClient
from bots.tests.e2e.replicas import SECRET, Proxy, free_ports
from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Lane, Notification
from fieldservice.runtime.models import Heartbeat
from fieldservice.tests.chaos import checker
from fieldservice.tests.chaos.hosts import HOOK_PORT, Campus, impossible
from fieldservice.tests.chaos.people import Cast
from fieldservice.tests.chaos.processes import until
from fieldservice.tests.chaos.test_kills import backends
from orders.enums import OrderStatus
from orders.models import Offer, Order
from staff.models import Master

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.skipif(bool(impossible()), reason=impossible())]
Install = Callable[..., Campus]
MASTERS, ORDERS, NEWS = 20, 40, 600
#: seconds: PostgreSQL gives up a host it sends to after 20, one that is silent after 25; leases last 60
UNLOCKED, TAKEN_OVER, HEALED = 40.0, 100.0, 60.0


class Story:
    """The installation, its masters' phones, and a clock for what lasts how long."""

    def __init__(self, site: Campus) -> None:
        self.site, self.cast = site, Cast(masters=MASTERS, districts=1)
        Master.objects.update(max_active_orders_override=3)  # else all are offered to one, at a message a second
        self.sandbox = site.sandbox(timeout=60)
        self.phones: dict[int, ChatClient] = {}
        for master in self.cast.masters:
            person = self.sandbox.person("M", id=master.tg_user_id, language="en")
            person.chat("master").acts("start", payload="")
            self.phones[master.tg_user_id or 0] = person.chat("master")
        self.figures: dict[str, float] = {}

    def order(self, key: str) -> int:
        return self.cast.new_order(key, self.cast.districts[0])

    def wait(self, what: str, condition: Callable[[], object], seconds: float, since: float) -> None:
        """Until it is so, and how long it took since then."""
        until(condition, seconds - (time.monotonic() - since), what)
        self.figures[what] = round(time.monotonic() - since, 1)

    def works(self, key: str, since: float, seconds: float) -> None:
        """A new order reaches a master, who takes it."""
        order = self.order(key)
        offers = Offer.objects.filter(order_id=order, delivered_at__isnull=False)
        self.wait(f"{key}: offered", offers.exists, seconds, since)
        offer = offers.select_related("master").get()
        chat = self.phones[offer.master.tg_user_id or 0]
        place = next(
            (m["id"], b["value"])
            for m in reversed(chat.view()["messages"])
            for row in m["buttons"]
            for b in row
            if b["value"].startswith(f"m:new:acc:{offer.pk}:")
        )
        chat.presses_data(place[1], message=place[0])
        until(lambda: Order.objects.get(pk=order).status == OrderStatus.ASSIGNED, 30, "not accepted")

    def broadcast(self) -> None:
        """Something to be sent for a minute, each with a text of its own."""
        outbox.enqueue(
            outbox.Message(
                event="news",
                payload={"message": f"news {n}"},
                master_id=self.cast.masters[n % MASTERS].pk,
                lane=Lane.BROADCAST,
            )
            for n in range(NEWS)
        )

    def copies(self) -> Counter[str]:
        """Text of the broadcast → how many messages with it there are."""
        views = (self.sandbox.wire.get("chats", f"{person}:master", last=1000) for person in self.phones)
        texts = (message["text"] for view in views for message in view["messages"])
        return Counter(text for text in texts if text.startswith("news "))


@pytest.fixture
def story(install: Install) -> Iterator[Story]:
    """Both hosts have a replica; host `a` has the seat."""
    (port,) = free_ports(1)
    proxy = Proxy(port, [f"198.18.77.{n}:{HOOK_PORT}" for n in (2, 3)], patience=10)
    site = install(
        Campus, WEBHOOK_URL=f"http://127.0.0.1:{port}/hooks", WEBHOOK_SECRET=SECRET, DISTRIBUTION_SLA_SECONDS="600"
    )
    with proxy:
        site.start_on("a", "admin_bot", "master_bot")
        site.up()
        until(lambda: '"seat_taken"' in site.log_of("a_master_bot"), 30, "nobody delivers")
        site.start_on("b", "master_bot")
        site.up()
        told = Story(site)
        for phone in told.phones.values():
            phone.sees("on shift")
        yield told


def test_the_other_host_goes_on_and_this_one_comes_back(story: Story) -> None:
    site = story.site
    for number in range(ORDERS):
        story.order(f"batch-{number}")
    story.sandbox.faults.add("slow", bot="master", method="sendMessage", seconds=1)
    story.broadcast()
    with transaction.atomic():
        # a batch has written its offers and messages when it comes to its log: there it waits
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE dispatch_decisions IN ACCESS EXCLUSIVE MODE")
        site.start_on("a", "worker", "beat")
        until(lambda: backends("wait_event_type = 'Lock' AND query LIKE '%%dispatch_decisions%%'"), 60, "no batch")
        site.start_on("b", "worker", "beat")
        time.sleep(4)
        leased = Notification.objects.filter(event="news", leased_until__isnull=False, processed_at=None)
        until(lambda: sum(story.copies().values()) > NEWS / 8, 60, "nothing is delivered")
        site.hosts["a"].cut()
        cut = time.monotonic()
        held = set(leased.values_list("payload__message", flat=True))
    assert held
    time.sleep(2)  # what Telegram had in hand it has done; nobody has heard of it
    before = story.copies()
    story.sandbox.faults.clear()
    goes_on(story, cut, held, before)
    site.hosts["a"].join()
    comes_back(story, time.monotonic(), held)
    print(f"\n{story.figures}\nheld {len(held)}, copies {sum(n - 1 for n in story.copies().values())}")
    print({process.name: (process.restarts, process.codes) for process in site.processes.values()})


def goes_on(story: Story, cut: float, held: set[str], before: Counter[str]) -> None:
    """Without host `a`: its locks, its seat and its messages are taken over, each within its bound."""
    site = story.site
    story.wait("seat", lambda: '"seat_taken"' in site.log_of("b_master_bot"), UNLOCKED, cut)
    offered = Offer.objects.values("order_id").distinct()
    story.wait("all orders offered", lambda: offered.count() == ORDERS, UNLOCKED + 10, cut)
    story.works("during", time.monotonic(), 10)
    others = UNLOCKED + NEWS / MASTERS + 20  # a chat gets one a second
    story.wait("others' messages", lambda: len(story.copies().keys() | held) == NEWS, others, cut)
    rows = Notification.objects.filter(bot="master", processed_at=None).exclude(event="alive")
    story.wait("leases taken over", lambda: not rows.exists(), TAKEN_OVER, cut)
    copies = story.copies()
    assert len(copies) == NEWS
    assert {text for text, n in copies.items() if n > 1} <= held & before.keys()  # sent, but the answer was cut
    assert checker.double_messages(story.sandbox, story.phones) == 0
    assert checker.missing_messages(story.sandbox, story.phones) == []


def comes_back(story: Story, joined: float, held: set[str]) -> None:
    """Host `a` finds its way by itself, and can do everything alone when `b` is switched off."""
    site = story.site
    since = timezone.now()
    story.wait("admin bot", Heartbeat.objects.filter(name="admin_bot", beat_at__gt=since).exists, HEALED, joined)
    # what was under way when the cable was pulled may arrive now: only of messages whose answer was cut
    time.sleep(10)
    copies = story.copies()
    assert {text for text, n in copies.items() if n > 1} <= held
    assert max(copies.values()) <= 2
    for process in site.of("b"):
        site.kill(process.name, stay_dead=True)
    story.works("afterwards", time.monotonic(), HEALED)
    assert all(process.running for process in site.of("a"))
    until(lambda: not checker.unsent(), 60, f"{checker.unsent()}")
    assert (checker.doubled_rows(), checker.wrong_winners(), checker.money()) == ([], [], [])
    assert checker.double_messages(story.sandbox, story.phones) == 0
