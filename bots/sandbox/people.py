"""What people do: write, send things, tap buttons, block a bot. Each act becomes an update for the bots."""

from __future__ import annotations

import base64
from typing import Any

from .api.profile import chat_member
from .api.render import message_json
from .api.sending import sticker_details
from .entities import find_entities
from .errors import JSON, SandboxError
from .pictures import sample_photo
from .world import ACTIVE, Bot, Callback, Message, Person, Room, World

SAMPLES = {
    "document": (b"%PDF-1.4\n% sample document\n", "sample.pdf", "application/pdf"),
    "voice": (b"OggS sample voice", "voice.oga", "audio/ogg"),
    "video": (b"\x00\x00\x00\x18ftypmp42 sample video", "video.mp4", "video/mp4"),
    "audio": (b"ID3 sample audio", "audio.mp3", "audio/mpeg"),
    "animation": (b"\x00\x00\x00\x18ftypmp42 sample animation", "animation.mp4", "video/mp4"),
    "video_note": (b"\x00\x00\x00\x18ftypmp42 sample note", "", "video/mp4"),
    "sticker": (b"RIFF\x00\x00\x00\x00WEBP sample", "sticker.webp", "image/webp"),
}
EXTRAS: dict[str, JSON] = {
    "voice": {"duration": 3, "mime_type": "audio/ogg"},
    "video": {"duration": 5, "width": 640, "height": 480},
    "audio": {"duration": 30},
    "animation": {"duration": 2, "width": 320, "height": 240},
    "video_note": {"duration": 4, "length": 240},
    "sticker": sticker_details(),
}


def open_dialog(world: World, room: Room, person: Person) -> None:
    """Prepare a room for a person's message: writing starts the bot; a blocked bot must be unblocked first."""
    if person.deactivated:
        raise SandboxError(f"{person.first_name} has deleted the account")
    if room.bot is None:
        if room.members.get(person.id) not in ACTIVE:
            raise SandboxError(f"{person.first_name} is not a member of {room.chat['title']}", 403)
        return
    if room.blocked:
        raise SandboxError(f"{person.first_name} has blocked {room.bot.name}: unblock it first")
    if not room.started:
        room.started = True


def say(world: World, room: Room, person: Person, body: JSON, **fields: Any) -> Message:
    """Post a message of a person and tell the bots of the chat."""
    open_dialog(world, room, person)
    message = world.add_message(room, person.as_user(), body, **fields)
    if room.keyboard and room.keyboard.get("one_time_keyboard"):
        room.keyboard = {**room.keyboard, "_hidden": True}
    if room.keyboard and room.keyboard.get("force_reply"):
        room.keyboard = None
    tell(world, room, "message", message)
    return message


def tell(world: World, room: Room, kind: str, message: Message) -> None:
    """Queue a message update for every bot that reads the chat."""
    for bot in readers(world, room):
        bot.queue.put(kind, message_json(world, message, bot))


def readers(world: World, room: Room) -> list[Bot]:
    if room.bot:
        return [room.bot]
    return [bot for bot in world.bots.values() if room.members.get(bot.id) in ACTIVE]


def send_text(world: World, room: Room, person: Person, text: str, reply_to: int | None = None) -> Message:
    """A text message; white space around is cut, as apps do."""
    text = text.strip()
    if not text:
        raise SandboxError("an empty message cannot be sent")
    if len(text) > 4096:
        raise SandboxError("Telegram apps split texts longer than 4096 characters")
    entities = find_entities(text, [])
    return say(world, room, person, {"text": text} | ({"entities": entities} if entities else {}), reply_to=reply_to)


def start(world: World, room: Room, person: Person, payload: str = "") -> Message:
    """Press START, or follow a deep link with a payload. A blocked bot is unblocked by it."""
    if room.blocked:
        unblock(world, room, person)
    return send_text(world, room, person, f"/start {payload}".strip())


def send_media(world: World, room: Room, person: Person, item: JSON, group: str = "") -> Message:
    """A photo, document, video, voice, sticker … from `{kind, data (base64) | absent, name, mime, caption, size}`.

    Without data a sample is made. `size` makes a file look larger than it is.
    """
    kind = str(item.get("kind", "document"))
    if kind != "photo" and kind not in SAMPLES:
        raise SandboxError(f"unknown media kind {kind!r}")
    if item.get("data"):
        content, name, mime = base64.b64decode(item["data"], validate=True), "file.bin", ""
    elif kind == "photo":
        content, name, mime = sample_photo(world.files.count), "photo.png", "image/png"
    else:
        content, name, mime = SAMPLES[kind]
    open_dialog(world, room, person)  # before the file is kept
    stored = world.files.add(kind, content, item.get("name") or name, item.get("mime") or mime, item.get("size"))
    body: JSON = {kind: world.files.media_json(stored, EXTRAS.get(kind))}
    if item.get("caption"):
        body["caption"] = str(item["caption"])[:1024]
    if group:
        body["media_group_id"] = group
    return say(world, room, person, body)


