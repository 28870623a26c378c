"""getUpdates: offsets, long polls, conflicts, tokens."""

import asyncio
import time
from contextlib import suppress
from types import SimpleNamespace

import pytest
from aiogram import Bot, Dispatcher, F
from aiogram.exceptions import TelegramConflictError, TelegramNetworkError, TelegramNotFound, TelegramUnauthorizedError
from aiogram.types import CallbackQuery, Message

from bots.sandbox import Sandbox

from .conftest import connected


def test_an_update_comes_again_until_its_offset_is_acknowledged(chat, run):
    chat.sends("one")
    chat.sends("two")

    async def job(bot: Bot):
        first = await bot.get_updates(limit=2)
        again = await bot.get_updates(limit=2)
        rest = await bot.get_updates(offset=first[-1].update_id + 1)
        none = await bot.get_updates(offset=rest[-1].update_id + 1)
        return first, again, rest, none

    first, again, rest, none = run(job)
    assert [u.message.text for u in first] == ["/start", "one"]
    assert again == first
    assert [u.message.text for u in rest] == ["two"]
    assert none == []


def test_a_negative_offset_keeps_the_last_ones_and_forgets_the_rest(chat, run):
    for text in "abc":
        chat.sends(text)

    async def job(bot: Bot):
        return await bot.get_updates(offset=-1), await bot.get_updates()

    last, after = run(job)
    assert [u.message.text for u in last] == ["c"] == [u.message.text for u in after]


def test_updates_of_one_bot_are_not_seen_by_another(sandbox, run):
    sandbox.person("Ivan", id=1).chat("master").starts()
    assert run(lambda bot: bot.get_updates(), bot="admin") == []
    assert len(run(lambda bot: bot.get_updates())) == 1


def test_a_long_poll_wakes_at_once(chat, sb, run):
    async def job(bot: Bot):
        await bot.get_updates(offset=-1)
        updates = await bot.get_updates(offset=2**40)  # acknowledge everything
        poll = asyncio.ensure_future(bot.get_updates(timeout=20))
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await asyncio.to_thread(chat.sends, "wake up")
        return updates, await poll, time.monotonic() - started

    updates, woken, took = run(job)
    assert updates == []
    assert [u.message.text for u in woken] == ["wake up"]
    assert took < 0.5


def test_an_empty_poll_lasts_its_timeout(sandbox, run):
    async def job(bot: Bot):
        started = time.monotonic()
        return await bot.get_updates(timeout=1), time.monotonic() - started

    updates, took = run(job)
    assert updates == []
    assert 0.9 < took < 2


def test_the_older_poll_is_ended_by_the_newer_one(sb):
    async def main():
        async with connected(sb) as old, connected(sb) as new:
            first = asyncio.ensure_future(old.get_updates(timeout=20))
            await asyncio.sleep(0.1)
            second = asyncio.ensure_future(new.get_updates(timeout=20))
            with pytest.raises(
                TelegramConflictError, match="terminated by other getUpdates request; make sure that only"
            ):
                await first
            second.cancel()

    asyncio.run(main())


def test_the_end_of_the_sandbox_is_no_conflict():
    """A bot that is told of a second copy ends with 78, and its supervisor leaves it down."""

    async def main():
        with Sandbox() as ending:
            async with connected(ending) as bot:
                poll = asyncio.ensure_future(bot.get_updates(timeout=20))
                await asyncio.sleep(0.1)
                await asyncio.to_thread(ending.stop)
                with suppress(TelegramNetworkError):  # the connection may be gone before the answer
                    assert await poll == []

    asyncio.run(main())


def test_a_poller_that_went_away_leaves_no_conflict(sb, sandbox):
    async def main():
        async with connected(sb) as bot:
            poll = asyncio.ensure_future(bot.get_updates(timeout=20))
            await asyncio.sleep(0.1)
            assert sandbox.bot("master")["polling"]
            poll.cancel()
        await asyncio.sleep(0.1)

    asyncio.run(main())
    assert sandbox.bot("master")["polling"]  # for three more seconds
    assert sb.call(lambda world: world.bot("master").queue.poll) is None


def test_a_webhook_and_a_poll_exclude_each_other(sb):
    async def main():
        async with connected(sb) as bot, connected(sb) as other:
            poll = asyncio.ensure_future(bot.get_updates(timeout=20))
            await asyncio.sleep(0.1)
            await other.set_webhook("http://127.0.0.1:9/hook")
            with pytest.raises(TelegramConflictError, match="terminated by setWebhook request"):
                await poll
            with pytest.raises(TelegramConflictError, match="can't use getUpdates method while webhook is active; use"):
                await bot.get_updates()
            await bot.delete_webhook()
            assert await bot.get_updates() == []

    asyncio.run(main())


def test_an_unknown_token_is_unauthorized(run):
    with pytest.raises(TelegramUnauthorizedError):
        run(lambda bot: bot.get_me(), token="1:wrong")


def test_an_unknown_method_is_not_found(run):
    from aiogram.methods import TelegramMethod

    class Dance(TelegramMethod[bool]):
        __returning__ = bool
        __api_method__ = "danceTango"

    with pytest.raises(TelegramNotFound):
        run(lambda bot: bot(Dance()))


def test_allowed_updates_are_obeyed_from_then_on(chat, run, sandbox):
    async def job(bot: Bot):
        await bot.get_updates(offset=2**40, allowed_updates=["callback_query"])
        await asyncio.to_thread(chat.sends, "unwanted")
        return await bot.get_updates(allowed_updates=["message"])

    assert run(job) == []
    chat.sends("wanted")
    assert [u.message.text for u in run(lambda bot: bot.get_updates())] == ["wanted"]


def test_get_me_is_complete(run):
    me = run(lambda bot: bot.get_me())
    assert me.is_bot
    assert me.username == "master_sandbox_bot"
    assert me.can_join_groups
    assert me.can_read_all_group_messages is True


def test_a_real_dispatcher_polls_answers_and_edits(sb, sandbox):
    chat = sandbox.person("Ivan", id=1001).chat("master")
    dispatcher = Dispatcher()

    @dispatcher.message(F.text)
    async def greet(message: Message):
        markup = {"inline_keyboard": [[{"text": "Accept", "callback_data": "m:new:acc:7"}]]}
        await message.answer(f"Order for {message.from_user.first_name}", reply_markup=markup)

    @dispatcher.callback_query()
    async def accept(query: CallbackQuery):
        await query.message.edit_text(f"Yours: {query.data}, {query.chat_instance[:1]}")
        await query.answer("Well done", show_alert=True)

    def person_acts():
        sandbox.waits_for("master")
        chat.starts()
        chat.sees("Order for Ivan")
        answer = chat.presses("Accept")
        return SimpleNamespace(answer=answer, seen=chat.sees("Yours: m:new:acc:7"))

    async def main():
        async with connected(sb) as bot:
            polling = asyncio.ensure_future(
                dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False)
            )
            result = await asyncio.to_thread(person_acts)
            await dispatcher.stop_polling()
            await polling
            return result

    result = asyncio.run(main())
    assert (result.answer.text, result.answer.alert) == ("Well done", True)
    assert result.seen.edits == 1
    assert result.seen.buttons == []
