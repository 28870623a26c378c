"""Methods that make messages: text, media, albums, contacts, places, copies and forwards."""

from __future__ import annotations

from typing import Any

from bots.sandbox.errors import JSON, ApiError, bad_request
from bots.sandbox.files import StoredFile
from bots.sandbox.keyboards import is_inline
from bots.sandbox.world import Message, Room

from .call import MAX_TEXT, Call, method
from .render import message_json

MEDIA = ("photo", "document", "video", "voice", "audio", "animation", "sticker", "video_note")
TITLES = {name: name.title().replace("_", "") for name in MEDIA}
ALBUM = ("photo", "video", "document", "audio")


def post(call: Call, room: Room, body: JSON, *, group: str = "", silent_limits: bool = False) -> Message:
    """Store a message of the calling bot and what it does to the person's reply keyboard."""
    if not silent_limits:
        call.world.limits.check(call.bot.id, room.id)
    markup = call.markup()
    body = {**body} | ({"media_group_id": group} if group else {})
    if call.flag("protect_content"):
        body["has_protected_content"] = True
    channel = room.kind == "channel"
    if channel:
        body["_author"] = call.bot.id
    message = call.world.add_message(
        room,
        None if channel else call.bot.as_user(),
        body,
        markup=markup if is_inline(markup) else None,
        reply_keyboard=bool(markup) and not is_inline(markup),
        reply_to=_reply_target(call, room),
    )
    if markup and not is_inline(markup):
        room.keyboard = None if markup.get("remove_keyboard") else markup
    _tell_channel(call, room, message)
    return message


def _reply_target(call: Call, room: Room) -> int | None:
    reply = call.json("reply_parameters") or {}
    wanted = int(reply.get("message_id") or call.integer("reply_to_message_id"))
    if not wanted:
        return None
    target = room.messages.get(wanted)
    if target is None or target.deleted:
        if reply.get("allow_sending_without_reply") or call.flag("allow_sending_without_reply"):
            return None
        raise bad_request("message to be replied not found")
    return wanted


def _tell_channel(call: Call, room: Room, message: Message) -> None:
    """Other bots of a channel are told about the post."""
    if room.kind != "channel":
        return
    for bot in call.world.bots.values():
        if bot is not call.bot and room.members.get(bot.id) in ("creator", "administrator"):
            bot.queue.put("channel_post", message_json(call.world, message, bot))


@method("sendMessage")
def send_message(call: Call) -> JSON:
    room = call.writable_room()
    text, entities = call.formatted("text", "entities")
    if not text:
        raise bad_request("message text is empty")
    if len(text) > MAX_TEXT:
        raise bad_request("message is too long")
    body: JSON = {"text": text} | ({"entities": entities} if entities else {})
    return message_json(call.world, post(call, room, body), call.bot)


@method(*(f"send{title}" for title in TITLES.values()))
def send_media(call: Call) -> JSON:
    kind = next(name for name, title in TITLES.items() if call.method.lower() == f"send{title}".lower())
    room = call.writable_room()
    stored = pick_file(call, kind, call.params.get(kind, kind if kind in call.uploads else None))
    body = media_body(call, kind, stored)
    return message_json(call.world, post(call, room, body), call.bot)


def media_body(call: Call, kind: str, stored: StoredFile, source: JSON | None = None) -> JSON:
    """Body of a media message with its caption and details."""
    box = call.params if source is None else source
    extra: JSON = {}
    if kind in ("video", "voice", "audio", "animation", "video_note"):
        extra["duration"] = int(box.get("duration") or 1)
    if kind in ("video", "animation"):
        extra |= {"width": int(box.get("width") or 640), "height": int(box.get("height") or 480)}
    if kind == "video_note":
        extra["length"] = int(box.get("length") or 240)
    if kind == "sticker":
        extra |= sticker_details()
    body: JSON = {kind: call.world.files.media_json(stored, extra)}
    if str(box.get("has_spoiler", "")).lower() in ("true", "1"):
        body["has_media_spoiler"] = True
    return body | (call.caption(source) if kind not in ("sticker", "video_note") else {})


def sticker_details(emoji: str = "👍") -> JSON:
    return {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False, "emoji": emoji}


def pick_file(call: Call, kind: str, value: Any) -> StoredFile:
    """The file meant by an upload, `attach://name`, or a file_id of this bot.

    Raises "there is no … in the request", "wrong file identifier/HTTP URL specified", "can't use file of type …".
    """
    text = str(value or "")
    upload = call.uploads.get(text.removeprefix("attach://") if text.startswith("attach://") else text)
    if upload:
        return call.world.files.add(kind, upload.content, upload.name, upload.mime)
    if not text:
        raise bad_request(f"there is no {kind.replace('_', ' ')} in the request")
    if text.startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content")
    stored = call.world.files.by_file_id(call.bot.id, text)
    if stored is None:
        raise bad_request("wrong file identifier/HTTP URL specified")
    if stored.kind != kind:
        raise bad_request(f"can't use file of type {TITLES[stored.kind]} as {TITLES[kind]}")
    return stored