def send_album(world: World, room: Room, person: Person, items: list[JSON]) -> list[Message]:
    """Two to ten media as one album: separate messages with one media_group_id."""
    if not 2 <= len(items) <= 10:
        raise SandboxError("an album holds 2 to 10 files")
    group = world.unique()
    return [send_media(world, room, person, item, group) for item in items]


def send_contact(world: World, room: Room, person: Person, other: JSON | None = None) -> Message:
    """The person's own number (with user_id), or somebody else's card `{phone_number, first_name, user_id?}`."""
    own: JSON = {"phone_number": person.phone.lstrip("+"), "first_name": person.first_name, "user_id": person.id}
    if person.last_name:
        own["last_name"] = person.last_name
    return say(world, room, person, {"contact": other or own}, reply_to=keyboard_message(room) if not other else None)


def keyboard_message(room: Room) -> int | None:
    """The message that brought the reply keyboard: a shared contact answers it, as in the apps."""
    if not room.keyboard or "keyboard" not in room.keyboard:
        return None
    return next((m.id for m in reversed(room.messages.values()) if m.reply_keyboard and not m.deleted), None)


def send_location(world: World, room: Room, person: Person, latitude: float, longitude: float) -> Message:
    return say(world, room, person, {"location": {"latitude": latitude, "longitude": longitude}})


def edit(world: World, room: Room, person: Person, message_id: int, text: str) -> Message:
    """A person edits an own text."""
    message = room.messages.get(message_id)
    if message is None or message.deleted or (message.sender or {}).get("id") != person.id:
        raise SandboxError(f"no own message {message_id} to edit", 404)
    world.remember_edit(message)
    message.body = {**message.body, "text": text, "entities": find_entities(text, [])}
    message.edited = int(world.now())
    world.touch(room, message)
    tell(world, room, "edited_message", message)
    return message


def tap(world: World, room: Room, person: Person, message: Message, button: JSON) -> Callback:
    """Tap an inline button with callback_data: a callback query for the bot that wrote the message."""
    if room.blocked or person.deactivated:
        raise SandboxError(f"{person.first_name} cannot tap: the bot is blocked")
    author = (message.sender or {}).get("id") or message.body.get("_author")
    bot = world.bot_by_id(int(author or 0))
    if bot is None:
        raise SandboxError("the message was not written by a bot")
    callback = Callback(world.unique(), bot.id, room, person.id, message.id, button["callback_data"], world.now())
    world.add_callback(callback)
    query: JSON = {
        "id": callback.id,
        "from": person.as_user(),
        "message": message_json(world, message, bot),
        "chat_instance": str(-(7_000_000_000_000 + room.id * 31 + bot.id)),
        "data": callback.data,
    }
    bot.queue.put("callback_query", query)
    world.touch(room)
    return callback


def block(world: World, room: Room, person: Person) -> None:
    """Block the bot; it gets a my_chat_member update."""
    _membership(world, room, person, blocked=True)


def unblock(world: World, room: Room, person: Person) -> None:
    """Take the block away; the dialog is started."""
    _membership(world, room, person, blocked=False)
    room.started = True


def _membership(world: World, room: Room, person: Person, *, blocked: bool) -> None:
    if room.bot is None:
        raise SandboxError("only a dialog with a bot can be blocked")
    if room.blocked == blocked:
        return
    room.blocked = blocked
    states = ("member", "kicked") if blocked else ("kicked", "member")
    _my_chat_member(world, room, room.bot, person.as_user(), *states)
    world.touch(room)


def _my_chat_member(world: World, room: Room, bot: Bot, by: JSON, old: str, new: str) -> None:
    body: JSON = {"chat": room.chat, "from": by, "date": int(world.now())}
    body |= {"old_chat_member": chat_member(bot.as_user(), old), "new_chat_member": chat_member(bot.as_user(), new)}
    bot.queue.put("my_chat_member", body)


def set_member(world: World, room: Room, member_id: int, status: str, by: Person | None = None) -> None:
    """Change who is in a group or channel; a bot hears of its own change."""
    if status not in (*ACTIVE, "left", "kicked"):
        raise SandboxError(f"unknown status {status!r}")
    old, room.members[member_id] = room.members.get(member_id, "left"), status
    bot = world.bot_by_id(member_id)
    if bot and old != status:
        actor = by.as_user() if by else {"id": 777000, "is_bot": False, "first_name": "Telegram"}
        _my_chat_member(world, room, bot, actor, old, status)
    world.touch(room)


def migrate(world: World, room: Room, new_id: int) -> Room:
    """Turn a group into a supergroup: the old id answers 400 with migrate_to_chat_id from now on."""
    if room.kind != "group":
        raise SandboxError("only a basic group can be upgraded")
    successor = world.add_chat(new_id, "supergroup", room.chat["title"])
    successor.members = dict(room.members)
    by: JSON = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
    old = world.add_message(room, by, {"migrate_to_chat_id": new_id})
    new = world.add_message(successor, by, {"migrate_from_chat_id": room.id})
    tell(world, room, "message", old)
    tell(world, successor, "message", new)
    room.migrated_to = new_id
    return successor
