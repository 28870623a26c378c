"""The control API under `/sandbox/api/`: people, chats, acts, faults, waiting for changes. JSON in and out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from .acts import ACTS
from .errors import JSON, ApiError, SandboxError
from .faults import Fault
from .server import WORLD
from .views import bot_view, callback_view, person_view, room_view, state_view
from .world import ACTIVE, Person, Room, World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
INLINE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
MAX_WAIT = 60.0
HEARTBEAT = 3.0


def add_control_routes(app: web.Application) -> None:
    """Attach the control API to the application."""
    base = "/sandbox/api"
    for verb, path, handler in (
        ("GET", "/state", get_state),
        ("POST", "/reset", reset),
        ("GET", "/people", list_people),
        ("POST", "/people", add_person),
        ("POST", "/chats", add_chat),
        ("GET", "/chats/{key}", get_chat),
        ("POST", "/chats/{key}/{act}", do_act),
        ("GET", "/callbacks/{id}", get_callback),
        ("GET", "/faults", get_faults),
        ("POST", "/faults", add_fault),
        ("DELETE", "/faults", clear_faults),
        ("DELETE", "/faults/{id}", clear_faults),
        ("POST", "/down", set_down),
        ("GET", "/calls", get_calls),
        ("GET", "/events", events),
    ):
        app.router.add_route(verb, base + path, guarded(handler))
    app.router.add_get(base + "/bots", guarded(list_bots))
    app.router.add_get(base + "/files/{unique}", guarded(get_file))


def guarded(handler: Handler) -> Handler:
    """Errors become JSON; requests from foreign web pages are refused."""

    async def wrapped(request: web.Request) -> web.StreamResponse:
        try:
            _same_origin(request)
            return await handler(request)
        except SandboxError as error:
            return web.json_response({"error": str(error)}, status=error.status)
        except ApiError as error:
            return web.json_response({"error": error.description}, status=error.code)
        except (KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": f"bad request: {type(error).__name__}: {error}"}, status=400)

    return wrapped


def _same_origin(request: web.Request) -> None:
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        raise SandboxError("requests from other sites are not taken", 403)
    if request.method == "POST" and request.content_type != "application/json":
        raise SandboxError("send JSON with Content-Type: application/json", 415)


async def body_of(request: web.Request) -> JSON:
    """The JSON object of a POST; an empty body is an empty object."""
    body = json.loads(await request.text() or "{}")
    if not isinstance(body, dict):
        raise SandboxError("a JSON object is expected")
    return body


def number(request: web.Request, name: str, default: float) -> float:
    return float(request.query.get(name, default))


async def get_state(request: web.Request) -> web.Response:
    world = request.app[WORLD]
    if "wait" in request.query:
        await world.wait(int(number(request, "since", 0)), min(number(request, "wait", 0), MAX_WAIT))
    return web.json_response(state_view(world))


async def reset(request: web.Request) -> web.Response:
    """Forget people, dialogs, messages, faults and pending updates; bots, groups and channels stay, emptied."""
    world = request.app[WORLD]
    for room in world.chats.values():
        room.messages.clear()
        world.touch(room)
    for key in [room.key for room in world.private.values()]:
        del world.rooms[key]
    for bot in world.bots.values():
        bot.queue.pending.clear()
    world.private.clear()
    world.people.clear()
    world.callbacks.clear()
    world.calls.clear()
    world.stats.clear()
    world.limits.forget()
    world.faults.clear()
    world.touch()
    return web.json_response({"version": world.version})


async def list_bots(request: web.Request) -> web.Response:
    return web.json_response([bot_view(bot) for bot in request.app[WORLD].bots.values()])


async def list_people(request: web.Request) -> web.Response:
    return web.json_response([person_view(person) for person in request.app[WORLD].people.values()])


async def add_person(request: web.Request) -> web.Response:
    """{id?, name | first_name, last_name?, username?, language?, phone?, deactivated?, bots?: [names]}."""
    world = request.app[WORLD]
    body = await body_of(request)
    first = str(body.get("first_name") or body.get("name") or "").strip()
    if not first:
        raise SandboxError("a person needs a name")
    number_ = int(body.get("id") or max([5000, *world.people]) + 1)
    if number_ <= 0:
        raise SandboxError("a person's id is a positive number")
    known = {name: str(body[name]) for name in ("last_name", "username", "language", "phone") if body.get(name)}
    person = world.add_person(Person(number_, first, deactivated=bool(body.get("deactivated")), **known))
    for name in body.get("bots", []):
        world.private_room(world.bot(name), person)
    return web.json_response(person_view(person))


async def add_chat(request: web.Request) -> web.Response:
    """{id, type, title, username?, members: {bot name or person id: status}}; unknown members are refused."""
    world = request.app[WORLD]
    body = await body_of(request)
    kind = str(body.get("type", "channel"))
    if int(body["id"]) >= 0 or kind not in ("group", "supergroup", "channel"):
        raise SandboxError("a chat needs a negative id and the type group, supergroup or channel")
    room = world.add_chat(int(body["id"]), kind, str(body.get("title") or body["id"]), str(body.get("username", "")))
    for name, status in dict(body.get("members", {})).items():
        room.members[member_id(world, name)] = str(status)
    return web.json_response(room_view(world, room))


def member_id(world: World, name: Any) -> int:
    """A person's id or a bot's name as an account id."""
    if str(name).isdecimal() and int(name) in world.people:
        return int(name)
    return world.bot(str(name)).id


def room_of(world: World, key: str) -> Room:
    """The chat for a key; "person:bot" is opened when both exist."""
    person, _, bot = key.partition(":")
    if bot and person.isdecimal():
        return world.private_room(world.bot(bot), world.person(int(person)))
    return world.room(key)


async def get_chat(request: web.Request) -> web.Response:
    """The chat; with `since` and `wait`, answered when it becomes newer than that version."""
    world = request.app[WORLD]
    room = room_of(world, request.match_info["key"])
    if "wait" in request.query:
        await world.wait(int(number(request, "since", 0)), min(number(request, "wait", 0), MAX_WAIT), room)
    view = room_view(world, room, max(1, int(number(request, "last", 200))))
    return web.json_response(view)


async def do_act(request: web.Request) -> web.Response:
    """An act of a person in a chat, see `acts`."""
    world = request.app[WORLD]
    act = ACTS.get(request.match_info["act"])
    if act is None:
        raise SandboxError(f"unknown act; acts: {', '.join(sorted(ACTS))}", 404)
    room = room_of(world, request.match_info["key"])
    body = await body_of(request)
    person = room.person or actor(world, room, body)
    return web.json_response(act(world, room, person, body) | {"version": world.version})


def actor(world: World, room: Room, body: JSON) -> Person:
    """Who acts in a group or channel: `person` of the body, else its first human member."""
    if "person" in body:
        return world.person(int(body["person"]))
    for number_, status in room.members.items():
        if number_ in world.people and status in ACTIVE:
            return world.people[number_]
    return Person(777000, "Telegram")


async def get_callback(request: web.Request) -> web.Response:
    """A tap; with `wait`, answered as soon as the bot has answered it."""
    world = request.app[WORLD]
    callback = world.callbacks.get(request.match_info["id"])
    if callback is None:
        raise SandboxError("no such callback query", 404)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(number(request, "wait", 0), MAX_WAIT)
    while callback.answer is None and (left := deadline - loop.time()) > 0:
        await world.wait(world.version, left)
    return web.json_response(callback_view(callback))


async def get_faults(request: web.Request) -> web.Response:
    return web.json_response(request.app[WORLD].faults.as_json())


async def add_fault(request: web.Request) -> web.Response:
    """A `Fault` by its fields."""
    body = await body_of(request)
    allowed = set(Fault.__dataclass_fields__) - {"id", "hits"}
    if unknown := set(body) - allowed:
        raise SandboxError(f"unknown fields: {', '.join(sorted(unknown))}")
    fault = request.app[WORLD].faults.add(Fault(**{**body, "kind": str(body.get("kind", ""))}))
    return web.json_response(asdict(fault))


async def clear_faults(request: web.Request) -> web.Response:
    number_ = request.match_info.get("id")
    request.app[WORLD].faults.clear(int(number_) if number_ else None)
    return web.json_response(request.app[WORLD].faults.as_json())


async def set_down(request: web.Request) -> web.Response:
    """{seconds}: nothing of the Bot API answers for that long; 0 ends it."""
    world = request.app[WORLD]
    world.faults.down(float((await body_of(request)).get("seconds", 10)))
    return web.json_response(world.faults.as_json())


async def get_calls(request: web.Request) -> web.Response:
    """The latest Bot API calls (getUpdates left out), filtered by `bot` and `method`, with counts and peaks."""
    world = request.app[WORLD]
    wanted = {name: request.query[name].lower() for name in ("bot", "method", "status") if name in request.query}
    calls = [c for c in world.calls if all(str(c[name]).lower() == value for name, value in wanted.items())]
    return web.json_response({"calls": calls, "stats": dict(world.stats), "peaks": world.limits.peaks})


async def get_file(request: web.Request) -> web.Response:
    """Content for the page. Only pictures are shown in place: anything else is a download, so that it cannot run."""
    stored = request.app[WORLD].files.files.get(request.match_info["unique"])
    if stored is None:
        raise SandboxError("the file is no longer kept", 404)
    inline = stored.mime in INLINE_TYPES or stored.kind == "photo"
    kind = stored.mime if stored.mime in INLINE_TYPES else "image/png" if inline else "application/octet-stream"
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
        "Content-Disposition": "inline" if inline else "attachment",
        "Cache-Control": "private, max-age=3600",
    }
    return web.Response(body=stored.content, content_type=kind, headers=headers)


async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events: the state's table of contents at each change (bundled) and every few seconds."""
    world = request.app[WORLD]
    headers = {"Cache-Control": "no-store", "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    try:
        while True:
            seen = world.version
            await response.write(f"data: {json.dumps(state_view(world), ensure_ascii=False)}\n\n".encode())
            await world.wait(seen, HEARTBEAT)
            await asyncio.sleep(0.03)  # a burst of changes is one event
    except (ConnectionError, asyncio.CancelledError):
        pass
    return response
