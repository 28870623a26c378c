"""The sandbox in a thread of this process: for tests and for the demo."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

from aiohttp import web

from .app import make_app
from .client import SandboxClient
from .limits import RateLimits
from .people import start
from .world import Person, World

T = TypeVar("T")
DEFAULT_BOTS = {"master": "7000000001:sandbox-master-bot", "admin": "7000000002:sandbox-admin-bot"}
STOP_SECONDS = 0.2


class Sandbox:
    """A Bot API server on a free port of the loopback interface.

    `bots`: name -> token; `channels`: id -> title, every bot is an administrator there; `limits`: enforce the real
    sending limits; `seed`: of the dice of faults and of file ids; `callback_ttl`: seconds a tap may be answered.
    Use as a context manager, or `start()` and `stop()`.
    """

    def __init__(
        self,
        bots: Mapping[str, str] | None = None,
        channels: Mapping[int, str] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: bool | RateLimits = False,
        seed: int | str = 0,
        callback_ttl: float = 300.0,
    ) -> None:
        rates = limits if isinstance(limits, RateLimits) else RateLimits.real() if limits else None
        self.world = World(seed=seed, limits=rates, callback_ttl=callback_ttl)
        for name, token in (DEFAULT_BOTS if bots is None else bots).items():
            self.world.add_bot(name, token)
        for chat_id, title in (channels or {}).items():
            add_channel(self.world, chat_id, title)
        self.host, self.port = host, port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._stopping = asyncio.Event()
        self._error: BaseException | None = None

    @property
    def url(self) -> str:
        """The address for `TelegramAPIServer.from_base` and for the browser."""
        return f"http://{self.host}:{self.port}"

    def token(self, bot: str) -> str:
        """The token of a bot by name."""
        return self.world.bot(bot).token

    def client(self) -> SandboxClient:
        """A test client for this server."""
        return SandboxClient(self.url)

    def call(self, function: Callable[[World], T]) -> T:
        """Run a function on the state inside the server's loop and return what it returns."""

        async def run() -> T:
            return function(self.world)

        if self._loop is None:
            return function(self.world)
        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def start(self) -> Sandbox:
        """Start the thread; returns when the port accepts connections. Raises OSError for a taken port."""
        self._ready.clear()
        self._error = None
        self._thread = threading.Thread(target=self._main, name="telegram-sandbox", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._error:
            raise self._error
        return self

    def stop(self) -> None:
        """Stop the server and its thread; open polls are ended. `start()` goes on with the same port and state."""
        if self._loop and self._thread:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)
        self._loop = self._thread = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the starting thread
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        self.world.rebind()
        runner = await serve(self.world, self.host, self.port)
        self.port = runner.addresses[0][1]
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._stopping.wait()
        await runner.cleanup()


async def serve(world: World, host: str, port: int) -> web.AppRunner:
    """Open the port in the running loop. A vanished client cancels its request: an open poll ends with it."""
    runner = web.AppRunner(make_app(world), access_log=None, handler_cancellation=True, shutdown_timeout=STOP_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


def add_channel(world: World, chat_id: int, title: str) -> None:
    """A channel where every bot is an administrator."""
    room = world.add_chat(chat_id, "channel", title)
    room.members |= {bot.id: "administrator" for bot in world.bots.values()}


def add_preset_person(world: World, spec: str) -> Person:
    """A person from "ID:NAME:BOT[:LANG][:started]"; repeat the id to open a dialog with a second bot.

    Raises ValueError for a malformed one, SandboxError for an unknown bot.
    """
    number, name, bot, *options = spec.split(":")
    started = "started" in options
    languages = [option for option in options if option != "started"]
    person = world.people.get(int(number)) or world.add_person(
        Person(int(number), name, language=languages[0] if languages else "ru")
    )
    room = world.private_room(world.bot(bot), person)
    if started and not room.started:
        start(world, room, person)
    return person
