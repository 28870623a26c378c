"""What the page and the test client see: chats and messages as plain JSON, without file ids or tokens."""

from __future__ import annotations

from typing import Any

from .api.sending import MEDIA
from .errors import JSON
from .world import Bot, Callback, Message, Person, Room, World

BUTTON_KINDS = {
    "callback_data": "callback", "url": "url", "copy_text": "copy", "web_app": "web_app",
    "request_contact": "contact", "request_location": "location",
}  # fmt: skip


def bot_view(bot: Bot) -> JSON:
    return {
        "id": bot.id, "name": bot.name, "username": bot.username, "title": bot.title,
        "polling": bot.queue.polling(), "webhook": bot.webhook.url, "pending": len(bot.queue.pending),
        "description": bot.profile.get("description/", ""),
        "commands": next(iter(bot.profile.get("commands", {}).values()), []),
    }  # fmt: skip


def person_view(person: Person) -> JSON:
    return {
        "id": person.id, "name": " ".join(filter(None, (person.first_name, person.last_name))),
        "first_name": person.first_name, "last_name": person.last_name, "username": person.username,
        "language": person.language, "phone": person.phone, "deactivated": person.deactivated,
    }  # fmt: skip


def state_view(world: World) -> JSON:
    """The table of contents: bots, people, chats (without messages)."""
    return {
        "version": world.version,
        "bots": [bot_view(bot) for bot in world.bots.values()],
        "people": [person_view(person) for person in world.people.values()],
        "chats": [room_summary(room) for room in world.rooms.values()],
    }


def room_summary(room: Room) -> JSON:
    title = room.chat.get("title") or room.chat.get("first_name", "")
    return {
        "key": room.key, "id": room.id, "type": room.kind, "title": title, "version": room.version,
        "bot": room.bot.name if room.bot else None, "person": room.person.id if room.person else None,
        "started": room.started, "blocked": room.blocked,
    }  # fmt: skip


def room_view(world: World, room: Room, last: int = 200) -> JSON:
    """A chat with its last messages (deleted ones included and marked), keyboard, recent taps."""
    messages = list(room.messages.values())[-last:]
    at, until = room.action
    keyboard = room.keyboard
    return room_summary(room) | {
        "messages": [message_view(world, message) for message in messages],
        "keyboard": keyboard_view(keyboard),
        "keyboard_message": next((m.id for m in reversed(messages) if m.reply_keyboard), None) if keyboard else None,
        "force_reply": bool(keyboard and keyboard.get("force_reply")),
        "placeholder": (keyboard or {}).get("input_field_placeholder", ""),
        "pinned": room.pinned,
        "action": at if until > world.now() else "",
        "callbacks": [callback_view(c) for c in world.callbacks.values() if c.room is room][-20:],
        "members": {str(number): status for number, status in room.members.items()},
    }


def keyboard_view(keyboard: JSON | None) -> list[list[JSON]]:
    """The reply keyboard on the screen, empty when there is none or it has hidden itself."""
    if not keyboard or keyboard.get("_hidden"):
        return []
    return [[button_view(button) for button in row] for row in keyboard.get("keyboard", [])]


def button_view(button: JSON) -> JSON:
    """{text, kind, value}: kind is callback, url, copy, web_app, contact, location, text or other."""
    for field, kind in BUTTON_KINDS.items():
        if field in button:
            value = button[field]
            if isinstance(value, dict):
                value = value.get("text") or value.get("url")
            return {"text": button["text"], "kind": kind, "value": value}
    return {"text": button["text"], "kind": "text" if len(button) == 1 else "other", "value": button["text"]}


def message_view(world: World, message: Message) -> JSON:
    body = message.body
    text = body.get("text", body.get("caption", ""))
    rows = (message.markup or {}).get("inline_keyboard", [])
    return {
        "id": message.id, "version": message.version, "date": message.date, "from": _sender(message),
        "text": text, "entities": body.get("entities") or body.get("caption_entities") or [],
        "media": media_view(world, body), "album": body.get("media_group_id"),
        "contact": body.get("contact"), "location": body.get("location"), "venue": body.get("venue"),
        "buttons": [[button_view(button) for button in row] for row in rows],
        "edited": message.edited, "history": message.history, "deleted": message.deleted,
        "reply_to": message.reply_to, "forward": body.get("forward_origin"),
        "service": body.get("migrate_to_chat_id") or body.get("migrate_from_chat_id"),
    }  # fmt: skip


def _sender(message: Message) -> JSON:
    if message.sender:
        return {
            "id": message.sender["id"],
            "name": message.sender["first_name"],
            "is_bot": message.sender["is_bot"],
        }
    return {"id": message.room.id, "name": message.room.chat.get("title", ""), "is_bot": True}


def media_view(world: World, body: JSON) -> JSON | None:
    """The one medium of a message, with the address of its content."""
    kind = next((name for name in MEDIA if name in body), None)
    if kind is None:
        return None
    media: Any = body[kind][-1] if kind == "photo" else body[kind]
    stored = world.files.files.get(media["_file"])
    return {
        "kind": kind, "url": f"/sandbox/api/files/{media['_file']}", "unique_id": media["_file"],
        "name": media.get("file_name", ""), "size": media.get("file_size", 0), "mime": stored.mime if stored else "",
        "width": media.get("width"), "height": media.get("height"), "emoji": media.get("emoji"),
        "duration": media.get("duration"), "kept": stored is not None,
    }  # fmt: skip


def callback_view(callback: Callback) -> JSON:
    return {
        "id": callback.id, "person": callback.person_id, "message_id": callback.message_id, "data": callback.data,
        "at": callback.at, "answer": callback.answer, "chat": callback.room.key,
    }  # fmt: skip
