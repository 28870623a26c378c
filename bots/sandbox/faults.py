"""Trouble on demand: what Telegram and the network do to a bot on a bad day."""

from __future__ import annotations

import random
import time
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase

from .errors import JSON, ApiError, SandboxError, too_many_requests

KINDS = ("429", "500", "502", "403", "400", "401", "hang", "slow", "cut", "refuse")
DESCRIPTIONS = {
    "500": "Internal Server Error", "502": "Bad Gateway", "403": "Forbidden: bot was blocked by the user",
    "400": "Bad Request: something is wrong", "401": "Unauthorized",
}  # fmt: skip


@dataclass
class Fault:
    """One rule.

    `kind`: 429 500 502 403 400 401 (answer, no work done) · hang (wait `seconds`, then close, no work done) ·
    slow (wait, then work) · cut (work done, connection closed without an answer) · refuse (closed at once).
    `method`: name or pattern; None means every method but getUpdates, "*" means every one.
    `bot`: name; `chat`: chat id; `times`: how often it strikes (None: for ever); `probability`: 0…1.
    """

    kind: str
    method: str | None = None
    bot: str | None = None
    chat: int | None = None
    times: int | None = None
    probability: float = 1.0
    retry_after: int = 1
    seconds: float = 30.0
    description: str = ""
    id: int = 0
    hits: int = field(default=0)

    def matches(self, method: str, bot: str, chat: int | None) -> bool:
        """Whether the rule speaks of this call."""
        if self.method is None:
            fits = method.lower() != "getupdates"
        else:
            fits = fnmatchcase(method.lower(), self.method.lower())
        return fits and self.bot in (None, bot) and (self.chat is None or self.chat == chat)

    def error(self) -> ApiError:
        """The refusal for the kinds which are one."""
        if self.kind == "429":
            return too_many_requests(self.retry_after)
        return ApiError(int(self.kind), self.description or DESCRIPTIONS[self.kind])


class Faults:
    """The rules in force; the first that matches and wins its dice strikes."""

    def __init__(self, seed: int | str = 0) -> None:
        self.rules: list[Fault] = []
        self.random = random.Random(seed)
        self.down_until = 0.0
        self.count = 0

    def add(self, fault: Fault) -> Fault:
        """Add a rule. Raises SandboxError for an unknown kind."""
        if fault.kind not in KINDS:
            raise SandboxError(f"unknown fault {fault.kind!r}; kinds: {', '.join(KINDS)}")
        self.count += 1
        fault.id = self.count
        self.rules.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        """Remove one rule, or all of them and the "down" state."""
        self.rules = [rule for rule in self.rules if fault_id is not None and rule.id != fault_id]
        if fault_id is None:
            self.down_until = 0.0

    def down(self, seconds: float) -> None:
        """Telegram is unreachable for a while: every connection is closed unanswered."""
        self.down_until = time.monotonic() + seconds

    def strike(self, method: str, bot: str, chat: int | None) -> Fault | None:
        """The fault this call meets, counted; None for a good day."""
        if time.monotonic() < self.down_until:
            return Fault("refuse", id=-1)
        for rule in self.rules:
            if rule.times is not None and rule.hits >= rule.times:
                continue
            if rule.matches(method, bot, chat) and self.random.random() < rule.probability:
                rule.hits += 1
                return rule
        return None

    def as_json(self) -> JSON:
        """For the control API."""
        return {"rules": [asdict(rule) for rule in self.rules], "down": max(0.0, self.down_until - time.monotonic())}
