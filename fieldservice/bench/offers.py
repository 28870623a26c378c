"""`bench offers`, `bench expiry`: from the event to the message at the Bot API server, through the real processes.

A worker, a beat and the master bot work on the bench's database, with a Redis and a Telegram sandbox of their own.
The floor is a direct sendMessage to the same sandbox.
"""

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

from django.db import connections, transaction

from bots.sandbox.client import SandboxClient, SandboxError
from fieldservice.bench import seed
from fieldservice.bench.harness import Result, Series, execute, percentile
from fieldservice.embedded import locations
from fieldservice.lib.actor import COMMAND_LINE
from fieldservice.runtime import registry, wake
from geo.models import District
from orders.enums import Category, OfferState, OrderStatus
from orders.models import Offer
from orders.services import intake
from staff.models import Master

TOKEN = "100001:bench"
#: so many orders come at once; the first of them are measured
BURST, FIRST = 1000, 30
EXPIRING = 30
WAIT = 60.0
GOAL_MS, GOAL_BURST_MS, GOAL_EXPIRY_MS = 1000, 2000, 5000
PROCESSES = {
    "worker": ["celery", "--quiet", "-A", "fieldservice", "worker", "-c", "2", "-l", "warning"],
    "beat": ["celery", "--quiet", "-A", "fieldservice", "beat", "-l", "warning"],
}
BURST_ORDERS = """
INSERT INTO orders(city_id, district_id, category, status, type, created_at, dispatch_at, search_started_at)
  SELECT d.city_id, d.id, 'ELECTRICS', 'SEARCHING', 'NORMAL', now(), now(), now()
    FROM generate_series(1, %s) g
    JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS n FROM districts) d
      ON d.place = g %% d.n"""


def run(*, orders: int, burst: int = BURST) -> list[Result]:
    """`orders` one after another, then `burst` at once. The database is the bench's own."""
    with _company(masters=3 * (orders + burst), sla=3600) as telegram:
        districts = list(District.objects.order_by("id"))
        single = Result("offers", {"orders": orders, "masters": 3 * (orders + burst)}, floor=_floor(telegram))
        for number in range(orders):
            began = time.time()
            order_id = _create(districts[number % len(districts)])
            single.work.times.append((_arrival(telegram, order_id, until=began + WAIT) - began) * 1000)
        single.extra = _figures(single.work, GOAL_MS)
        return [single, _at_once(telegram, burst)]


def run_expiry(*, orders: int = EXPIRING) -> list[Result]:
    """Nobody answers: from the deadline to the message of the next master."""
    with _company(masters=20 * orders, sla=5) as telegram:
        districts = list(District.objects.order_by("id"))
        result = Result("expiry", {"orders": orders, "sla_s": 5}, floor=_floor(telegram))
        numbers = []
        for number in range(orders):
            numbers.append(_create(districts[number % len(districts)]))
            time.sleep(0.37)  # deadlines fall anywhere between two looks of the beat
        _wait(lambda: all(_rounds(number) >= 2 for number in numbers), "second offers")
        time.sleep(1)
        for order_id in numbers:
            first, second = Offer.objects.filter(order_id=order_id).order_by("id")[:2]
            assert first.state == OfferState.EXPIRED
            assert first.expires_at is not None
            arrived = _arrivals(telegram)[_chat(second)]
            result.work.times.append((arrived - first.expires_at.timestamp()) * 1000)
        result.extra = _figures(result.work, GOAL_EXPIRY_MS)
        return [result]


def _at_once(telegram: SandboxClient, burst: int) -> Result:
    result = Result("offers at once", {"orders": burst, "measured": FIRST}, floor=_floor(telegram))
    before = set(_arrivals(telegram))
    with transaction.atomic():
        execute(BURST_ORDERS, [burst])
        wake.dispatch()
        began = time.time()
    # Telegram takes 30 messages a second from a bot: the last offer of 1,000 cannot come before the 34th second
    _wait(lambda: len(set(_arrivals(telegram)) - before) >= burst, f"{burst} offers", 2 * WAIT + burst / 25)
    arrived = sorted(at for chat, at in _arrivals(telegram).items() if chat not in before)
    result.work.times = [(at - began) * 1000 for at in arrived[:FIRST]]
    result.extra = _figures(result.work, GOAL_BURST_MS) | {
        "all_s": round(arrived[burst - 1] - began, 1),
        "messages_per_second": round(burst / (arrived[burst - 1] - arrived[0]), 1),
    }
    return result


