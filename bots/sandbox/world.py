"""Everything the sandbox knows: bots, people, chats, messages. All in memory, all bounded, one event loop."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any

from .errors import JSON, SandboxError
from .faults import Faults
from .files import FileStore
from .limits import RateLimits
from .updates import UpdateQueue

MAX_MESSAGES = 1000  # per chat
MAX_CALLBACKS = 5000
MAX_HISTORY = 20  # edits kept per message
ACTIVE = ("creator", "administrator", "member")


@dataclass(slots=True)
class Person:
    """A human with a Telegram account."""

    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language: str = "ru"
    phone: str = ""
    deactivated: bool = False

    def as_user(self) -> JSON:
        """The Bot API `User`."""
        user: JSON = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        user |= {k: v for k, v in (("last_name", self.last_name), ("username", self.username)) if v}
        return user | ({"language_code": self.language} if self.language else {})


@dataclass(slots=True)
class Webhook:
    """Where updates go when the bot does not poll."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    last_error: str = ""
    last_error_at: int = 0
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class Bot:
    """A bot account: its token, its queue, its profile."""

    id: int
    name: str
    token: str
    username: str
    title: str
    queue: UpdateQueue
    webhook: Webhook = field(default_factory=Webhook)
    profile: dict[str, Any] = field(default_factory=dict)
    next_message_id: int = 1
    paths: OrderedDict[str, str] = field(default_factory=OrderedDict)  # file_path -> file, as getFile gave them out

    def as_user(self) -> JSON:
        """The Bot API `User`, short form."""
        return {"id": self.id, "is_bot": True, "first_name": self.title, "username": self.username}


@dataclass(slots=True)
class Message:
    """A message as stored; file ids are filled in for the reader (`_file` marks)."""

    id: int
    room: Room
    date: int
    sender: JSON | None
    body: JSON
    markup: JSON | None = None
    reply_keyboard: bool = False
    reply_to: int | None = None
    edited: int | None = None
    deleted: bool = False
    version: int = 0
    history: list[JSON] = field(default_factory=list)


@dataclass(slots=True)
class Room:
    """A chat. A private one belongs to a pair (bot, person): two bots never see each other's."""

    key: str
    chat: JSON
    bot: Bot | None = None
    person: Person | None = None
    messages: OrderedDict[int, Message] = field(default_factory=OrderedDict)
    next_id: int = 1
    version: int = 0
    started: bool = False
    blocked: bool = False
    keyboard: JSON | None = None  # the reply keyboard or ForceReply on the person's screen
    members: dict[int, str] = field(default_factory=dict)  # bot id or person id -> status (groups, channels)
    migrated_to: int | None = None
    pinned: list[int] = field(default_factory=list)
    action: tuple[str, float] = ("", 0.0)

    @property
    def id(self) -> int:
        return int(self.chat["id"])

    @property
    def kind(self) -> str:
        return str(self.chat["type"])


@dataclass(slots=True)
class Callback:
    """A tap on an inline button and, later, the bot's answer to it."""

    id: str
    bot_id: int
    room: Room
    person_id: int
    message_id: int
    data: str
    at: float
    answer: JSON | None = None


