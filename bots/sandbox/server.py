"""The HTTP face of the Bot API: `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

from aiohttp import BodyPartReader, web

from .api.call import METHODS, Call, Upload, load_json
from .errors import JSON, ApiError, bad_request, conflict
from .faults import Fault
from .world import Bot, World

MAX_BODY = 80 * 1024 * 1024
WORLD: web.AppKey[World] = web.AppKey("world", World)
MAX_POLL = 50
WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


class Cut(Exception):
    """Close the connection without an answer."""


def reply(body: JSON, status: int = 200) -> web.Response:
    """A JSON answer; 429 also carries the Retry-After header."""
    headers = {}
    if retry := (body.get("parameters") or {}).get("retry_after"):
        headers["Retry-After"] = str(retry)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return web.Response(text=text, status=status, headers=headers, content_type="application/json")


async def handle_method(request: web.Request) -> web.StreamResponse:
    """One Bot API call from the first byte to the last."""
    world = request.app[WORLD]
    bot = world.tokens.get(request.match_info["token"])
    name = request.match_info["method"]
    started = time.perf_counter()
    status, description = 200, ""
    call = None
    try:
        if bot is None:
            raise ApiError(401, "Unauthorized")
        call = await read_call(world, bot, name, request)
        result = await perform_shaped(call)
        body: JSON = {"ok": True, "result": result} | ({"description": call.notice} if call.notice else {})
        return reply(body)
    except ApiError as error:
        status, description = error.code, error.description
        return reply(error.as_json(), error.code)
    except Cut:
        status, description = 0, "connection closed"
        return hang_up(request)
    finally:
        note(world, bot, name, call, status, description, time.perf_counter() - started)


async def perform_shaped(call: Call) -> Any:
    """`perform`; parameters of a wrong shape are 400, as on the real server (in words of our own)."""
    try:
        return await perform(call)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise bad_request(f"can't parse parameters: {type(error).__name__}: {error}") from error


async def perform(call: Call) -> Any:
    """Faults first, then the method. Raises ApiError or Cut."""
    fault = call.world.faults.strike(call.method, call.bot.name, chat_of(call))
    if fault:
        await before(fault)
    if call.method.lower() == "getupdates":
        result = await get_updates(call)
    else:
        handler = METHODS.get(call.method.lower())
        if handler is None:
            raise ApiError(404, "Not Found")
        result = handler(call)
    if fault and fault.kind == "cut":
        raise Cut
    return result


async def before(fault: Fault) -> None:
    """The part of a fault that comes before any work."""
    if fault.kind == "refuse":
        raise Cut
    if fault.kind in ("hang", "slow"):
        await asyncio.sleep(fault.seconds)
    if fault.kind == "hang":
        raise Cut
    if fault.kind not in ("slow", "cut"):
        raise fault.error()


def hang_up(request: web.Request) -> web.Response:
    """Drop the connection: the client sees it closed with no answer."""
    if request.transport:
        request.transport.abort()
    return web.Response()


def chat_of(call: Call) -> int | None:
    """The chat a call speaks to, when it is a number."""
    value = call.text("chat_id")
    return int(value) if value.lstrip("-").isdecimal() else None


def note(world: World, bot: Bot | None, name: str, call: Call | None, status: int, why: str, took: float) -> None:
    """Keep a line about the call for tests and for the page; no message bodies."""
    who = bot.name if bot else "?"
    known = name.lower() in METHODS or name.lower() == "getupdates"
    world.stats[f"{who} {name if known else 'other'} {status}"] += 1
    if name.lower() == "getupdates":
        return
    line = {"at": world.now(), "bot": who, "method": name, "status": status, "ms": round(took * 1000, 2)}
    chat = chat_of(call) if call else None
    world.calls.append(line | ({"chat": chat} if chat else {}) | ({"description": why} if why else {}))


async def get_updates(call: Call) -> list[JSON]:
    """Long poll of the queue. Raises 409 for a webhook or a second poller."""
    if call.bot.webhook.url:
        raise conflict(WEBHOOK_ACTIVE)
    allowed = call.json("allowed_updates")
    if allowed is not None:
        if not isinstance(allowed, list):
            raise bad_request("allowed_updates must be an Array")
        call.bot.queue.allowed = set(allowed) or None
    limit = call.integer("limit", 100)
    timeout = min(max(call.integer("timeout"), 0), MAX_POLL)
    was_polling = call.bot.queue.polling()
    pending = call.bot.queue.get(call.integer("offset"), limit if 1 <= limit <= 100 else 100, timeout)
    if not was_polling:
        call.world.touch()  # the page shows who is alive
    return await pending


async def read_call(world: World, bot: Bot, name: str, request: web.Request) -> Call:
    """Parameters from the query, a form, a JSON body or multipart. Raises 400 for a broken body."""
    params: JSON = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "application/json":
        with contextlib.suppress(ValueError):
            body = load_json(await request.text() or "{}")
            return Call(world, bot, name, params | (body if isinstance(body, dict) else {}))
        raise bad_request("can't parse request: invalid JSON")
    if request.content_type == "multipart/form-data":
        await read_multipart(request, params, uploads)
    elif request.content_type == "application/x-www-form-urlencoded":
        params |= dict(await request.post())
    return Call(world, bot, name, params, uploads)


async def read_multipart(request: web.Request, params: JSON, uploads: dict[str, Upload]) -> None:
    """Fields go to `params`, parts with a file name to `uploads`."""
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        content = bytes(await part.read(decode=True))
        if len(content) > MAX_BODY:
            raise ApiError(413, "Request Entity Too Large")
        if part.filename is None:
            params[part.name or ""] = content.decode()
        else:
            mime = part.headers.get("Content-Type", "")
            uploads[part.name or ""] = Upload(part.filename, mime, content)


async def handle_file(request: web.Request) -> web.StreamResponse:
    """A download by the path getFile gave to this bot."""
    world = request.app[WORLD]
    bot = world.tokens.get(request.match_info["token"])
    try:
        if bot is None:
            raise ApiError(401, "Unauthorized")
        fault = world.faults.strike("getFileContent", bot.name, None)
        if fault:
            await before(fault)
        stored = world.files.files.get(bot.paths.get(request.match_info["path"], ""))
        if stored is None:
            raise ApiError(404, "Not Found")
    except Cut:
        return hang_up(request)
    except ApiError as error:
        return reply(error.as_json(), error.code)
    return web.Response(body=stored.content, content_type="application/octet-stream")


async def handle_unknown(request: web.Request) -> web.StreamResponse:
    return reply(ApiError(404, "Not Found").as_json(), 404)
