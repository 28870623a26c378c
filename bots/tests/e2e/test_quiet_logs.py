"""Both bots at work with the log at its loudest: no person, no number, no token, no word of a message in it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from bots.master import menu
from bots.sandbox import Sandbox, SandboxClient
from bots.tests.conftest import ALERTS, Running
from bots.tests.e2e.scene import eventually, member, outbox_is_empty, working
from fieldservice.logs import JsonFormatter
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from finance.models import Commission

pytestmark = pytest.mark.e2e
CLIENT = {"client_name": "Секретов Клиент", "client_phone": "+79991112233", "comment": "код домофона 77К8899"}
SAID = ("мой номер +7 (999) 765-43-21", "карта 2200 7001 2345 6783", "Тайное слово")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that any logger says, down to DEBUG, as it would be written."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(JsonFormatter())
    handler.addFilter(lambda record: not record.name.startswith("factory"))  # a tool of the tests
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in ("", "aiogram", "aiohttp", "aiohttp.access", "asyncio")}
    root.addHandler(handler)
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield handler.stream
    root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_a_day_of_work_leaves_no_person_in_the_log(
    log: io.StringIO,
    bots: Running,
    telegram: SandboxClient,
    configured: Any,
    sb: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configured.ALERTS_CHANNEL_ID = ALERTS
    order, worker = working(
        telegram, **{k: v for k, v in CLIENT.items() if k != "comment"}, description=CLIENT["comment"]
    )
    clerk = member(telegram)
    for text in SAID:
        worker.chat.sends(text)
        worker.chat.sees(fresh=True)
        clerk.chat.sends(text)
        clerk.chat.sees(fresh=True)
    outbox.enqueue(Message(event="x", payload={"message": SAID[2]}, master_id=worker.row.pk))
    outbox_is_empty()
    # what goes wrong is logged, too
    telegram.faults.add("500", method="sendMessage", times=1)
    telegram.faults.add("cut", method="answerCallbackQuery", times=1)

    def broken(**kwargs: Any) -> None:
        raise RuntimeError(f"{SAID[1]} of {CLIENT['client_name']}")

    with monkeypatch.context() as patched:
        patched.setattr(menu, "count", broken)
        worker.chat.sends("/menu")
        worker.chat.sees("Something went wrong")
    worker.chat.sends("/menu")
    eventually(lambda: "bot_error" in log.getvalue())
    written = log.getvalue()
    assert len(written.splitlines()) > 5
    for line in written.splitlines():
        json.loads(line)
    secrets = [*CLIENT.values(), *SAID, "9991112233", "999 111-22-33", "7654321", "765-43-21", "2200700123456783",
               worker.row.full_name, clerk.row.full_name, sb.token("master").partition(":")[2],
               sb.token("admin").partition(":")[2]]  # fmt: skip
    told = [line[:300] for line in written.splitlines() if any(secret in line for secret in secrets)]
    assert told == []
    assert order.pk
    assert Commission.objects.count() == 0
