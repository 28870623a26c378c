"""A person's hands and eyes for tests: synchronous, by HTTP, the same for a thread and for another process.

sandbox = SandboxClient(url)
ivan = sandbox.person("Ivan", id=1001)
chat = ivan.chat("master")
chat.sends("/start")
chat.sees("Welcome")
answer = chat.presses("Accept")
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from .chat_client import ChatClient, Seen
from .errors import JSON, SandboxError
from .wire import Wire

__all__ = ["ChatClient", "FaultsClient", "PersonClient", "SandboxClient", "SandboxError", "Seen"]


class SandboxClient:
    """Entry point. `timeout` (seconds) is how long its chats wait for what they expect."""

    def __init__(self, url: str, *, timeout: float = 5.0) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        self.wire = Wire(url)
        self.faults = FaultsClient(self.wire)

    def person(
        self,
        name: str,
        *,
        id: int | None = None,
        language: str = "ru",
        last_name: str = "",
        username: str = "",
        phone: str = "",
    ) -> PersonClient:
        """A person, made now or (same id) renamed."""
        fields = {"last_name": last_name, "username": username, "language": language, "phone": phone}
        return PersonClient(self, self.wire.post("people", id=id, first_name=name, **fields))

    def people(self) -> list[PersonClient]:
        """Everybody."""
        return [PersonClient(self, data) for data in self.wire.get("people")]

    def channel(self, id: int, title: str = "") -> ChatClient:
        """A channel; a new one gets every bot as administrator."""
        return self._chat(id, "channel", title, {bot["name"]: "administrator" for bot in self.bots()})

    def group(
        self,
        id: int,
        title: str = "",
        *,
        bots: Iterable[str] = (),
        people: Iterable[PersonClient] = (),
        supergroup: bool = True,
    ) -> ChatClient:
        """A group with these members, made when missing. A person acts in it by `chat.acts_as(person)`."""
        members = dict.fromkeys(bots, "member") | {str(person.id): "member" for person in people}
        return self._chat(id, "supergroup" if supergroup else "group", title, members)

    def _chat(self, id: int, kind: str, title: str, members: Mapping[str, str]) -> ChatClient:
        known = {chat["id"] for chat in self.state()["chats"]}
        if id not in known or (members and kind != "channel"):
            self.wire.post("chats", id=id, type=kind, title=title or str(id), members=dict(members))
        return ChatClient(self.wire, str(id), timeout=self.timeout)

    def bots(self) -> list[JSON]:
        """{name, username, polling, webhook, pending, …} of each bot."""
        found: list[JSON] = self.wire.get("bots")
        return found

    def bot(self, name: str) -> JSON:
        """One bot by name. Raises KeyError."""
        return {bot["name"]: bot for bot in self.bots()}[name]

    def waits_for(self, *names: str, timeout: float | None = None) -> None:
        """Wait until these bots poll (or have a webhook). Raises AssertionError naming the silent ones."""
        limit = time.monotonic() + (self.timeout if timeout is None else timeout)
        while silent := [n for n in names if not (self.bot(n)["polling"] or self.bot(n)["webhook"])]:
            assert time.monotonic() < limit, f"bots that do not ask for updates: {', '.join(silent)}"
            time.sleep(0.02)

    def waits_idle(self, *names: str, timeout: float | None = None) -> None:
        """Wait until these bots (all by default) have acknowledged every update."""
        limit = time.monotonic() + (self.timeout if timeout is None else timeout)
        while busy := {b["name"]: b["pending"] for b in self.bots() if b["pending"]}:
            if names and not busy.keys() & set(names):
                return
            assert time.monotonic() < limit, f"updates nobody took: {busy}"
            time.sleep(0.02)

    def calls(self, *, bot: str | None = None, method: str | None = None, status: int | None = None) -> list[JSON]:
        """The latest Bot API calls (without getUpdates), oldest first: {at, bot, method, status, chat, description}."""
        found: list[JSON] = self.wire.get("calls", bot=bot, method=method, status=status)["calls"]
        return found

    def stats(self) -> dict[str, int]:
        """Counts of calls by "bot method status"; status 0 is a closed connection."""
        found: dict[str, int] = self.wire.get("calls")["stats"]
        return found

    def peaks(self) -> dict[str, int]:
        """The busiest second per bot and per chat and the busiest minute per group."""
        found: dict[str, int] = self.wire.get("calls")["peaks"]
        return found

    def state(self) -> JSON:
        """Bots, people and chats at a glance."""
        found: JSON = self.wire.get("state")
        return found

    def reset(self) -> None:
        """Forget people, messages, faults, pending updates; bots and channels stay."""
        self.wire.post("reset")


class PersonClient:
    """A person: a source of chats."""

    def __init__(self, sandbox: SandboxClient, data: JSON) -> None:
        self.sandbox = sandbox
        self.data = data
        self.id: int = data["id"]
        self.name: str = data["name"]
        self.phone: str = data["phone"]

    def __repr__(self) -> str:
        return f"<{self.name} {self.id}>"

    def chat(self, bot: str) -> ChatClient:
        """The dialog with a bot, by its name or username."""
        wanted = bot.removeprefix("@")
        names = [b["name"] for b in self.sandbox.bots() if wanted in (b["name"], b["username"])]
        key = f"{self.id}:{names[0] if names else bot}"
        return ChatClient(self.sandbox.wire, key, timeout=self.sandbox.timeout, who=self.name)

    def blocks(self, bot: str) -> None:
        """Block a bot: its next message gets 403."""
        self.chat(bot).acts("block")

    def unblocks(self, bot: str) -> None:
        """Take the block away."""
        self.chat(bot).acts("unblock")

    def deletes_account(self) -> None:
        """From now on bots get 403 "user is deactivated"."""
        self._change(deactivated=True)

    def speaks(self, language: str) -> None:
        """Change the language of the app; later updates carry it."""
        self._change(language=language)

    def _change(self, **fields: Any) -> None:
        known = {key: self.data[key] for key in ("id", "first_name", "last_name", "username", "language", "phone")}
        self.data = self.sandbox.wire.post("people", **(known | fields))


class FaultsClient:
    """Trouble on demand, see `faults.Fault` for the kinds and fields."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def add(
        self,
        kind: str | int,
        *,
        method: str | None = None,
        bot: str | None = None,
        chat: int | None = None,
        times: int | None = None,
        probability: float = 1.0,
        retry_after: int = 1,
        seconds: float = 30.0,
        description: str = "",
    ) -> int:
        """Add a rule and return its id. No method: every method but getUpdates; "*": all; no times: for ever."""
        fields = {"method": method, "bot": bot, "chat": chat, "times": times, "probability": probability}
        answer = self.wire.post(
            "faults", kind=str(kind), retry_after=retry_after, seconds=seconds, description=description, **fields
        )
        return int(answer["id"])

    def down(self, seconds: float) -> None:
        """Telegram is unreachable for a while."""
        self.wire.post("down", seconds=seconds)

    def clear(self, fault_id: int | None = None) -> None:
        """Remove one rule, or everything."""
        self.wire.delete("faults", *([fault_id] if fault_id else []))

    def all(self) -> list[JSON]:
        """The rules with their `hits`."""
        found: list[JSON] = self.wire.get("faults")["rules"]
        return found
