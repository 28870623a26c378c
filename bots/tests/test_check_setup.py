"""`manage.py check_setup` against real servers and the sandbox's Bot API."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connections
from django.utils import timezone

from bots import set_up
from bots.sandbox import Sandbox
from bots.tests.conftest import ALERTS, LOGS
from fieldservice.runtime import heartbeats
from fieldservice.watch.setup import machine, servers
from fieldservice.watch.setup.finding import Finding, Level
from geo.tests.factories import CityFactory

Check = Callable[..., dict[str, Finding]]


@pytest.fixture
def good(configured: Any, db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings of an installation where all is well, as far as a test can have that."""
    monkeypatch.setenv("SECRET_KEY", "k7-" + "aB3dE5fG7hJ9" * 6)
    configured.SECRET_KEY = "k7-" + "aB3dE5fG7hJ9" * 6
    configured.ALLOWED_HOSTS = ["office.example"]
    configured.CSRF_TRUSTED_ORIGINS = ["https://office.example"]
    configured.GLOBAL_ADMINS_TG_IDS = [5]
    configured.LOGS_CHANNEL_ID, configured.ALERTS_CHANNEL_ID, configured.REPORTS_CHANNEL_ID = LOGS, ALERTS, LOGS
    configured.MEDIA_ROOT, configured.BACKUP_DIR = tmp_path / "media", str(tmp_path / "backups")
    configured.REQUIRE_2FA, configured.WHITENOISE_USE_FINDERS = True, True
    monkeypatch.setattr(machine, "_version_of", lambda program: 99)
    heartbeats.beat("backup", now=timezone.now())
    CityFactory()
    return configured


def run(*options: str) -> tuple[int, dict[str, list[Finding]]]:
    """The exit code, and the findings by subject."""
    output, code = StringIO(), 0
    try:
        call_command("check_setup", "--json", *options, stdout=output)
    except SystemExit as ended:
        code = int(str(ended.code))
    found: dict[str, list[Finding]] = {}
    for entry in json.loads(output.getvalue()):
        found.setdefault(entry["what"], []).append(Finding(Level(entry["level"]), entry["what"], entry["text"]))
    return code, found


def wrong(found: dict[str, list[Finding]]) -> dict[str, str]:
    return {what: one.text for what, many in found.items() for one in many if one.level is Level.WRONG}


def test_a_good_set_up_has_nothing_wrong(good: Any) -> None:
    code, found = run()
    assert (code, wrong(found)) == (0, {})
    assert {"PostgreSQL", "Redis", "migrations", "SECRET_KEY", "ALLOWED_HOSTS", "media folder", "backups", "clock",
            "MASTER_BOT_TOKEN", "ADMIN_BOT_TOKEN", "ALERTS_CHANNEL_ID", "texts", "pg_dump"} <= set(found)  # fmt: skip
    assert "“ALERTS”" in found["ALERTS_CHANNEL_ID"][0].text
    assert len(found["ALERTS_CHANNEL_ID"]) == 2  # both bots post there
    minded = {what for what, many in found.items() for one in many if one.level is Level.MIND}
    assert minded <= {"DATABASE_URL", "REDIS_URL"}  # the servers of the tests are embedded
    if minded:
        assert run("--strict")[0] == 1


