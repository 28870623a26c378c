"""Acts of people by name, as the control API takes them: each gets the chat, the person and a JSON body."""

from __future__ import annotations

from collections.abc import Callable

from . import people
from .errors import JSON, SandboxError
from .views import button_view, keyboard_view, message_view
from .world import Message, Person, Room, World

Act = Callable[[World, Room, Person, JSON], JSON]
MOSCOW = (55.7558, 37.6173)
ACTS: dict[str, Act] = {}


def act(name: str) -> Callable[[Act], Act]:
    """Register an act."""

    def register(function: Act) -> Act:
        ACTS[name] = function
        return function

    return register


def sent(world: World, message: Message) -> JSON:
    return {"kind": "sent", "message": message_view(world, message)}


@act("start")
def start(world: World, room: Room, person: Person, body: JSON) -> JSON:
    """{payload?}: press START or follow a deep link."""
    return sent(world, people.start(world, room, person, str(body.get("payload", ""))))


@act("text")
def text(world: World, room: Room, person: Person, body: JSON) -> JSON:
    """{text, reply_to?}."""
    return sent(world, people.send_text(world, room, person, str(body["text"]), body.get("reply_to")))


@act("media")
def media(world: World, room: Room, person: Person, body: JSON) -> JSON:
    """{kind, data?, name?, mime?, caption?, size?}."""
    return sent(world, people.send_media(world, room, person, body))


@act("album")
def album(world: World, room: Room, person: Person, body: JSON) -> JSON:
    """{items: [media …]}."""
    messages = people.send_album(world, room, person, list(body["items"]))
    return sent(world, messages[0]) | {"messages": [message_view(world, m) for m in messages]}


@act("contact")
def contact(world: World, room: Room, person: Person, body: JSON) -> JSON:
    """{contact?}: the own number, or another card."""
    return sent(world, people.send_contact(world, room, person, body.get("contact")))


@act("location")
def location(world: World, room: Room, person: Person, body: JSON) -> JSON:
    """{latitude, longitude}; the middle of Moscow by default."""
    place = float(body.get("latitude", MOSCOW[0])), float(body.get("longitude", MOSCOW[1]))
    return sent(world, people.send_location(world, room, person, *place))


@act("edit")
def edit(world: World, room: Room, person: Person, body: JSON) -> JSON:
    """{message_id, text}."""
    return sent(world, people.edit(world, room, person, int(body["message_id"]), str(body["text"])))


@act("forward")
def forward(world: World, room: Room, person: Person, body: JSON) -> JSON:
    """{text, from_name}: a text forwarded from somebody whose account is hidden."""
    name = str(body.get("from_name", "Somebody"))
    origin = {"type": "hidden_user", "date": int(world.now()), "sender_user_name": name}
    return sent(world, people.say(world, room, person, {"text": str(body["text"]), "forward_origin": origin}))


@act("block")
def block(world: World, room: Room, person: Person, body: JSON) -> JSON:
    people.block(world, room, person)
    return {"blocked": room.blocked}


@act("unblock")
def unblock(world: World, room: Room, person: Person, body: JSON) -> JSON:
    people.unblock(world, room, person)
    return {"blocked": room.blocked}


@act("member")
def member(world: World, room: Room, person: Person, body: JSON) -> JSON:
    """{member: bot name or person id, status}: change who is in a group or channel."""
    name = str(body["member"])
    number = int(name) if name.isdecimal() and int(name) in world.people else world.bot(name).id
    people.set_member(world, room, number, str(body.get("status", "member")), person)
    return {"members": {str(n): status for n, status in room.members.items()}}


@act("migrate")
def migrate(world: World, room: Room, person: Person, body: JSON) -> JSON:
    """{id}: upgrade a group to a supergroup with the new id."""
    return {"key": people.migrate(world, room, int(body["id"])).key}


@act("press")
def press(world: World, room: Room, person: Person, body: JSON) -> JSON:
    """{message_id, row, column} or {message_id, data}: an inline button; {row, column}: the reply keyboard.

    Answers {kind: "callback", callback} · {kind: "url" | "copy" | "web_app", value} · {kind: "sent", message}.
    """
    if "message_id" not in body:
        return _press_reply(world, room, person, int(body["row"]), int(body["column"]))
    message = room.messages.get(int(body["message_id"]))
    if message is None or message.deleted:
        raise SandboxError(f"no message {body['message_id']} on the screen", 404)
    button = _inline_button(message, body)
    view = button_view(button)
    if view["kind"] == "callback":
        callback = people.tap(world, room, person, message, button)
        return {"kind": "callback", "callback": callback.id, "value": callback.data}
    return {"kind": view["kind"], "value": view["value"]}


def _inline_button(message: Message, body: JSON) -> JSON:
    rows = (message.markup or {}).get("inline_keyboard", [])
    if "data" in body:
        for button in (b for row in rows for b in row):
            if button.get("callback_data") == body["data"]:
                return dict(button)
        if body.get("stale"):  # a tap on a button that was edited away a moment ago
            return {"text": "", "callback_data": str(body["data"])}
        raise SandboxError(f"no button with the data {body['data']!r} in message {message.id}", 404)
    try:
        return dict(rows[int(body["row"])][int(body["column"])])
    except IndexError:
        raise SandboxError(f"no such button in message {message.id}", 404) from None


def _press_reply(world: World, room: Room, person: Person, row: int, column: int) -> JSON:
    try:
        button = keyboard_view(room.keyboard)[row][column]
    except IndexError:
        raise SandboxError("no such button on the reply keyboard", 404) from None
    if button["kind"] == "contact":
        return contact(world, room, person, {})
    if button["kind"] == "location":
        return location(world, room, person, {})
    return sent(world, people.send_text(world, room, person, button["text"]))