def _figures(series: Series, goal: float) -> dict[str, Any]:
    p95 = percentile(series.times, 0.95)
    return {
        "p50_ms": round(percentile(series.times, 0.5), 1),
        "p95_ms": round(p95, 1),
        "max_ms": round(max(series.times), 1),
        "goal_p95_ms": goal,
        "met": p95 <= goal,
    }


def _create(district: District) -> int:
    new = intake.NewOrder(
        city_id=district.city_id,
        district_id=district.pk,
        client_phone="+79990001234",
        category=Category.ELECTRICS,
        confirm_late=True,
    )
    order = intake.create(new=new, actor=COMMAND_LINE)
    if order.status != OrderStatus.SEARCHING:
        raise RuntimeError("the bench's city sleeps: the minute before midnight is no time to measure")
    return order.pk


def _arrival(telegram: SandboxClient, order_id: int, *, until: float) -> float:
    """When (unix time) the offer of this order was taken by the Bot API server."""
    while time.time() < until:
        offer = Offer.objects.filter(order_id=order_id, delivered_at__isnull=False).first()
        if offer is not None:
            return _arrivals(telegram)[_chat(offer)]
        time.sleep(0.02)
    raise RuntimeError(f"order {order_id} was not offered to anybody in {WAIT:g} s")


def _arrivals(telegram: SandboxClient) -> dict[int, float]:
    """Chat → when its first message arrived. Every master gets one offer, so the chat names it."""
    calls = telegram.calls(bot="master", method="sendMessage", status=200)
    return {call["chat"]: call["at"] for call in reversed(calls)}


def _chat(offer: Offer) -> int:
    return Master.objects.values_list("tg_user_id", flat=True).get(pk=offer.master_id) or 0


def _rounds(order_id: int) -> int:
    return Offer.objects.filter(order_id=order_id, delivered_at__isnull=False).count()


def _wait(condition: Any, what: str, seconds: float = WAIT) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise RuntimeError(f"{what} did not come within {seconds:g} s")
        time.sleep(0.3)


def _floor(telegram: SandboxClient, times: int = 50) -> Series:
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


# --- the installation ------------------------------------------------------------------------------------------------


@contextmanager
def _company(*, masters: int, sla: int) -> Iterator[SandboxClient]:
    """Masters on shift, each with a phone and room for one order; all processes run. The sandbox as people see it."""
    seed.company(seed.Shape(masters=masters, history=0))
    execute("UPDATE masters SET max_active_orders_override = 1")
    hours = {"working_hours_start": "00:00", "working_hours_end": "23:59", "asap_late_threshold": "23:59"}
    for name, value in (hours | {"distribution_sla_seconds": str(sla)}).items():
        registry.write(name, value, actor=COMMAND_LINE)
    with tempfile.TemporaryDirectory(prefix="fieldservice-bench-") as home, _running(Path(home)) as telegram:
        yield telegram


@contextmanager
def _running(home: Path) -> Iterator[SandboxClient]:
    url = f"http://127.0.0.1:{_free_port()}"
    environment = os.environ | _environment(home, url)
    redis = [sys.executable, "-m", "fieldservice.embedded"]
    subprocess.run([*redis, "start", "redis"], env=environment, cwd=locations.PROJECT, check=True, capture_output=True)
    processes: list[subprocess.Popen[bytes]] = []
    telegram = SandboxClient(url)
    try:
        port = url.rpartition(":")[2]
        processes.append(_start(["bots.sandbox", "--port", port, "--bot", f"master={TOKEN}"], environment, home))
        _wait(lambda: _answers(telegram), "the sandbox")
        _phones(telegram)
        processes += [_start(words, environment, home) for words in PROCESSES.values()]
        processes.append(_start(["django", "run_master_bot"], environment, home))
        telegram.waits_for("master", timeout=WAIT)
        with _broker(home):
            _wait(_ticked, "the first tick")
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
