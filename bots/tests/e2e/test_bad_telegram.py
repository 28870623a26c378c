"""The pump on bad days: every kind of fault at once, and a broadcast of ten thousand in the way."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bots.delivery import send, settle
from bots.sandbox import SandboxClient
from bots.tests.conftest import Running
from bots.tests.e2e.scene import Worker, eventually, master
from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Lane, Notification, Outcome
from fieldservice.outbox.services import Message
from staff.models import Master
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.e2e
#: the shares of the goals
FAULTS: tuple[tuple[str, float, dict[str, Any]], ...] = (
    ("429", 0.05, {"retry_after": 1}),
    ("500", 0.01, {}),
    ("502", 0.01, {}),
    ("hang", 0.01, {"seconds": 3}),
    ("cut", 0.01, {}),
)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience of a test: a hung call is given up after a second, not after fifteen."""
    monkeypatch.setattr(send, "TIMEOUT", 1)
    monkeypatch.setattr(settle, "LONGEST_ELSE", 3)
    monkeypatch.setattr(settle, "LONGEST", {Lane.OFFER: 1, Lane.PERSONAL: 2})


def tell(people: list[Worker], rounds: int, lane: Lane) -> Iterator[Message]:
    for number in range(rounds):
        for worker in people:
            text = f"message {number}"
            yield Message(event="news", payload={"message": text}, master_id=worker.row.pk, lane=lane)


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("hasty")
def test_all_is_delivered_and_doubled_only_where_the_reply_was_cut(
    launch: Callable[..., Running], telegram: SandboxClient
) -> None:
    launch("master")
    people = [master(telegram) for _ in range(60)]
    before = sum(count for key, count in telegram.stats().items() if "sendMessage" in key)
    for kind, share, fields in FAULTS:
        telegram.faults.add(kind, method="sendMessage", probability=share, **fields)
    outbox.enqueue(tell(people, 10, Lane.PERSONAL))
    eventually(lambda: not Notification.objects.filter(processed_at__isnull=True).exists(), 150)
    hits = {rule["kind"]: rule["hits"] for rule in telegram.faults.all()}
    telegram.faults.clear()
    assert {row.outcome for row in Notification.objects.all()} == {Outcome.SENT}
    assert Master.objects.filter(unreachable_at__isnull=False).count() == 0
    doubles = 0
    for worker in people:
        seen = Counter(m.text for m in worker.chat.messages() if m.from_bot and m.text.startswith("message"))
        assert set(seen) == {f"message {number}" for number in range(10)}
        doubles += seen.total() - 10
    assert doubles <= hits["cut"]
    calls = sum(count for key, count in telegram.stats().items() if "sendMessage" in key) - before
    assert calls >= 600 + hits["429"] + hits["500"] + hits["502"]
    assert min(hits["429"], hits["500"] + hits["502"] + hits["hang"] + hits["cut"]) > 0  # there were bad days


@pytest.mark.timeout(240)
def test_an_offer_never_waits_behind_a_broadcast_of_ten_thousand(
    launch: Callable[..., Running], telegram: SandboxClient
) -> None:
    launch("master")
    urgent = master(telegram)
    others = [MasterFactory() for _ in range(200)]
    for person in others:
        telegram.person("P", id=person.tg_user_id, language="en").chat("master").acts("unblock")
    crowd = [urgent.row, *others]
    outbox.enqueue(
        Message(event="news", payload={"message": "news"}, master_id=crowd[n % 201].pk, lane=Lane.BROADCAST)
        for n in range(10_000)
    )
    eventually(lambda: Notification.objects.filter(outcome=Outcome.SENT).exists())
    for number in range(6):
        # to somebody whose own message of the broadcast is in hand, too
        chosen = Notification.objects.filter(processed_at=None, leased_until__isnull=False).order_by("-id").first()
        person = chosen.master if chosen else urgent.row
        outbox.enqueue(Message(event="x", payload={"message": f"offer {number}"}, master_id=person.pk, lane=Lane.OFFER))
        row = Notification.objects.get(payload__message=f"offer {number}")
        began = time.monotonic()
        eventually(lambda row=row: Notification.objects.get(pk=row.pk).processed_at, 5)
        assert time.monotonic() - began < 1.0
        time.sleep(0.4)
    assert Notification.objects.filter(processed_at=None).count() > 9_000  # the broadcast has only begun
