"""Replicas of a bot as processes of their own, and the proxy in front of them."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable
from http.client import HTTPException

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    TCPConnector,
    web,
)
from django.conf import settings

SECRET = "only-Telegram_knows-this"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody uses now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


class Proxy:
    """Passes requests on to the replicas in turn, as nginx does: who refuses the connection is skipped; a replica that
    dies over a request, or is silent for `patience` seconds, is a 502, which Telegram answers by trying again.

    A replica is a port of this machine, or HOST:PORT.
    """

    def __init__(self, port: int, replicas: Iterable[int | str], patience: float = 60) -> None:
        self.port, self.replicas, self.patience = port, list(replicas), patience
        self.answers: Counter[tuple[int | str, int]] = Counter()
        self._turn = 0
        self._ready, self._done = threading.Event(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *args: object) -> None:
        assert self._loop
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(10)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass)
        connector = TCPConnector(force_close=True)
        timeout = ClientTimeout(self.patience, sock_connect=1)
        async with ClientSession(connector=connector, timeout=timeout) as self._session:
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            self._ready.set()
            await self._done.wait()
            await runner.cleanup()

    async def _pass(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {key: value for key, value in request.headers.items() if key.lower().startswith(("x-", "content-t"))}
        self._turn += 1
        first = self._turn % len(self.replicas)
        for port in self.replicas[first:] + self.replicas[:first]:
            try:
                url = f"http://{port if isinstance(port, str) else f'127.0.0.1:{port}'}{request.path}"
                async with self._session.request(request.method, url, data=body, headers=headers) as answer:
                    self.answers[port, answer.status] += 1
                    return web.Response(status=answer.status, body=await answer.read())
            except (ClientConnectorError, ConnectionTimeoutError):
                continue
            except (ClientError, TimeoutError):
                self.answers[port, 0] += 1
                return web.Response(status=502)
        return web.Response(status=502)


def post(url: str, body: bytes, **headers: str) -> int:
    """The status of a POST."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json", **headers})
    return _status(request)


def get(url: str) -> int:
    """The status of a GET; 0 when nobody answers."""
    return _status(urllib.request.Request(url))


def _status(request: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return int(error.code)
    except (OSError, HTTPException):
        return 0


class Replica:
    """`run_master_bot --webhook` in a process of its own."""

    def __init__(self, args: list[str], environment: dict[str, str], port: int) -> None:
        self.port = port
        self.process = subprocess.Popen(args, env=environment, cwd=settings.BASE_DIR, stderr=subprocess.PIPE, text=True)
        self._lines: list[str] = []
        # a pipe nobody reads would stop the process
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        self._lines.extend(iter(self.process.stderr.readline, ""))

    @property
    def log(self) -> str:
        """All it has said."""
        return "".join(self._lines)

    def is_ready(self) -> bool:
        """Whether it takes updates."""
        assert self.process.poll() is None, self.log
        return get(f"http://127.0.0.1:{self.port}/readyz") == 200

    def end(self) -> None:
        """However it is."""
        self.process.kill()
        self.process.wait(10)
        self._reader.join(5)
        assert self.process.stderr
        self.process.stderr.close()
