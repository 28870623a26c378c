"""Trouble on demand, sending limits, bounds."""

import asyncio
import time

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)

from bots.sandbox import Sandbox
from bots.sandbox.client import SandboxError
from bots.sandbox.limits import RateLimits

from .conftest import LOGS, connected

IVAN = 1001


def send(bot: Bot):
    return bot.send_message(IVAN, "x")


def test_flood_control_names_the_seconds(sandbox, chat, run):
    sandbox.faults.add(429, retry_after=7, times=1)
    with pytest.raises(TelegramRetryAfter) as caught:
        run(send)
    assert caught.value.retry_after == 7
    assert run(send)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("500", TelegramServerError),
        ("502", TelegramServerError),
        ("403", TelegramForbiddenError),
        ("400", TelegramBadRequest),
    ],
)
def test_refusals_strike_the_given_number_of_times(sandbox, chat, run, kind, error):
    sandbox.faults.add(kind, method="sendMessage", times=2)
    for _ in range(2):
        with pytest.raises(error):
            run(send)
    assert run(send)
    assert sandbox.faults.all()[0]["hits"] == 2
    assert [m.text for m in chat.messages()] == ["/start", "x"]


def test_a_fault_chooses_bot_chat_and_method(sandbox, chat, run):
    sandbox.faults.add("500", bot="admin")
    sandbox.faults.add("500", chat=LOGS)
    sandbox.faults.add("500", method="edit*")
    assert run(send)
    with pytest.raises(TelegramServerError):
        run(lambda bot: bot.get_me(), bot="admin")
    with pytest.raises(TelegramServerError):
        run(lambda bot: bot.send_message(LOGS, "x"))
    with pytest.raises(TelegramServerError):
        run(lambda bot: bot.edit_message_text("y", chat_id=IVAN, message_id=2))
    assert run(lambda bot: bot.get_updates(), bot="admin") == []  # polls are spared unless named
    sandbox.faults.clear()
    assert run(lambda bot: bot.get_me(), bot="admin")


def test_cut_does_the_work_and_loses_the_reply(sandbox, chat, run):
    sandbox.faults.add("cut", times=1)
    with pytest.raises(TelegramNetworkError):
        run(send)
    assert chat.sees("x")


def test_a_cut_poll_loses_no_update(sandbox, chat, run):
    sandbox.faults.add("cut", method="getUpdates", times=1)
    with pytest.raises(TelegramNetworkError):
        run(lambda bot: bot.get_updates())
    assert len(run(lambda bot: bot.get_updates())) == 1


def test_hang_and_slow(sandbox, chat, run):
    sandbox.faults.add("hang", seconds=0.3, times=1)
    started = time.monotonic()
    with pytest.raises(TelegramNetworkError):
        run(send)
    assert time.monotonic() - started >= 0.3
    assert len(chat.messages()) == 1
    sandbox.faults.add("slow", seconds=0.2, times=1)
    assert run(send)


def test_a_client_that_gives_up_on_a_slow_call_has_sent_nothing(sandbox, chat, run):
    sandbox.faults.add("slow", seconds=0.4, times=1)

    async def job(bot: Bot):
        with pytest.raises(TelegramNetworkError):
            await bot.send_message(IVAN, "x", request_timeout=0.1)
        await asyncio.sleep(0.5)

    run(job)
    assert len(chat.messages()) == 1


def test_telegram_is_down_for_a_while(sandbox, chat, run):
    sandbox.faults.down(0.4)
    with pytest.raises(TelegramNetworkError):
        run(send)
    with pytest.raises(TelegramNetworkError):
        run(lambda bot: bot.get_updates())
    time.sleep(0.45)
    assert run(send)


def test_a_restart_keeps_everything(sb, chat, run):
    sb.stop()
    with pytest.raises(TelegramNetworkError):
        run(send)
    sb.start()
    assert run(send)
    assert [m.text for m in chat.messages()] == ["/start", "x"]
    assert len(run(lambda bot: bot.get_updates())) == 1


def test_dice_are_seeded():
    def struck(seed):
        with Sandbox(seed=seed) as sb:
            sandbox = sb.client()
            sandbox.faults.add("500", probability=0.3)

            async def main():
                async with connected(sb) as bot:
                    return [await _fails(bot) for _ in range(30)]

            return asyncio.run(main())

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 2 < sum(struck(1)) < 20


async def _fails(bot: Bot) -> bool:
    try:
        await bot.get_me()
        return False
    except TelegramServerError:
        return True


def test_an_unknown_fault_is_explained(sandbox):
    with pytest.raises(SandboxError, match="kinds: 429, 500"):
        sandbox.faults.add("earthquake")


def started(sb: Sandbox, *people: int):
    for number in people:
        sb.client().person("P", id=number).chat("master").starts()


async def flood(bot: Bot, *chats: int) -> tuple[int, int]:
    """(messages sent, seconds to wait) at the first refusal."""
    sent = 0
    for chat in chats:
        try:
            await bot.send_message(chat, "x")
            sent += 1
        except TelegramRetryAfter as error:
            return sent, error.retry_after
    return sent, 0


@pytest.mark.parametrize(
    ("limits", "chats", "expected"),
    [
        (RateLimits(per_bot=5), range(1, 11), (5, 1)),
        (RateLimits(per_chat=1.0), [1] * 10, (3, 3)),
        (RateLimits(per_group=4), [LOGS] * 10, (4, 60)),
        (RateLimits(), [1] * 100, (100, 0)),
    ],
)
def test_limits(limits, chats, expected):
    with Sandbox(channels={LOGS: "LOGS"}, limits=limits) as sb:
        started(sb, *{chat for chat in chats if chat > 0})

        async def main():
            async with connected(sb) as bot:
                return await flood(bot, *chats)

        assert asyncio.run(main()) == expected
        assert sb.client().peaks()["per_bot_second"] == expected[0]


def test_the_sandbox_forgets_old_messages(sb, chat, run):
    from bots.sandbox.world import MAX_MESSAGES

    def fill(world):
        room = world.room("1001:master")
        for number in range(MAX_MESSAGES + 50):
            world.add_message(room, None, {"text": str(number)})
        return len(room.messages)

    assert sb.call(fill) == MAX_MESSAGES


def test_the_queue_is_bounded(sb, chat):
    def fill(world):
        queue = world.bot("master").queue
        queue.limit = 100
        for _ in range(200):
            queue.put("message", {})
        return len(queue.pending), queue.dropped

    assert sb.call(fill) == (100, 101)
