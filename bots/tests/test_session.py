"""Answers that Telegram never gives, and a proxy or a captive portal in between does: trouble that passes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import web

from bots.delivery.send import DeliveryError, edit, send
from bots.screens import Screen
from bots.session import JsonSession

Act = Callable[[Bot], Awaitable[object]]
MOVED = b'{"ok":false,"error_code":400,"description":"x","parameters":{"migrate_to_chat_id":-100500}}'
FLOOD = b'{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":7}}'


def asked(act: Act, status: int, body: bytes) -> object:
    """What comes of `act` when the server says this."""

    async def told(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, content_type="application/json")

    async def play() -> object:
        app = web.Application()
        app.router.add_post("/{call:.*}", told)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        bot = Bot("1:a", session=JsonSession(api=TelegramAPIServer.from_base(f"http://{host}:{port}")))
        try:
            return await act(bot)
        finally:
            await bot.session.close()
            await runner.cleanup()

    return asyncio.run(play())


async def sending(bot: Bot) -> object:
    return await send(bot, Screen("x"), chat_id=1)


async def editing(bot: Bot) -> object:
    return await edit(bot, Screen("x"), chat_id=1, message_id=5)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'{"ok": true}'), (200, b'{"ok": true, "result": null}'), (502, b'{"ok": false, "error_code": 502}'),
        (502, b"<html>Bad Gateway</html>"), (200, b"<html>Log in to the network</html>"), (200, b""), (200, b"[]"),
        (403, b'{"message": "Forbidden"}'), (200, b"\xff\xfe"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("act", [sending, editing])
def test_what_is_no_answer_is_tried_again(act: Act, status: int, body: bytes) -> None:
    with pytest.raises(DeliveryError) as refused:
        asked(act, status, body)
    assert not refused.value.permanent


@pytest.mark.parametrize("result", [b"true", b"{}", b'{"message_id": "x"}'])
def test_a_message_without_its_number_was_not_sent(result: bytes) -> None:
    with pytest.raises(DeliveryError) as refused:
        asked(sending, 200, b'{"ok": true, "result": %s}' % result)
    assert not refused.value.permanent


def test_what_is_an_answer_is_read() -> None:
    assert asked(sending, 200, b'{"ok": true, "result": {"message_id": 7, "chat": {"id": 1}, "odd": 1}}') == 7
    assert asked(editing, 200, b'{"ok": true, "result": true}') is None


@pytest.mark.parametrize("act", [sending, editing])
def test_what_telegram_asks_for_is_heard(act: Act) -> None:
    with pytest.raises(DeliveryError) as moved:
        asked(act, 400, MOVED)
    assert moved.value.moved_to == -100500
    with pytest.raises(DeliveryError) as flood:
        asked(act, 429, FLOOD)
    assert (flood.value.retry_after, flood.value.permanent) == (7, False)
