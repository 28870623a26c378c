"""Both bots, really running in a thread, against the sandbox over HTTP; PostgreSQL and Redis are real, too."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiogram.client.session.aiohttp import AiohttpSession
from django.template import Context
from django.template.loader import get_template

from bots import fsm, language, wire
from bots import text as texts
from bots.admin.bot import SPEC as ADMIN
from bots.delivery import listen
from bots.master.bot import SPEC as MASTER
from bots.runner import run
from bots.sandbox import Sandbox, SandboxClient
from bots.webhook import Hook

LOGS, ALERTS = -1001, -1002


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Slow tests of this folder run only when they are asked for: pytest -m slow."""
    if "slow" in config.getoption("markexpr"):
        return
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: run with -m slow"))


class Running:
    """Bots in a thread with an event loop of its own; `codes` holds the exit codes after `stop()`."""

    def __init__(self, *specs: Any, hook: Hook | None = None) -> None:
        self.specs, self.hook = specs, hook
        self.codes: dict[str, int] = {}
        self.error: BaseException | None = None
        self._stops: dict[str, Callable[[], None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._main, daemon=True)

    def start(self) -> Running:
        self._thread.start()
        return self

    def stop(self, name: str = "") -> None:
        """Stop the bots in order (or one of them) and wait; raises what they died of."""
        for bot, stop in self._stops.items():
            if self._loop and name in ("", bot) and bot not in self.codes:
                self._loop.call_soon_threadsafe(stop)
        if not name:
            self._thread.join(20)
            assert not self._thread.is_alive(), "the bots do not stop"
            if self.error:
                raise self.error

    def _main(self) -> None:
        try:
            asyncio.run(self._gather())
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.error = error

    async def _gather(self) -> None:
        self._loop = asyncio.get_running_loop()
        await asyncio.gather(*(self._one(spec) for spec in self.specs))

    async def _one(self, spec: Any) -> None:
        self.codes[spec.name] = await run(
            spec, started=lambda stop: self._stops.__setitem__(spec.name, stop), hook=self.hook
        )


async def _close_at_once(self: AiohttpSession) -> None:
    # aiogram waits a quarter of a second for TLS, which is not here
    if self._session and not self._session.closed:
        await self._session.close()


class Given(Context):
    """A context that notes what is asked for and absent."""

    def __init__(self, values: dict[str, Any], missing: set[str]) -> None:
        super().__init__(values)
        self.missing = missing

    def __getitem__(self, key: str) -> Any:
        try:
            return super().__getitem__(key)
        except KeyError:
            self.missing.add(key)
            raise

    def __contains__(self, key: object) -> bool:
        there = super().__contains__(key)
        if not there and key != "forloop":  # a loop asks whether it is in another
            self.missing.add(str(key))
        return there


@pytest.fixture(autouse=True)
def names_are_given(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, set[str]]]:
    """Template → names it uses that its screen did not give: none, after any test. Another feature's words, else."""
    found: dict[str, set[str]] = {}

    def render(template: str, context: dict[str, Any]) -> str:
        missing: set[str] = set()
        rendered = get_template(template).template.render(Given(context, missing))  # type: ignore[attr-defined]
        if missing:
            found.setdefault(template, set()).update(missing)
        return rendered

    monkeypatch.setattr(texts, "render_to_string", render)
    yield found
    assert found == {}


@pytest.fixture
def sb() -> Iterator[Sandbox]:
    with Sandbox(channels={LOGS: "LOGS", ALERTS: "ALERTS"}) as sandbox:
        yield sandbox


@pytest.fixture
def telegram(sb: Sandbox) -> SandboxClient:
    """The sandbox as people see it."""
    return sb.client()


@pytest.fixture
def configured(sb: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings of a running installation; English, so that tests do not depend on the Russian texts."""
    settings.TELEGRAM_API_URL = sb.url
    settings.MASTER_BOT_TOKEN, settings.ADMIN_BOT_TOKEN = sb.token("master"), sb.token("admin")
    settings.LANGUAGE_CODE = "en"
    monkeypatch.setattr(AiohttpSession, "close", _close_at_once)
    monkeypatch.setattr(fsm, "PREFIX", f"fsm-{uuid.uuid4().hex}")  # tests of another process share the Redis
    monkeypatch.setattr(listen, "PATIENCE", 0.05)
    monkeypatch.setattr(wire, "PAUSE", 0.03)
    language._written.clear()
    return settings


@pytest.fixture
def launch(configured: Any, transactional_db: None, telegram: SandboxClient) -> Iterator[Callable[..., Running]]:
    """launch("master", "admin"): start these bots and wait until they poll (or listen); stopped after the test."""
    started: list[Running] = []

    def start(*names: str, hook: Hook | None = None) -> Running:
        specs = {"master": MASTER, "admin": ADMIN}
        running = Running(*(specs[name] for name in names), hook=hook).start()
        started.append(running)
        telegram.waits_for(*names)
        return running

    yield start
    for running in started:
        running.stop()


@pytest.fixture
def bots(launch: Callable[..., Running]) -> Running:
    """Both bots."""
    return launch("master", "admin")
