"""Updates by webhook, to a real HTTP server."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web

from .conftest import connected


class Hook:
    """Remembers what arrived; answers with the statuses it was given, then 200."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.seen: list[tuple[str, dict]] = []
        self.reply: dict = {}
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.seen.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token", ""), await request.json()))
        status = self.statuses.pop(0) if self.statuses else 200
        return web.json_response(self.reply, status=status) if self.reply else web.Response(status=status)

    async def wait(self, count: int) -> None:
        for _ in range(300):
            if len(self.seen) >= count:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"only {len(self.seen)} deliveries")


@contextmanager
def hooked(sb, *statuses: int) -> Iterator:
    """Run a coroutine function (bot, hook) beside a hook server."""

    def runner(job):
        async def main():
            hook = Hook(*statuses)
            app = web.Application()
            app.router.add_post("/hook", hook.take)
            server = web.AppRunner(app)
            await server.setup()
            await web.TCPSite(server, "127.0.0.1", 0).start()
            hook.url = f"http://127.0.0.1:{server.addresses[0][1]}/hook"
            async with connected(sb) as bot:
                await job(bot, hook)
                await bot.delete_webhook()
            await server.cleanup()

        asyncio.run(main())

    yield runner


def test_updates_are_posted_with_the_secret(sb, chat):
    async def job(bot, hook):
        await bot.set_webhook(hook.url, secret_token="s3cret_-")
        await asyncio.to_thread(chat.sends, "hello")
        await hook.wait(2)
        assert [(secret, update["message"]["text"]) for secret, update in hook.seen] == [
            ("s3cret_-", "/start"),
            ("s3cret_-", "hello"),
        ]
        info = await bot.get_webhook_info()
        assert (info.url, info.pending_update_count, info.last_error_message) == (hook.url, 0, None)

    with hooked(sb) as run:
        run(job)


def test_a_failed_delivery_is_repeated(sb, chat):
    async def job(bot, hook):
        await bot.set_webhook(hook.url)
        await hook.wait(1)
        await asyncio.sleep(0.05)
        info = await bot.get_webhook_info()
        assert info.pending_update_count == 1
        assert info.last_error_message == "Wrong response from the webhook: 500 Internal Server Error"
        await hook.wait(2)
        assert hook.seen[0] == hook.seen[1]

    with hooked(sb, 500) as run:
        run(job)


def test_the_hook_may_answer_with_a_call(sb, chat):
    async def job(bot, hook):
        hook.reply = {"method": "sendMessage", "chat_id": 1001, "text": "from the hook"}
        await bot.set_webhook(hook.url)
        await asyncio.to_thread(chat.sees, "from the hook")

    with hooked(sb) as run:
        run(job)


def test_pending_updates_can_be_dropped(sb, chat, run):
    assert len(run(lambda bot: bot.get_updates())) == 1
    assert run(lambda bot: bot.delete_webhook(drop_pending_updates=True))
    assert run(lambda bot: bot.get_updates()) == []


@pytest.mark.parametrize(
    ("url", "secret", "error"),
    [
        ("ftp://example.org", "", "bad webhook: An HTTPS URL must be provided for webhook"),
        ("https://example.org/x", "bad token!", "secret token contains unallowed characters"),
    ],
)
def test_bad_webhooks(refused, url, secret, error):
    assert refused(lambda bot: bot.set_webhook(url, secret_token=secret)) == f"Bad Request: {error}"
