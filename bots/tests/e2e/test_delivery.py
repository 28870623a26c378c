"""The outbox on its way to Telegram: limits, faults, stale rows, restarts."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from bots import language
from bots.delivery import events, render, settle
from bots.sandbox import SandboxClient
from bots.tests.conftest import ALERTS, LOGS, Running
from bots.tests.e2e.scene import eventually, master, member, outbox_is_empty
from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Lane, Notification, Outcome
from fieldservice.outbox.services import Message
from fieldservice.runtime.models import Heartbeat
from staff.enums import ShiftStatus
from staff.models import Master
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.e2e


def plain(master_id: int, text: str, **fields: Any) -> None:
    outbox.enqueue(Message(event="limit_changed", payload={"message": text}, master_id=master_id, **fields))


def outcomes() -> dict[str, int]:
    found: dict[str, int] = {}
    for outcome in Notification.objects.values_list("outcome", flat=True):
        found[str(outcome)] = found.get(str(outcome), 0) + 1
    return found


@pytest.mark.usefixtures("bots")
def test_a_plain_row_of_v12_is_sent_escaped(telegram: SandboxClient) -> None:
    worker = master(telegram)
    # written by SQL or an import: master, event, payload only
    Notification.objects.create(master_id=worker.row.pk, event="moderation_update", payload={"message": "2 < 3 & <b>x"})
    worker.chat.sees("2 < 3 & <b>x", timeout=2.5)
    outbox_is_empty()
    row = Notification.objects.get()
    assert (row.outcome, row.attempt_count, row.chat_id) == (Outcome.SENT, 1, worker.row.tg_user_id)


@pytest.mark.usefixtures("bots")
def test_a_row_arrives_within_a_second_of_its_commit(telegram: SandboxClient) -> None:
    worker = master(telegram)
    time.sleep(0.3)  # no sweep is due right now
    start = time.monotonic()
    plain(worker.row.pk, "quick")
    worker.chat.sees("quick", timeout=1.0)
    assert time.monotonic() - start < 0.6


@pytest.mark.usefixtures("bots")
def test_stale_unknown_and_unreachable_rows_are_skipped(telegram: SandboxClient) -> None:
    worker = master(telegram)
    plain(worker.row.pk, "too late", expires_at=timezone.now() - timedelta(seconds=1))
    plain(MasterFactory(tg_user_id=None).pk, "nobody")
    outbox.enqueue(Message(event="no_such_event", master_id=worker.row.pk))
    outbox.enqueue(Message(event="commission_approved", payload={"commission_id": 999}, master_id=worker.row.pk))
    outbox_is_empty()
    assert outcomes() == {Outcome.SKIPPED: 4}


@pytest.mark.usefixtures("bots")
def test_passing_trouble_is_waited_out(telegram: SandboxClient) -> None:
    worker = master(telegram)
    for kind in ("502", "refuse"):
        telegram.faults.add(kind, method="sendMessage", times=1)
    plain(worker.row.pk, "patience")
    worker.chat.sees("patience", timeout=8)
    outbox_is_empty()
    assert Notification.objects.get().attempt_count == 3
    assert len([m for m in worker.chat.messages() if "patience" in m.text]) == 1


@pytest.mark.usefixtures("bots")
def test_a_wrong_token_loses_no_message(telegram: SandboxClient) -> None:
    """Its owner has made a new one: until the bot has it, every call is refused, whatever the message."""
    worker = master(telegram)
    telegram.faults.add("401", method="sendMessage", times=2)
    plain(worker.row.pk, "still here")
    worker.chat.sees("still here", timeout=8)
    assert Master.objects.get(pk=worker.row.pk).unreachable_at is None


@pytest.mark.usefixtures("bots")
def test_retry_after_is_obeyed(telegram: SandboxClient) -> None:
    worker = master(telegram)
    telegram.faults.add("429", method="sendMessage", times=1, retry_after=1)
    start = time.monotonic()
    plain(worker.row.pk, "later")
    worker.chat.sees("later")
    assert time.monotonic() - start >= 0.95
    assert len(telegram.calls(method="sendMessage", status=429)) == 1


@pytest.mark.usefixtures("bots")
def test_permanent_errors_give_up_at_once(telegram: SandboxClient) -> None:
    worker = master(telegram)
    person = telegram.people()[0]
    person.deletes_account()
    plain(worker.row.pk, "farewell")
    outbox_is_empty()
    row = Notification.objects.get()
    assert (row.outcome, row.attempt_count) == (Outcome.FAILED, 1)
    assert "farewell" not in row.last_error
    assert Master.objects.get(pk=worker.row.pk).unreachable_at is not None


@pytest.mark.usefixtures("bots")
def test_a_bug_in_rendering_does_not_stop_the_rest(telegram: SandboxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(row: Notification, now: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(render.EVENTS, ("master", "broken"), broken)
    monkeypatch.setattr(settle, "CRASHES", 2)
    worker = master(telegram)
    outbox.enqueue(Message(event="broken", master_id=worker.row.pk, lane=Lane.OFFER))
    plain(worker.row.pk, "fine")
    worker.chat.sees("fine")
    outbox_is_empty()
    assert outcomes() == {Outcome.FAILED: 1, Outcome.SENT: 1}


@pytest.mark.usefixtures("bots")
def test_one_chat_gets_one_a_second_and_others_do_not_wait(telegram: SandboxClient) -> None:
    busy, idle = master(telegram), master(telegram)
    for number in range(6):
        plain(busy.row.pk, f"flood {number}")
    plain(idle.row.pk, "for me")
    idle.chat.sees("for me", timeout=1.0)
    busy.chat.sees("flood 5", timeout=6)
    sent = [m.text for m in busy.chat.messages() if "flood" in m.text]
    assert sent == [f"flood {number}" for number in range(6)]


def test_an_offer_overtakes_a_broadcast(launch: Callable[..., Running], telegram: SandboxClient) -> None:
    launch("master")
    urgent = master(telegram)
    people = [MasterFactory() for _ in range(60)]
    for person in people:
        telegram.person("P", id=person.tg_user_id, language="en").chat("master").acts("unblock")
    outbox.enqueue(
        Message(event="news", payload={"message": "news"}, master_id=person.pk, lane=Lane.BROADCAST)
        for person in people
    )
    eventually(lambda: Notification.objects.filter(outcome=Outcome.SENT).exists())
    plain(urgent.row.pk, "urgent", lane=Lane.OFFER)
    urgent.chat.sees("urgent", timeout=1.0)
    assert Notification.objects.filter(processed_at__isnull=True).exists()  # the broadcast still goes on
    eventually(lambda: not Notification.objects.filter(processed_at__isnull=True).exists(), 10)
    assert telegram.peaks()["per_bot_second"] <= 30 + 1  # the answer to /start counts as well


def test_channel_posts_are_bundled(launch: Callable[..., Running], telegram: SandboxClient) -> None:
    channel = telegram.channel(ALERTS)
    for number in range(8):
        outbox.enqueue(
            Message(event="alert", payload={"text": f"<trouble {number}>"}, chat_id=ALERTS, lane=Lane.CHANNEL)
        )
    launch("admin")
    post = channel.sees("<trouble 7>")
    assert "<trouble 0>" in post.text
    outbox_is_empty()
    assert len({row.message_id for row in Notification.objects.filter(event="alert")}) == 1


def test_signs_of_life(launch: Callable[..., Running], telegram: SandboxClient, configured: Any) -> None:
    configured.LOGS_CHANNEL_ID = LOGS
    launch("master", "admin")
    telegram.channel(LOGS).sees("master_bot alive")
    telegram.channel(LOGS).sees("admin_bot alive")
    eventually(lambda: set(Heartbeat.objects.values_list("name", flat=True)) == {"master_bot", "admin_bot", "watch"})


def test_what_was_not_sent_is_released_at_the_end(launch: Callable[..., Running], telegram: SandboxClient) -> None:
    running = launch("master")
    worker = master(telegram)
    telegram.faults.add("slow", method="sendMessage", seconds=0.5)
    for number in range(5):
        plain(worker.row.pk, f"n{number}")
    eventually(lambda: Notification.objects.filter(leased_until__isnull=False).exists())
    running.stop()
    telegram.faults.clear()
    left = Notification.objects.filter(processed_at__isnull=True)
    assert left.exists()
    assert not left.filter(leased_until__isnull=False).exists()
    launch("master")
    outbox_is_empty()
    texts = [m.text for m in worker.chat.messages() if m.from_bot and m.text.startswith("n")]
    assert sorted(texts) == [f"n{number}" for number in range(5)]


@pytest.mark.usefixtures("bots")
def test_masters_hear_of_blocks_and_breaks_once_and_truthfully(telegram: SandboxClient) -> None:
    from fieldservice.lib.actor import SYSTEM
    from staff.services import moderation, shifts

    worker = master(telegram)
    moderation.block(master_id=worker.row.pk, reason="<rude>", actor=SYSTEM, now=timezone.now())
    assert "Reason: <rude>." in worker.chat.sees("You are blocked").text
    moderation.unblock(master_id=worker.row.pk, actor=SYSTEM, now=timezone.now())
    worker.chat.sees("The block is lifted.")
    Master.objects.update(shift_status=ShiftStatus.BREAK, break_until=timezone.now())
    shifts.end_breaks(now=timezone.now())
    worker.chat.sees("Your break is over")
    assert Master.objects.get(pk=worker.row.pk).shift_status == ShiftStatus.SHIFT_OFF
    outbox_is_empty()
    assert len([m for m in worker.chat.messages() if m.from_bot]) == 4  # the menu, and each once
    worker.chat.presses("Start shift")
    worker.chat.sees("You are on shift")


@pytest.mark.usefixtures("bots")
def test_a_group_that_moved_is_followed(telegram: SandboxClient) -> None:
    group = telegram.group(-700, "Duty", bots=["admin"], supergroup=False)
    group.acts("migrate", id=-100700, person=telegram.person("Owner", id=9).id)
    outbox.enqueue(Message(event="alert", payload={"text": "follow me"}, chat_id=-700, lane=Lane.CHANNEL))
    telegram.group(-100700).sees("follow me")


@pytest.mark.usefixtures("bots")
def test_doubles_come_only_from_cut_replies(telegram: SandboxClient) -> None:
    people = [master(telegram) for _ in range(5)]
    telegram.faults.add("cut", method="sendMessage", times=2)
    for worker in people:
        plain(worker.row.pk, "once")
    outbox_is_empty()
    copies = [len([m for m in worker.chat.messages() if m.text == "once"]) for worker in people]
    assert sum(copies) == 5 + 2
    assert min(copies) == 1


@pytest.mark.usefixtures("bots")
def test_a_database_that_goes_away_loses_no_message(telegram: SandboxClient) -> None:
    people = [master(telegram) for _ in range(12)]
    outbox.enqueue(
        Message(event="news", payload={"message": "news"}, master_id=worker.row.pk, lane=Lane.BROADCAST)
        for worker in people
    )
    for _ in range(5):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        time.sleep(0.1)
    # a row whose rendering was cut is claimed again when its lease is over
    Notification.objects.filter(processed_at__isnull=True).update(leased_until=None)
    outbox_is_empty()
    assert outcomes() == {Outcome.SENT: 12}
    for worker in people:
        worker.chat.sees("news")


@pytest.mark.usefixtures("bots")
def test_the_language_cache_may_be_away(telegram: SandboxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def get(self, *args: Any) -> None:
            raise ConnectionError

        set = get

    monkeypatch.setattr(language, "cache", Gone())
    worker = master(telegram)
    plain(worker.row.pk, "all the same")
    worker.chat.sees("all the same")


@pytest.mark.usefixtures("bots")
def test_a_dismissed_member_gets_nothing(telegram: SandboxClient) -> None:
    clerk = member(telegram)
    clerk.row.is_active = False
    clerk.row.save()
    outbox.enqueue(Message(event="alert", payload={"text": "secret"}, staff_id=clerk.row.pk))
    outbox_is_empty()
    clerk.chat.does_not_see("secret")


def test_every_event_of_the_services_has_a_look() -> None:
    """Whatever an `enqueue` in the code names is known here, or it would be skipped in silence."""
    import re
    from pathlib import Path

    from django.conf import settings

    assert events.MASTER.name == "master"
    named = set()
    for app in ("orders", "finance", "staff", "fieldservice", "bots"):
        for file in Path(settings.BASE_DIR, app).rglob("*.py"):
            if not {"tests", "sandbox", "bench"} & set(file.parts):
                named |= set(re.findall(r'event="(\w+)"', file.read_text()))
    assert named - {name for _bot, name in render.EVENTS} == set()
