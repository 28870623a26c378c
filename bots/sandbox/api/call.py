"""One request to the Bot API: its parameters read the way the real server reads them, and its chat."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bots.sandbox.entities import find_entities
from bots.sandbox.errors import JSON, ApiError, bad_request, forbidden
from bots.sandbox.keyboards import check_markup
from bots.sandbox.markup import parse_html, trim
from bots.sandbox.world import ACTIVE, Bot, Message, Room, World

MAX_TEXT = 4096
MAX_CAPTION = 1024


@dataclass(slots=True)
class Upload:
    """A file part of a multipart request."""

    name: str
    mime: str
    content: bytes


@dataclass(slots=True)
class Call:
    """A request: who calls what with which parameters."""

    world: World
    bot: Bot
    method: str
    params: JSON
    uploads: dict[str, Upload] = field(default_factory=dict)
    notice: str = ""  # the optional `description` of a successful answer

    def text(self, name: str, default: str = "") -> str:
        """A string parameter; numbers become strings."""
        value = self.params.get(name)
        return default if value is None else value if isinstance(value, str) else json.dumps(value)

    def integer(self, name: str, default: int = 0) -> int:
        """A number; the real server reads garbage as 0."""
        try:
            return int(str(self.params.get(name, default)))
        except ValueError:
            return 0

    def flag(self, name: str) -> bool:
        """true, 1, yes, "True"."""
        return str(self.params.get(name, "")).lower() in ("true", "1", "yes")

    def json(self, name: str) -> Any:
        """A structured parameter: a JSON string in forms, a value in JSON bodies. None when absent or empty."""
        value = self.params.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return load_json(value)
        except ValueError:
            what = "reply keyboard markup" if name == "reply_markup" else name
            raise bad_request(f"can't parse {what} JSON object") from None

    def markup(self) -> JSON | None:
        """The checked reply_markup."""
        return check_markup(self.json("reply_markup"))

    def formatted(self, name: str, entities_name: str, source: JSON | None = None) -> tuple[str, list[JSON]]:
        """A text with its entities from parse_mode or the explicit list (`source` stands in for an InputMedia)."""
        box = self.params if source is None else source
        text = str(box.get(name) or "")
        mode = str(box.get("parse_mode") or "").lower()
        entities = self.json(entities_name) if source is None else box.get(entities_name)
        if mode and mode != "html":
            raise bad_request("unsupported parse_mode")
        if mode:
            plain, found = parse_html(text)
        else:
            plain, found = _with_entities(text, entities or [])
        return plain, find_entities(plain, _people_in(self.world, found))

    def caption(self, source: JSON | None = None) -> JSON:
        """Caption fields for a message body. Raises "message caption is too long"."""
        text, entities = self.formatted("caption", "caption_entities", source)
        if len(text) > MAX_CAPTION:
            raise bad_request("message caption is too long")
        if not text:
            return {}
        return {"caption": text} | ({"caption_entities": entities} if entities else {})

    # -- chats ----------------------------------------------------------------------------------------------------

    def chat_id(self) -> int | str:
        """The chat addressed, a number or "@name"."""
        return _chat_reference(self.text("chat_id"))

    def room(self, name: str = "chat_id") -> Room:
        """The chat of the call, readable. Raises "chat not found", 403 for chats that shut the bot out."""
        reference = _chat_reference(self.text(name))
        if isinstance(reference, str) or reference < 0:
            return self._shared_room(reference)
        person = self.world.people.get(reference)
        if person is None:
            if self.world.bot_by_id(reference):
                raise forbidden("bots can't send messages to bots")
            raise bad_request("chat not found")
        room = self.world.private.get((self.bot.id, person.id))
        if room is None or not (room.started or room.messages):
            raise forbidden("bot can't initiate conversation with a user")
        return room

    def writable_room(self) -> Room:
        """The chat of the call, open for new messages. Raises 403 "bot was blocked by the user" and the like."""
        room = self.room()
        if room.person and room.person.deactivated:
            raise forbidden("user is deactivated")
        if room.blocked:
            raise forbidden("bot was blocked by the user")
        if room.kind == "channel" and room.members.get(self.bot.id) not in ("creator", "administrator"):
            raise bad_request("need administrator rights in the channel chat")
        return room

    def _shared_room(self, reference: int | str) -> Room:
        for room in self.world.chats.values():
            if reference in (room.id, "@" + str(room.chat.get("username", ""))):
                break
        else:
            raise bad_request("chat not found")
        if room.migrated_to:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiError(400, text, {"migrate_to_chat_id": room.migrated_to})
        status = room.members.get(self.bot.id, "left")
        if status == "kicked":
            raise forbidden(f"bot was kicked from the {room.kind} chat")
        if status not in ACTIVE:
            raise forbidden(f"bot is not a member of the {room.kind} chat")
        return room

    def message(self, room: Room, what: str, name: str = "message_id") -> Message:
        """An existing message of the chat. Raises "message to edit not found" (`what` = "message to edit")."""
        message = room.messages.get(self.integer(name))
        if message is None or message.deleted:
            raise bad_request(f"{what} not found")
        return message

    def mine(self, message: Message) -> bool:
        """True when this bot wrote the message."""
        if message.room.kind == "channel":
            return message.body.get("_author") == self.bot.id
        return bool(message.sender) and (message.sender or {}).get("id") == self.bot.id


Handler = Callable[[Call], Any]
METHODS: dict[str, Handler] = {}


def method(*names: str) -> Callable[[Handler], Handler]:
    """Register a handler under its Bot API names (matched without regard to case, as on the real server)."""

    def register(handler: Handler) -> Handler:
        for name in names:
            METHODS[name.lower()] = handler
        return handler

    return register


def load_json(text: str) -> Any:
    r"""Parse JSON. Raises ValueError for broken text, ApiError for half characters written as "\ud83d"."""
    value = json.loads(text)
    if "\\ud" in text.lower():
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise bad_request("strings must be encoded in UTF-8") from None
    return value


def _chat_reference(value: str) -> int | str:
    value = value.strip()
    if not value:
        raise bad_request("chat_id is empty")
    if value.startswith("@"):
        return value
    try:
        return int(value)
    except ValueError:
        raise bad_request("chat not found") from None


def _with_entities(text: str, entities: list[JSON]) -> tuple[str, list[JSON]]:
    """Trim a text whose entities came ready-made (in UTF-16 units)."""
    if not entities:
        return text.strip(), []
    units = text.encode("utf-16-le")
    for entity in entities:
        start, length = int(entity["offset"]), int(entity["length"])
        before = len(units[: start * 2].decode("utf-16-le", "ignore"))
        inside = len(units[start * 2 : (start + length) * 2].decode("utf-16-le", "ignore"))
        entity |= {"offset": before, "length": inside}
    return trim(text, entities)


def _people_in(world: World, entities: list[JSON]) -> list[JSON]:
    """`tg://user?id=` becomes a mention of a known person; of an unknown one, nothing."""
    ready: list[JSON] = []
    for entity in entities:
        user_id = entity.pop("user_id", None)
        if user_id is None:
            ready.append(entity)
        elif user_id in world.people:
            ready.append({**entity, "user": world.people[user_id].as_user()})
    return ready