@method("sendMediaGroup")
def send_media_group(call: Call) -> list[JSON]:
    room = call.writable_room()
    items = call.json("media")
    if not isinstance(items, list):
        raise bad_request("media must be an Array")
    if not 2 <= len(items) <= 10:
        raise bad_request(f"too {'few' if len(items) < 2 else 'many'} messages to send as an album")
    kinds = [_album_kind(item) for item in items]
    if len(set(kinds)) > 1 and not set(kinds) <= {"photo", "video"}:
        raise bad_request("document and audio can't be mixed with other media types in an album")
    bodies = [
        media_body(call, kind, pick_file(call, kind, item.get("media")), item)
        for kind, item in zip(kinds, items, strict=True)
    ]
    call.world.limits.check(call.bot.id, room.id, len(items))
    group = call.world.unique()
    sent = [post(call, room, body, group=group, silent_limits=True) for body in bodies]
    return [message_json(call.world, message, call.bot) for message in sent]


def _album_kind(item: Any) -> str:
    kind = str(item.get("type", "")) if isinstance(item, dict) else ""
    if kind not in ALBUM:
        raise bad_request(f'can\'t parse InputMedia: type "{kind}" is unsupported in an album')
    return kind


@method("sendLocation", "sendVenue")
def send_location(call: Call) -> JSON:
    room = call.writable_room()
    location = {"latitude": _number(call, "latitude", 90), "longitude": _number(call, "longitude", 180)}
    body: JSON = {"location": location}
    if call.method.lower() == "sendvenue":
        body["venue"] = {"location": location, "title": call.text("title"), "address": call.text("address")}
    return message_json(call.world, post(call, room, body), call.bot)


def _number(call: Call, name: str, limit: float) -> float:
    try:
        value = float(call.text(name))
    except ValueError:
        raise bad_request(f"{name} is empty") from None
    if abs(value) > limit:
        raise bad_request("wrong location specified")
    return value


@method("sendContact")
def send_contact(call: Call) -> JSON:
    room = call.writable_room()
    phone, first = call.text("phone_number"), call.text("first_name")
    if not phone:
        raise bad_request("phone number is empty")
    if not first:
        raise bad_request("first name is empty")
    contact: JSON = {"phone_number": phone, "first_name": first}
    contact |= {"last_name": call.text("last_name")} if call.text("last_name") else {}
    return message_json(call.world, post(call, room, {"contact": contact}), call.bot)


@method("sendChatAction")
def send_chat_action(call: Call) -> bool:
    room = call.writable_room()
    action = call.text("action")
    if not action:
        raise bad_request("wrong parameter action in request")
    room.action = (action, call.world.now() + 5)
    call.world.touch(room)
    return True


@method("copyMessage", "copyMessages")
def copy_message(call: Call) -> Any:
    room = call.writable_room()
    source = call.room("from_chat_id")
    if call.method.lower() == "copymessages":
        found = [source.messages.get(int(n)) for n in call.json("message_ids") or []]
        copies = [post(call, room, copied_body(m)) for m in found if m and not m.deleted]
        return [{"message_id": message.id} for message in copies]
    body = copied_body(call.message(source, "message to copy"))
    if "caption" in call.params and "text" not in body:
        body = {k: v for k, v in body.items() if not k.startswith("caption")} | call.caption()
    return {"message_id": post(call, room, body).id}


def copied_body(message: Message) -> JSON:
    """What survives a copy: no author, no album."""
    dropped = ("_author", "media_group_id", "forward_origin", "pinned_message")
    return {key: value for key, value in message.body.items() if key not in dropped}


@method("forwardMessage")
def forward_message(call: Call) -> JSON:
    room = call.writable_room()
    source = call.message(call.room("from_chat_id"), "message to forward")
    if source.body.get("has_protected_content"):
        raise ApiError(400, "Bad Request: message can't be forwarded")
    call.params.pop("reply_markup", None)
    body = copied_body(source) | {"forward_origin": forward_origin(source)}
    return message_json(call.world, post(call, room, body), call.bot)


def forward_origin(message: Message) -> JSON:
    """Where a forwarded message comes from."""
    if known := message.body.get("forward_origin"):
        return dict(known)
    if message.sender:
        return {"type": "user", "date": message.date, "sender_user": message.sender}
    return {"type": "channel", "date": message.date, "chat": message.room.chat, "message_id": message.id}
