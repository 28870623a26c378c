"""Webhooks over real HTTP: one replica in this process, or two processes behind a proxy."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from bots import webhook
from bots.sandbox import Sandbox, SandboxClient
from bots.tests.conftest import ALERTS, Running
from bots.tests.e2e.replicas import HEADER, SECRET, Proxy, Replica, free_ports, get, post
from bots.tests.e2e.scene import Worker, eventually, master, outbox_is_empty
from bots.tests.e2e.test_process import command
from bots.webhook import Hook
from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Lane
from fieldservice.outbox.services import Message
from fieldservice.runtime.models import BotUpdate
from fieldservice.runtime.updates import Register

pytestmark = pytest.mark.e2e


@pytest.fixture
def hook() -> Hook:
    port = free_ports(1)[0]
    return Hook(host="127.0.0.1", port=port, url=f"http://127.0.0.1:{port}/hooks/master", secret=SECRET)


@pytest.fixture
def replica(hook: Hook, launch: Callable[..., Running]) -> Running:
    """The master bot behind a webhook, in this process."""
    return launch("master", hook=hook)


def message(update_id: int, text: str, person: int) -> bytes:
    """An update as Telegram writes it."""
    chat = {"id": person, "type": "private", "first_name": "P"}
    who = {"id": person, "is_bot": False, "first_name": "P", "language_code": "en"}
    body = {"message_id": update_id, "date": int(time.time()), "chat": chat, "from": who, "text": text}
    return json.dumps({"update_id": update_id, "message": body}).encode()


@pytest.mark.usefixtures("replica")
def test_a_story_by_webhook(telegram: SandboxClient) -> None:
    worker = master(telegram)
    worker.chat.presses("End shift")
    worker.chat.sees("You are off shift")
    worker.chat.sends("/menu")
    worker.chat.sees("You are off shift", fresh=True)
    outbox.enqueue(Message(event="x", payload={"message": "and the outbox"}, master_id=worker.row.pk))
    worker.chat.sees("and the outbox", timeout=3)
    eventually(lambda: telegram.bot("master")["pending"] == 0)
    assert BotUpdate.objects.filter(handled_at__isnull=True).count() == 0
    assert telegram.calls(method="getUpdates") == []


@pytest.mark.usefixtures("replica")
def test_only_telegram_is_let_in(telegram: SandboxClient, hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    worker = master(telegram)
    before = BotUpdate.objects.count()
    body = message(5_000_000, "/menu", worker.row.tg_user_id)
    wrong = ({}, {HEADER: ""}, {HEADER: SECRET[:-1]}, {HEADER: SECRET + "x"}, {HEADER: "\xff\xfe"}, {"X-Other": SECRET})
    assert [post(hook.url, body, **headers) for headers in wrong] == [403] * len(wrong)
    assert [record.message for record in caplog.records].count("webhook_refused") == 1  # nobody fills the log
    secret = {HEADER: SECRET}
    for rubbish in (b"", b"[]", b"{", b"null", b'{"update_id": "x"}', b'{"message": {}}', b"\xff\xfe"):
        assert post(hook.url, rubbish, **secret) == 400
    assert post(hook.url, b"x" * (webhook.LARGEST + 1), **secret) == 413
    assert post(hook.url.replace("/hooks", ""), body, **secret) == 404
    assert get(hook.url) == 405
    assert BotUpdate.objects.count() == before
    # a kind of update this program does not know must not hold up the others: taken, and logged
    assert post(hook.url, b'{"update_id": 5000001, "message": {"new": "shape"}}', **secret) == 200
    assert post(hook.url, b'{"update_id": 5000002, "something_new": {}}', **secret) == 200
    worker.chat.sends("/menu")
    worker.chat.sees("You are on shift", fresh=True)


@pytest.mark.usefixtures("replica")
def test_health_of_a_replica(hook: Hook) -> None:
    address = f"http://127.0.0.1:{hook.port}"
    assert (get(f"{address}/healthz"), get(f"{address}/readyz"), get(f"{address}/metrics")) == (200, 200, 404)


@pytest.mark.usefixtures("replica")
def test_an_update_that_comes_again_is_handled_once(telegram: SandboxClient, hook: Hook) -> None:
    worker = master(telegram)
    sent = len(telegram.calls(method="sendMessage"))
    telegram.faults.add("slow", method="sendMessage", seconds=0.4)
    body = message(6_000_000, "/menu", worker.row.tg_user_id)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: post(hook.url, body, **{HEADER: SECRET}), range(8)))
    assert statuses == [200] * 8  # the late ones waited for the first
    assert post(hook.url, body, **{HEADER: SECRET}) == 200
    assert len(telegram.calls(method="sendMessage")) == sent + 1
    assert BotUpdate.objects.get(update_id=6_000_000).handled_at is not None


@pytest.mark.usefixtures("replica")
def test_an_update_of_a_dead_replica_is_taken_over(telegram: SandboxClient, hook: Hook) -> None:
    worker = master(telegram)
    dead = {"bot": "master", "chat_id": worker.row.tg_user_id, "holder": "dead"}
    BotUpdate.objects.create(update_id=7_000_000, leased_until=timezone.now() + timedelta(seconds=1), **dead)
    BotUpdate.objects.create(update_id=1, leased_until=timezone.now(), claimed_at=timezone.now() - timedelta(3), **dead)
    began = time.monotonic()
    assert post(hook.url, message(7_000_000, "/menu", worker.row.tg_user_id), **{HEADER: SECRET}) == 200
    assert 0.5 < time.monotonic() - began < 5
    worker.chat.sees("You are on shift", fresh=True)
    Register(bot="master", holder="x").prune()
    assert set(BotUpdate.objects.filter(holder="dead").values_list("update_id", flat=True)) == set()


def test_a_screen_that_ticks_elsewhere_is_left_alone(transactional_db: None) -> None:
    mine, other = (Register(bot="master", holder=name) for name in ("a", "b"))
    shown = timezone.now()
    mine.claim(update_id=1, chat_id=5)
    assert not mine.is_elsewhere(5, shown)
    other.claim(update_id=2, chat_id=6)
    assert not mine.is_elsewhere(5, shown)
    other.claim(update_id=3, chat_id=5)
    assert mine.is_elsewhere(5, shown)
    assert not mine.is_elsewhere(5, timezone.now() + timedelta(seconds=1))


def test_the_webhook_of_somebody_else_ends_it_a_lost_one_is_set_again(
    hook: Hook,
    launch: Callable[..., Running],
    telegram: SandboxClient,
    configured: Any,
    sb: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configured.ALERTS_CHANNEL_ID = ALERTS
    monkeypatch.setattr(webhook, "CHECK", 0.2)
    running = launch("master", hook=hook)
    api = f"{sb.url}/bot{sb.token('master')}"
    assert post(f"{api}/deleteWebhook", b"{}") == 200
    eventually(lambda: telegram.bot("master")["webhook"] == hook.url)
    assert post(f"{api}/setWebhook", b'{"url": "http://127.0.0.1:9/other"}') == 200
    eventually(lambda: running.codes, 10)
    assert running.codes == {"master": 78}
    launch("admin")
    telegram.channel(ALERTS).sees("leads to another address")


def test_somebody_on_the_port_is_a_sentence(
    hook: Hook, replica: Running, configured: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    configured.WEBHOOK_URL, configured.WEBHOOK_SECRET = hook.url.removesuffix("/master"), SECRET
    with pytest.raises(SystemExit) as ended:
        call_command("run_master_bot", "--webhook", "--listen", f"127.0.0.1:{hook.port}")
    assert ended.value.code == 2
    assert "Choose another port" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "options", "sentence"),
    [
        ({"WEBHOOK_URL": ""}, (), "WEBHOOK_URL: not set"),
        ({"WEBHOOK_SECRET": ""}, (), "WEBHOOK_SECRET: not set"),
        ({}, ("--listen", "8082"), "--listen: '8082' is not valid"),
        ({}, ("--listen", "127.0.0.1:0"), "--listen: '127.0.0.1:0' is not valid"),
    ],
)
def test_what_is_missing_is_said(configured: Any, changes: dict[str, str], options: Any, sentence: str) -> None:
    for name, value in ({"WEBHOOK_URL": "https://bots.example/hooks", "WEBHOOK_SECRET": SECRET} | changes).items():
        setattr(configured, name, value)
    with pytest.raises(CommandError, match=sentence.split(":")[0]) as said:
        call_command("run_admin_bot", "--webhook", *options)
    assert str(said.value).startswith(sentence)
    assert said.value.returncode == 2


# -- two replicas ------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(sb: Sandbox, telegram: SandboxClient, configured: Any, transactional_db: None) -> Iterator[list[Replica]]:
    """Two replicas of the master bot, processes of their own, behind one address."""
    address, *ports = free_ports(3)
    with ExitStack() as stack:
        stack.enter_context(Proxy(address, ports))
        replicas = []
        for port in ports:
            listen = ("--webhook", "--listen", f"127.0.0.1:{port}")
            args, environment = command(
                "run_master_bot", *listen, MASTER_BOT_TOKEN=sb.token("master"), TELEGRAM_API_URL=sb.url,
                WEBHOOK_URL=f"http://127.0.0.1:{address}/hooks", WEBHOOK_SECRET=SECRET,
            )  # fmt: skip
            replicas.append(Replica(args, environment, port))
            stack.callback(replicas[-1].end)
        for one in replicas:
            eventually(one.is_ready, 40)
        telegram.waits_for("master", timeout=10)
        yield replicas


def in_hand(telegram: SandboxClient, worker: Worker) -> BotUpdate:
    """The person asks for the menu; the update while it is being handled."""
    eventually(lambda: telegram.bot("master")["pending"] == 0)
    telegram.faults.add("slow", method="sendMessage", seconds=2, times=1)
    worker.chat.sends("/menu")
    eventually(lambda: BotUpdate.objects.filter(handled_at__isnull=True).exists())
    return BotUpdate.objects.get(handled_at__isnull=True)


def test_two_replicas_handle_each_update_once(two: list[Replica], telegram: SandboxClient) -> None:
    people = [master(telegram) for _ in range(6)]
    sent = len(telegram.calls(method="sendMessage"))
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda worker: [worker.chat.sends("/menu") for _ in range(5)], people))
    eventually(lambda: telegram.bot("master")["pending"] == 0, 20)
    assert len(telegram.calls(method="sendMessage")) == sent + 30
    holders = BotUpdate.objects.values_list("holder", flat=True)
    assert len(set(holders)) == 2
    # one of them delivers, within the limits of the token
    outbox.enqueue(
        Message(event="x", payload={"message": "news"}, master_id=worker.row.pk, lane=Lane.BROADCAST)
        for worker in people
    )
    outbox_is_empty()
    assert sum("seat_taken" in one.log for one in two) == 1


def test_kill_9_in_the_middle_loses_nothing(two: list[Replica], telegram: SandboxClient) -> None:
    worker, other = master(telegram), master(telegram)
    open_update = in_hand(telegram, worker)
    victim = next(one for one in two if open_update.holder in one.log)
    victim.process.send_signal(signal.SIGKILL)
    other.chat.sends("/menu")  # the one that lives answers at once
    other.chat.sees("You are on shift", fresh=True, timeout=5)
    eventually(lambda: telegram.bot("master")["pending"] == 0, 30)
    open_update.refresh_from_db()
    assert open_update.handled_at is not None
    worker.chat.sees("You are on shift", fresh=True)
    # and it delivers, whichever of the two did so before
    outbox.enqueue(Message(event="x", payload={"message": "still here"}, master_id=worker.row.pk, lane=Lane.OFFER))
    worker.chat.sees("still here", timeout=8)


def test_sigterm_finishes_the_update_in_hand(two: list[Replica], telegram: SandboxClient) -> None:
    worker = master(telegram)
    in_hand(telegram, worker)
    for one in two:
        one.process.send_signal(signal.SIGTERM)
    assert [one.process.wait(15) for one in two] == [0, 0]
    assert telegram.bot("master")["pending"] == 0
    assert not BotUpdate.objects.filter(handled_at__isnull=True).exists()
    assert telegram.bot("master")["webhook"]  # the next replica needs no new one
    assert len([m for m in worker.chat.messages() if m.from_bot]) == 2
