"""The process: errors, conflicts, signals, exit codes."""

from __future__ import annotations

import io
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from bots.master import menu, shift
from bots.sandbox import Sandbox, SandboxClient
from bots.tests.conftest import ALERTS, Running
from bots.tests.e2e.scene import eventually, master
from fieldservice.logs import JsonFormatter
from fieldservice.outbox.models import Notification
from staff.services import shifts

pytestmark = pytest.mark.e2e


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is written to the log, as it is written."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    yield handler.stream
    logging.getLogger().removeHandler(handler)


def test_an_unexpected_error_is_told_logged_and_alerted_once(
    bots: Running,
    telegram: SandboxClient,
    configured: Any,
    monkeypatch: pytest.MonkeyPatch,
    log: io.StringIO,
) -> None:
    configured.ALERTS_CHANNEL_ID = ALERTS
    worker = master(telegram)
    menu_message = worker.chat.sees("You are on shift")

    def broken(**kwargs: Any) -> None:
        raise RuntimeError("card 2200000000000004 of +79991234567")

    with monkeypatch.context() as ill:
        ill.setattr(shifts, "stop", broken)
        answers = [worker.chat.presses_data("m:sh:off", message=menu_message) for _ in range(2)]
    assert all(answer.alert and "Something went wrong" in answer.text for answer in answers)
    number = answers[0].text.rpartition(" ")[2].rstrip(".")
    post = telegram.channel(ALERTS).sees("RuntimeError")
    assert number in post.text
    assert Notification.objects.filter(event="alert").count() == 1  # once an hour for the same error
    written = log.getvalue()
    assert number in written
    assert "shifts.py" in written or "shift.py" in written  # where it happened
    for secret in ("2200000000000004", "9991234567", "card"):
        assert secret not in written + post.text
    worker.chat.sees("You are on shift")  # the screen is still there
    worker.chat.presses("End shift")  # the same button, when the trouble is over
    worker.chat.sees("You are off shift")


def test_an_error_in_a_message_is_told_too(
    bots: Running, telegram: SandboxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = master(telegram)
    monkeypatch.setattr(menu, "count", lambda **kwargs: 1 / 0)
    worker.chat.sends("/menu")
    worker.chat.sees("Something went wrong")


def test_a_lost_database_connection_heals(bots: Running, telegram: SandboxClient) -> None:
    worker = master(telegram)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    for _ in range(6):
        worker.chat.presses("Finance")
        worker.chat.presses("Menu")
    worker.chat.sees("You are on shift")
    # LISTEN is back as well
    time.sleep(0.3)
    Notification.objects.create(master_id=worker.row.pk, event="x", payload={"message": "still here"})
    worker.chat.sees("still here")


def test_redis_away_ends_dialogs_not_work(
    bots: Running, telegram: SandboxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aiogram.fsm.storage.redis import RedisStorage
    from redis.exceptions import ConnectionError as Lost

    worker = master(telegram)

    async def lost(self: Any, *args: Any, **kwargs: Any) -> None:
        raise Lost

    for name in ("get_state", "set_state", "get_data", "set_data"):
        monkeypatch.setattr(RedisStorage, name, lost)
    worker.chat.presses("End shift")  # what needs no dialog goes on
    worker.chat.sees("You are off shift")
    worker.chat.sends("3500")  # this may be an answer
    worker.chat.sees("Something went wrong")
    worker.chat.sends("/menu")
    worker.chat.sees("You are off shift", fresh=True)
    monkeypatch.undo()
    worker.chat.presses("Start shift")
    worker.chat.sees("You are on shift")


def test_telegram_down_while_answering_loses_no_work(bots: Running, telegram: SandboxClient) -> None:
    worker = master(telegram)
    telegram.faults.add("500", method="editMessageText", times=2)
    telegram.faults.add("cut", method="answerCallbackQuery", times=1)
    worker.chat.presses("End shift")
    worker.chat.sees("You are off shift")
    telegram.faults.add("500", method="editMessageText")
    worker.chat.presses("Start shift")
    eventually(lambda: type(worker.row).objects.get(pk=worker.row.pk).shift_status == "SHIFT_ON")
    telegram.faults.clear()
    worker.chat.sends("/menu")
    worker.chat.sees("You are on shift")


def test_a_deleted_or_foreign_message_is_replaced_by_a_new_one(bots: Running, telegram: SandboxClient) -> None:
    worker = master(telegram)
    telegram.faults.add("400", method="editMessageText", times=1, description="Bad Request: message to edit not found")
    worker.chat.presses("Finance")
    worker.chat.sees("You owe nothing")
    assert len([m for m in worker.chat.messages() if m.from_bot]) == 2


def test_a_second_copy_ends_the_first_with_78_and_an_alert(
    launch: Callable[..., Running], telegram: SandboxClient, configured: Any
) -> None:
    configured.ALERTS_CHANNEL_ID = ALERTS
    first = launch("admin")
    second = launch("admin")
    eventually(lambda: first.codes or second.codes, 10)
    assert {**first.codes, **second.codes} == {"admin": 78}
    telegram.channel(ALERTS).sees("HTTP 409")


def command(name: str, *options: str, **environment: str) -> list[Any]:
    code = (
        "import sys, django; django.setup(); from django.conf import settings;"
        f"settings.DATABASES['default']['NAME'] = {connection.settings_dict['NAME']!r};"
        f"from django.core.management import call_command; call_command({name!r}, *{options!r})"
    )
    keep = {key: value for key, value in os.environ.items() if not key.endswith("_TOKEN")}
    return [
        [sys.executable, "-c", code],
        keep | {"DJANGO_SETTINGS_MODULE": "fieldservice.settings", "LANGUAGE_CODE": "en"} | environment,
    ]


def test_without_a_token_it_says_which_variable_is_missing(configured: Any, capsys: pytest.CaptureFixture[str]) -> None:
    configured.MASTER_BOT_TOKEN = ""
    with pytest.raises(SystemExit) as ended:
        call_command("run_master_bot")
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("MASTER_BOT_TOKEN: not set")


@pytest.mark.django_db(transaction=True)
def test_a_token_telegram_does_not_know_ends_it(configured: Any, capsys: pytest.CaptureFixture[str]) -> None:
    configured.ADMIN_BOT_TOKEN = "123456:unknown"
    with pytest.raises(SystemExit) as ended:
        call_command("run_admin_bot")
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert "ADMIN_BOT_TOKEN: Telegram does not know this token" in told
    assert "123456:unknown" not in told


def test_sigterm_finishes_the_update_in_hand(
    sb: Sandbox, telegram: SandboxClient, configured: Any, transactional_db: None
) -> None:
    args, environment = command("run_master_bot", MASTER_BOT_TOKEN=sb.token("master"), TELEGRAM_API_URL=sb.url)
    process = subprocess.Popen(args, env=environment, stderr=subprocess.PIPE, text=True, cwd=settings.BASE_DIR)
    try:
        telegram.waits_for("master", timeout=30)
        worker = master(telegram)
        telegram.faults.add("slow", method="sendMessage", seconds=0.5)
        worker.chat.sends("/menu")
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        worker.chat.sees("You are on shift", fresh=True)
        assert telegram.bot("master")["pending"] == 0
        assert len(telegram.calls(method="setMyCommands", status=200)) == 3
    finally:
        process.kill()
        process.communicate()


def test_handlers_of_the_shift_are_what_the_menu_names() -> None:
    assert shift.BREAKS == {"15m": 15, "1h": 60, "2h": 120}
    assert set(shift.BREAKS.values()) == set(shifts.BREAKS)