@pytest.mark.parametrize(
    ("changes", "what", "sentence"),
    [
        ({"ADMIN_BOT_TOKEN": ""}, "ADMIN_BOT_TOKEN", "not set: make the admin bot at BotFather"),
        ({"ADMIN_BOT_TOKEN": "123456:unknown"}, "ADMIN_BOT_TOKEN", "Telegram does not know this token"),
        ({"TELEGRAM_API_URL": "http://127.0.0.1:9"}, "Telegram", "open the way to http://127.0.0.1:9"),
        ({"LOGS_CHANNEL_ID": -100_999}, "LOGS_CHANNEL_ID", "the admin bot cannot see it"),
        ({"DEBUG": True}, "DEBUG", "Set DEBUG=false"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY", "50 or more random characters"),
        ({"ALLOWED_HOSTS": ["*"]}, "ALLOWED_HOSTS", "lets every name in"),
        ({"GLOBAL_ADMINS_TG_IDS": []}, "GLOBAL_ADMINS_TG_IDS", "nobody can let anybody in"),
        ({"MEDIA_ROOT": "/proc/nowhere"}, "media folder", "cannot be written"),
        ({"REDIS_FSM_URL": "redis://127.0.0.1:9/0"}, "Redis", "cannot be reached"),
        ({"WEBHOOK_URL": "https://bots.example/hooks"}, "WEBHOOK_SECRET", "anybody could play Telegram"),
        ({"WHITENOISE_USE_FINDERS": False, "STATIC_ROOT": "/proc/none"}, "static files", "collectstatic"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(good: Any, changes: dict[str, Any], what: str, sentence: str) -> None:
    for name, value in changes.items():
        setattr(good, name, value)
    code, found = run()
    assert code == 1
    assert sentence in wrong(found)[what]
    for many in found.values():
        for one in many:
            assert "unknown" not in one.text.replace("Telegram does not know", "")  # no token is repeated


def test_one_token_for_both_bots_is_wrong(good: Any) -> None:
    good.ADMIN_BOT_TOKEN = good.MASTER_BOT_TOKEN
    assert "each bot needs its own" in wrong(run()[1])["ADMIN_BOT_TOKEN"]


def test_missing_migrations_and_cities_are_named(good: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from geo.models import City

    City.objects.all().delete()
    assert "manage.py seed_geo" in wrong(run("--offline")[1])["cities"]
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="runtime", name="0002_bot_updates").delete()
    assert (
        "1 not applied (runtime.0002_bot_updates): run `manage.py migrate`" in wrong(run("--offline")[1])["migrations"]
    )


def test_a_database_that_is_away_does_not_end_the_rest(good: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any) -> None:
        raise OperationalError("connection to server failed: refused\npassword=hunter2")

    with monkeypatch.context() as patched:
        patched.setattr(connections["default"], "cursor", away)
        code, found = run()
    assert code == 1
    assert "cannot be reached (connection to server failed: refused)" in wrong(found)["PostgreSQL"]
    assert "hunter2" not in str(found)
    assert {"Redis", "MASTER_BOT_TOKEN", "media folder"} <= set(found)


def test_old_backups_and_an_old_pg_dump(good: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heartbeats.beat("backup", now=timezone.now() - timedelta(hours=30))
    monkeypatch.setattr(machine, "_version_of", lambda program: 9)
    found = wrong(run("--offline")[1])
    assert found["backups"].startswith("the newest is 30 hours old")
    assert "install postgresql-client-" in found["pg_dump"]
    monkeypatch.setattr(machine, "_version_of", lambda program: None)
    assert "is missing" in wrong(run("--offline")[1])["pg_dump"]
    monkeypatch.undo()
    assert machine._version_of("no-such-program") is None


def test_a_clock_that_is_wrong(good: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    for module in (servers, set_up):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: now + 90))
    texts = [one.text for one in run()[1]["clock"]]
    for where in ("PostgreSQL", "Redis", "Telegram"):
        assert any(f"and {where} differ by" in text for text in texts), texts


def test_a_channel_where_the_bot_may_not_post(good: Any, sb: Sandbox) -> None:
    sb.client().group(-1005, "Office", bots=("admin", "master"))
    good.LOGS_CHANNEL_ID = -1005  # a group: every member may write
    assert "LOGS_CHANNEL_ID" not in wrong(run()[1])
    sb.client()._chat(-1006, "channel", "Foreign", {})
    good.LOGS_CHANNEL_ID = -1006
    assert wrong(run()[1])["LOGS_CHANNEL_ID"].startswith("the admin bot ")


def test_for_people_the_worst_comes_last(good: Any) -> None:
    good.DEBUG = True
    output = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_setup", "--offline", stdout=output)
    lines = output.getvalue().splitlines()
    assert lines[0].startswith("ok")
    assert lines[-2].startswith("WRONG  DEBUG: is on")
    assert lines[-1] == "To be mended: 1."
