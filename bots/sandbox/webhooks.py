"""Delivery of updates by HTTP POST, and the three methods that manage it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from functools import partial
from urllib.parse import urlsplit

import aiohttp

from .api.call import METHODS, Call, method
from .errors import JSON, bad_request
from .updates import WEBHOOK_SET
from .world import Bot, World

RETRY_SECONDS = (0.5, 1, 2, 5, 10, 30)
TIMEOUT = aiohttp.ClientTimeout(total=60)


def _bad_url(url: str) -> bool:
    """Only HTTPS is taken in reality; here plain HTTP to any host too, because the bot runs next door."""
    parts = urlsplit(url)
    return parts.scheme not in ("http", "https") or not parts.hostname


@method("setWebhook")
def set_webhook(call: Call) -> bool:
    url, secret = call.text("url"), call.text("secret_token")
    if not url:
        return bool(delete_webhook(call))
    if _bad_url(url):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret):
        raise bad_request("secret token contains unallowed characters")
    _take_settings(call)
    hook = call.bot.webhook
    _stop(call.bot)
    hook.url, hook.secret = url, secret
    hook.last_error, hook.last_error_at = "", 0
    hook.max_connections = call.integer("max_connections", 40)
    call.bot.queue.interrupt(WEBHOOK_SET)
    begin(call.world, call.bot)
    call.notice = "Webhook was set"
    return True


@method("deleteWebhook")
def delete_webhook(call: Call) -> bool:
    call.notice = "Webhook was deleted" if call.bot.webhook.url else "Webhook is already deleted"
    _stop(call.bot)
    call.bot.webhook.url = ""
    if call.flag("drop_pending_updates"):
        call.bot.queue.pending.clear()
    return True


@method("getWebhookInfo")
def get_webhook_info(call: Call) -> JSON:
    hook = call.bot.webhook
    info: JSON = {
        "url": hook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(call.bot.queue.pending),
    }
    if hook.url:
        info["max_connections"] = hook.max_connections
    if hook.last_error:
        info |= {"last_error_date": hook.last_error_at, "last_error_message": hook.last_error}
    if call.bot.queue.allowed:
        info["allowed_updates"] = sorted(call.bot.queue.allowed)
    return info


def _take_settings(call: Call) -> None:
    allowed = call.json("allowed_updates")
    if allowed is not None:
        call.bot.queue.allowed = set(allowed) or None
    if call.flag("drop_pending_updates"):
        call.bot.queue.pending.clear()


def begin(world: World, bot: Bot) -> None:
    """Start the delivery in the running loop."""
    bot.webhook.task = asyncio.get_running_loop().create_task(deliver(world, bot))


def _stop(bot: Bot) -> None:
    if bot.webhook.task:
        bot.webhook.task.cancel()
        bot.webhook.task = None


async def deliver(world: World, bot: Bot) -> None:
    """Send pending updates side by side, those of one chat in order; an update stays until the hook says 2xx."""
    busy: set[int] = set()
    limit = asyncio.Semaphore(bot.webhook.max_connections)
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session, asyncio.TaskGroup() as group:
        while True:
            bot.queue.arrived.clear()
            for update in list(bot.queue.pending):
                chat = _chat_of(update)
                if chat not in busy:
                    busy.add(chat)
                    group.create_task(_insist(world, bot, session, update, limit)).add_done_callback(
                        partial(_next_of, bot, busy, chat)
                    )
            await bot.queue.arrived.wait()


def _next_of(bot: Bot, busy: set[int], chat: int, _done: object) -> None:
    busy.discard(chat)
    bot.queue.arrived.set()


def _chat_of(update: JSON) -> int:
    """The chat whose updates keep their order."""
    body = next(value for key, value in update.items() if key != "update_id")
    found = body.get("chat") or (body.get("message") or {}).get("chat") or body.get("from") or {}
    return int(found.get("id", 0))


async def _insist(
    world: World, bot: Bot, session: aiohttp.ClientSession, update: JSON, limit: asyncio.Semaphore
) -> None:
    """Send one update until it is taken, with growing pauses."""
    failures = 0
    while update in bot.queue.pending:
        async with limit:
            error = await _post(world, bot, session, update)
        if not error:
            with contextlib.suppress(ValueError):  # dropped meanwhile
                bot.queue.pending.remove(update)
            return
        bot.webhook.last_error, bot.webhook.last_error_at = error, int(world.now())
        await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
        failures += 1


async def _post(world: World, bot: Bot, session: aiohttp.ClientSession, update: JSON) -> str:
    """One delivery; the error in Telegram's words, or nothing."""
    headers = {"X-Telegram-Bot-Api-Secret-Token": bot.webhook.secret} if bot.webhook.secret else {}
    try:
        async with session.post(bot.webhook.url, json=update, headers=headers) as response:
            body = await response.text()
            if not 200 <= response.status < 300:
                return f"Wrong response from the webhook: {response.status} {response.reason}"
            if response.content_type == "application/json":
                _answer_in_body(world, bot, body)
            return ""
    except TimeoutError:
        return "Read timeout expired"
    except aiohttp.ClientError as error:
        return f"Connection failed: {type(error).__name__}"


def _answer_in_body(world: World, bot: Bot, body: str) -> None:
    """A hook may answer with a method call; its result, or refusal, goes nowhere."""
    with contextlib.suppress(Exception):
        params = json.loads(body)
        name = params.pop("method", "")
        if name.lower() in METHODS:
            METHODS[name.lower()](Call(world, bot, name, params))