class World:
    """The state, with the few operations every other module builds on. Not thread-safe: use it in its loop."""

    def __init__(self, *, seed: int | str = 0, limits: RateLimits | None = None, callback_ttl: float = 300.0) -> None:
        self.bots: dict[str, Bot] = {}  # by name
        self.tokens: dict[str, Bot] = {}
        self.people: OrderedDict[int, Person] = OrderedDict()
        self.private: dict[tuple[int, int], Room] = {}
        self.chats: OrderedDict[int, Room] = OrderedDict()  # groups and channels
        self.rooms: OrderedDict[str, Room] = OrderedDict()
        self.callbacks: OrderedDict[str, Callback] = OrderedDict()
        self.files = FileStore(salt=str(seed))
        self.faults = Faults(seed)
        self.limits = limits or RateLimits()
        self.callback_ttl = callback_ttl
        self.calls: deque[JSON] = deque(maxlen=5000)
        self.stats: Counter[str] = Counter()
        self.version = 0
        self.changed = asyncio.Event()
        self.counter = 0

    # -- accounts -------------------------------------------------------------------------------------------------

    def add_bot(self, name: str, token: str, username: str = "") -> Bot:
        """Register a bot. Raises SandboxError for a doubled name or token."""
        if name in self.bots or token in self.tokens:
            raise SandboxError(f"bot {name!r} or its token exists already")
        digits = token.partition(":")[0]
        bot_id = int(digits) if digits.isdecimal() else 7_000_000_000 + len(self.bots)
        title = name.replace("_", " ").title()
        queue = UpdateQueue(bot_id % 1000 * 100_000 + 1)
        bot = Bot(bot_id, name, token, username or f"{name}_sandbox_bot", title, queue)
        self.bots[name] = self.tokens[token] = bot
        self.touch()
        return bot

    def bot(self, name: str) -> Bot:
        """By name, username or id. Raises SandboxError 404."""
        wanted = str(name).removeprefix("@")
        for bot in self.bots.values():
            if wanted in (bot.name, bot.username, str(bot.id)):
                return bot
        raise SandboxError(f"no bot {name!r}; bots: {', '.join(self.bots) or 'none'}", 404)

    def bot_by_id(self, bot_id: int) -> Bot | None:
        return next((bot for bot in self.bots.values() if bot.id == bot_id), None)

    def add_person(self, person: Person) -> Person:
        """Add or replace a person; the phone is made up from the id when absent."""
        person.phone = person.phone or f"+7999{person.id % 10**7:07d}"
        known = self.people.get(person.id)
        if known:
            for name in ("first_name", "last_name", "username", "language", "phone", "deactivated"):
                setattr(known, name, getattr(person, name))
            for room in self.rooms.values():
                if room.person is known:
                    room.chat = private_chat(known)
        self.people.setdefault(person.id, person)
        self.touch()
        return self.people[person.id]

    def person(self, person_id: int) -> Person:
        """Raises SandboxError 404."""
        if person_id not in self.people:
            raise SandboxError(f"no person {person_id}", 404)
        return self.people[person_id]

    # -- chats ----------------------------------------------------------------------------------------------------

    def private_room(self, bot: Bot, person: Person) -> Room:
        """The dialog of a person with a bot, made when missing (not started yet)."""
        room = self.private.get((bot.id, person.id))
        if room is None:
            room = Room(f"{person.id}:{bot.name}", private_chat(person), bot=bot, person=person)
            self.private[bot.id, person.id] = self.rooms[room.key] = room
            self.touch(room)
        return room

    def add_chat(self, chat_id: int, kind: str, title: str, username: str = "") -> Room:
        """Add a group, supergroup or channel. An existing one is returned as it is."""
        if chat_id in self.chats:
            return self.chats[chat_id]
        chat: JSON = {"id": chat_id, "type": kind, "title": title}
        room = Room(str(chat_id), chat | ({"username": username} if username else {}))
        self.chats[chat_id] = self.rooms[room.key] = room
        self.touch(room)
        return room

    def room(self, key: str) -> Room:
        """By key ("1001:master", "-1001"). Raises SandboxError 404."""
        if key not in self.rooms:
            raise SandboxError(f"no chat {key!r}", 404)
        return self.rooms[key]

    # -- messages -------------------------------------------------------------------------------------------------

    def add_message(self, room: Room, sender: JSON | None, body: JSON, **fields: Any) -> Message:
        """Append a message; private message ids run per bot, others per chat, as on the real server."""
        if room.bot:
            number, room.bot.next_message_id = room.bot.next_message_id, room.bot.next_message_id + 1
        else:
            number, room.next_id = room.next_id, room.next_id + 1
        message = Message(number, room, int(time.time()), sender, body, **fields)
        room.messages[number] = message
        if len(room.messages) > MAX_MESSAGES:
            room.messages.popitem(last=False)
        room.action = ("", 0.0)
        self.touch(room, message)
        return message

    def remember_edit(self, message: Message) -> None:
        """Keep what the message was before an edit."""
        shown = message.body.get("text") or message.body.get("caption") or ""
        message.history.append({"text": shown, "buttons": button_texts(message.markup), "at": time.time()})
        del message.history[:-MAX_HISTORY]

    def touch(self, room: Room | None = None, message: Message | None = None) -> None:
        """Count a change and wake everybody who waits for one."""
        self.version += 1
        if room:
            room.version = self.version
        if message:
            message.version = self.version
        self.changed.set()
        self.changed = asyncio.Event()

    async def wait(self, since: int, timeout: float, room: Room | None = None) -> bool:
        """Wait until the world (or the room) is newer than `since`; False when time is up."""
        deadline = time.monotonic() + timeout
        while (room.version if room else self.version) <= since:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            try:
                await asyncio.wait_for(self.changed.wait(), left)
            except TimeoutError:
                return False
        return True

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def rebind(self) -> None:
        """Make the state usable in a new event loop after a restart of the server: people and messages stay."""
        self.changed = asyncio.Event()
        for bot in self.bots.values():
            bot.queue.arrived = asyncio.Event()
            bot.queue.poll = None

    def unique(self) -> str:
        """A fresh decimal id (callback queries, albums)."""
        self.counter += 1
        return str(4_000_000_000_000_000 + self.counter)

    def add_callback(self, callback: Callback) -> None:
        self.callbacks[callback.id] = callback
        if len(self.callbacks) > MAX_CALLBACKS:
            self.callbacks.popitem(last=False)


def private_chat(person: Person) -> JSON:
    """The Bot API `Chat` of a dialog."""
    chat: JSON = {"id": person.id, "type": "private", "first_name": person.first_name}
    return chat | {k: v for k, v in (("last_name", person.last_name), ("username", person.username)) if v}


def button_texts(markup: JSON | None) -> list[list[str]]:
    """Only the words on the inline buttons."""
    return [[button["text"] for button in row] for row in (markup or {}).get("inline_keyboard", [])]
