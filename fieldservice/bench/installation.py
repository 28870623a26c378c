"""A whole installation for benches: worker, beat and master bot on the bench's database, a Redis and a sandbox."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connections

from bots.sandbox.client import SandboxClient, SandboxError
from fieldservice.bench import seed
from fieldservice.bench.harness import Series, execute
from fieldservice.embedded import locations
from fieldservice.lib.actor import COMMAND_LINE
from fieldservice.runtime import registry
from staff.models import Master

TOKEN = "100001:bench"
WAIT = 60.0
PROCESSES = {
    "worker": ["celery", "--quiet", "-A", "fieldservice", "worker", "-c", "2", "-l", "warning"],
    "beat": ["celery", "--quiet", "-A", "fieldservice", "beat", "-l", "warning"],
}


def wait(condition: Any, what: str, seconds: float = WAIT) -> None:
    """Until the condition holds. Raises RuntimeError."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise RuntimeError(f"{what} did not come within {seconds:g} s")
        time.sleep(0.3)


def floor(telegram: SandboxClient, times: int = 50) -> Series:
    """The least that must be done: one sendMessage over a new connection."""
    series = Series()
    person = telegram.person("Floor", id=1)
    person.unblocks("master")
    url = f"{telegram.url}/bot{TOKEN}/sendMessage?chat_id={person.id}&text=floor"
    for _ in range(times):
        began = time.perf_counter()
        with urllib.request.urlopen(url) as answer:  # an http address of our own
            answer.read()
        series.times.append((time.perf_counter() - began) * 1000)
    return series


@contextmanager
def company(*, masters: int, sla: int, limits: bool = False) -> Iterator[SandboxClient]:
    """Masters on shift, each with a phone and room for one order; all processes run. The sandbox as people see it.

    `limits`: it refuses what Telegram would refuse.
    """
    seed.company(seed.Shape(masters=masters, history=0))
    execute("UPDATE masters SET max_active_orders_override = 1")
    hours = {"working_hours_start": "00:00", "working_hours_end": "23:59", "asap_late_threshold": "23:59"}
    for name, value in (hours | {"distribution_sla_seconds": str(sla)}).items():
        registry.write(name, value, actor=COMMAND_LINE)
    with tempfile.TemporaryDirectory(prefix="fieldservice-bench-") as home, _running(Path(home), limits) as telegram:
        yield telegram


@contextmanager
def _running(home: Path, limits: bool) -> Iterator[SandboxClient]:
    url = f"http://127.0.0.1:{_free_port()}"
    environment = os.environ | _environment(home, url)
    redis = [sys.executable, "-m", "fieldservice.embedded"]
    subprocess.run([*redis, "start", "redis"], env=environment, cwd=locations.PROJECT, check=True, capture_output=True)
    processes: list[subprocess.Popen[bytes]] = []
    telegram = SandboxClient(url)
    try:
        port = url.rpartition(":")[2]
        sandbox = ["bots.sandbox", "--port", port, "--bot", f"master={TOKEN}", *(["--limits"] if limits else [])]
        processes.append(_start(sandbox, environment, home))
        wait(lambda: _answers(telegram), "the sandbox")
        _phones(telegram)
        processes += [_start(words, environment, home) for words in PROCESSES.values()]
        processes.append(_start(["django", "run_master_bot"], environment, home))
        telegram.waits_for("master", timeout=WAIT)
        with _broker(home):
            wait(_ticked, "the first tick")
            yield telegram
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(30)
        subprocess.run([*redis, "stop", "redis"], env=environment, cwd=locations.PROJECT, check=False,
                       capture_output=True)  # fmt: skip
        with _variable("FIELDSERVICE_EMBEDDED_HOME", str(home)):
            shutil.rmtree(locations.socket_dir(), ignore_errors=True)  # it lies outside the home


def _environment(home: Path, url: str) -> dict[str, str]:
    settings = connections["default"].settings_dict
    who = quote(settings["USER"] or "postgres", safe="")
    secret = f":{quote(settings['PASSWORD'], safe='')}" if settings["PASSWORD"] else ""
    host, port = settings["HOST"] or "", f":{settings['PORT']}" if settings["PORT"] else ""
    place = f"/{settings['NAME']}?host={quote(host)}" if host.startswith("/") else f"{host}{port}/{settings['NAME']}"
    return {
        "DATABASE_URL": f"postgres://{who}{secret}@{place}",
        "REDIS_URL": "",
        "FIELDSERVICE_EMBEDDED_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "fieldservice.settings",
        "TELEGRAM_API_URL": url,
        "MASTER_BOT_TOKEN": TOKEN,
        "LOGS_CHANNEL_ID": "",
        "ALERTS_CHANNEL_ID": "",
        "LOG_LEVEL": "WARNING",
    }


def _start(words: list[str], environment: dict[str, str], home: Path) -> subprocess.Popen[bytes]:
    with (home / "processes.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", *words], env=environment, cwd=locations.PROJECT,
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # fmt: skip


@contextmanager
def _broker(home: Path) -> Iterator[None]:
    """The wake-ups of this process go to the bench's Redis."""
    with _variable("FIELDSERVICE_EMBEDDED_HOME", str(home)):
        url = locations.celery_url(0)
    with _variable("CELERY_BROKER_URL", url):  # read by Celery at every access, before the setting
        yield


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _phones(telegram: SandboxClient) -> None:
    """Every master has started the bot; the updates that made are thrown away."""
    for tg_user_id in Master.objects.values_list("tg_user_id", flat=True):
        telegram.person("M", id=tg_user_id)
        telegram.wire.post("chats", f"{tg_user_id}:master", "unblock")
    with urllib.request.urlopen(f"{telegram.url}/bot{TOKEN}/getUpdates?offset={2**31 - 1}") as answer:
        answer.read()


def _answers(telegram: SandboxClient) -> bool:
    try:
        return bool(telegram.bots())
    except SandboxError:
        return False


def _ticked() -> bool:
    return bool(seed.scalar("SELECT count(*) FROM heartbeats WHERE name = 'dispatch_tick'"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
