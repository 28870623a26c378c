"""What a check of the set-up says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """OK; MIND: it works, but think about it; WRONG: it does not, or must not stay so in production."""

    OK = "ok"
    MIND = "mind"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """`what`: the subject. `text`: how it is and, unless it is well, what to do."""

    level: Level
    what: str
    text: str


def ok(what: str, text: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, what, text)


def mind(what: str, text: str) -> Finding:
    """It works, but."""
    return Finding(Level.MIND, what, text)


def wrong(what: str, text: str) -> Finding:
    """To be mended before people rely on it."""
    return Finding(Level.WRONG, what, text)
