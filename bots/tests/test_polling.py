"""The poller against the sandbox, with a dispatcher of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiogram import Dispatcher
from aiogram.exceptions import TelegramConflictError, TelegramUnauthorizedError
from aiogram.types import Message, Update

from bots import polling
from bots.bot import connect
from bots.polling import Ledger, Poller
from bots.sandbox import Sandbox, SandboxClient


def updates(*numbers: int) -> list[Update]:
    return [Update(update_id=number) for number in numbers]


def test_the_offset_waits_for_the_slowest() -> None:
    ledger = Ledger()
    assert ledger.offset is None
    ledger.take(updates(5, 6, 7))
    ledger.close(6)
    ledger.close(7)
    assert ledger.offset == 5
    assert ledger.take(updates(5, 6, 7, 8)) == updates(8)  # Telegram sends unacknowledged ones again
    ledger.close(5)
    assert ledger.offset == 8
    ledger.close(8)
    assert (ledger.offset, ledger.done) == (9, set())


Handle = Callable[[Message], Awaitable[Any]]


def serve(sb: Sandbox, handle: Handle, act: Callable[[Poller], Awaitable[Any]], token: str = "") -> None:
    """Poll with this handler while `act` runs."""

    async def main() -> None:
        bot = connect(token or sb.token("master"))
        dispatcher = Dispatcher(disable_fsm=True)
        dispatcher.message.register(handle)
        poller = Poller(bot, dispatcher, name="master")
        try:
            async with asyncio.TaskGroup() as group:
                running = group.create_task(poller.run())
                await act(poller)
                poller.stop()
                await running
        finally:
            await bot.session.close()

    asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("configured")
def test_order_is_kept_within_a_chat_and_others_need_not_wait(sb: Sandbox, telegram: SandboxClient) -> None:
    seen: list[str] = []
    release = asyncio.Event()

    async def handle(message: Message) -> None:
        if message.text == "slow":
            await release.wait()
        seen.append(message.text or "")

    slow, quick = (telegram.person(name, id=number).chat("master") for name, number in (("A", 1001), ("B", 1002)))

    async def act(poller: Poller) -> None:
        for chat, text in ((slow, "slow"), (slow, "after"), (quick, "one")):
            await asyncio.to_thread(chat.sends, text)
        await until(lambda: seen == ["one"])
        await asyncio.to_thread(quick.sends, "two")
        await until(lambda: seen == ["one", "two"])
        assert telegram.bot("master")["pending"] == 4  # nothing behind the slow one is acknowledged
        release.set()
        await until(lambda: len(seen) == 4)

    serve(sb, handle, act)
    assert seen == ["one", "two", "slow", "after"]
    assert telegram.bot("master")["pending"] == 0


@pytest.mark.usefixtures("configured")
def test_stop_finishes_what_is_in_hand(sb: Sandbox, telegram: SandboxClient) -> None:
    seen: list[str] = []

    async def handle(message: Message) -> None:
        seen.append("begun")
        await asyncio.sleep(0.3)
        seen.append("done")

    chat = telegram.person("A", id=1001).chat("master")

    async def act(poller: Poller) -> None:
        await asyncio.to_thread(chat.sends, "x")
        await until(lambda: bool(seen))

    serve(sb, handle, act)
    assert seen == ["begun", "done"]
    assert telegram.bot("master")["pending"] == 0


@pytest.mark.usefixtures("configured")
def test_it_survives_bad_days(sb: Sandbox, telegram: SandboxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "LONGEST_PAUSE", 0.1)
    seen: list[str] = []

    async def handle(message: Message) -> None:
        seen.append(message.text or "")

    for kind in ("500", "429", "cut", "refuse"):
        telegram.faults.add(kind, method="getUpdates", times=1)
    chat = telegram.person("A", id=1001).chat("master")

    async def act(poller: Poller) -> None:
        await asyncio.to_thread(chat.sends, "hello")
        await until(lambda: seen == ["hello"])

    serve(sb, handle, act)
    assert seen == ["hello"]


async def nothing(*args: Any) -> None:
    await asyncio.sleep(5)


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize(("kind", "expected"), [("409", TelegramConflictError), ("401", TelegramUnauthorizedError)])
def test_conflict_and_a_wrong_token_end_it(sb: Sandbox, kind: str, expected: type[Exception]) -> None:
    async def act(poller: Poller) -> None:
        if kind == "409":
            other = connect(sb.token("master"))
            try:
                await asyncio.sleep(0.2)
                await other.get_updates(timeout=0)
            finally:
                await other.session.close()
        await asyncio.sleep(5)

    with pytest.raises(ExceptionGroup) as caught:
        serve(sb, nothing, act, token="" if kind == "409" else "123:wrong")
    assert caught.group_contains(expected)
