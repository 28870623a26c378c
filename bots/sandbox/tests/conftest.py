"""A sandbox per test, and aiogram as the independent client of its Bot API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramAPIError

from bots.sandbox import Sandbox, SandboxClient

LOGS = -1001


class QuickSession(AiohttpSession):
    """aiogram's session without its quarter of a second of farewell (it is for TLS)."""

    async def close(self) -> None:
        if self._session and not self._session.closed:
            await self._session.close()


@asynccontextmanager
async def connected(sb: Sandbox, name: str = "master", token: str = "") -> AsyncIterator[Bot]:
    """An aiogram bot talking to the sandbox."""
    session = QuickSession(api=TelegramAPIServer.from_base(sb.url))
    bot = Bot(token or sb.token(name), session=session)
    try:
        yield bot
    finally:
        await session.close()


@pytest.fixture
def sb() -> Iterator[Sandbox]:
    with Sandbox(channels={LOGS: "LOGS"}) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sb: Sandbox) -> SandboxClient:
    return sb.client()


@pytest.fixture
def chat(sandbox: SandboxClient) -> Any:
    """Ivan's dialog with the master bot, started."""
    found = sandbox.person("Ivan", id=1001).chat("master")
    found.starts()
    return found


Job = Callable[[Bot], Awaitable[Any]]


@pytest.fixture
def run(sb: Sandbox) -> Callable[..., Any]:
    """run(job, bot="master", token=…): the result of an async function that gets an aiogram bot."""

    def runner(job: Job, bot: str = "master", token: str = "") -> Any:
        async def main() -> Any:
            async with connected(sb, bot, token) as connection:
                return await job(connection)

        return asyncio.run(main())

    return runner


@pytest.fixture
def refused(run: Callable[..., Any]) -> Callable[..., str]:
    """refused(job): the description of the error the job must meet."""

    def runner(job: Job, **options: Any) -> str:
        with pytest.raises(TelegramAPIError) as caught:
            run(job, **options)
        return caught.value.message.removeprefix("Telegram server says - ")

    return runner
