"""Where an order card was opened from: a word in the addresses of its buttons, so that Back leads there again.

`q2` is page 2 of the queue, `c1` the first page of closed orders, `f7.1.un` commission 7 of a tab's first page.
"""

from __future__ import annotations

import re

from bots.buttons import back
from bots.screens import Button

WORD = re.compile(r"[a-z]?[0-9]{1,10}(\.[0-9]{1,3})?(\.[a-z]{2,3})?")
#: letter → the screen it stands for; filled by the modules of those screens, which come after this one
SCREENS: dict[str, str] = {}


class Origin(str):
    """The word, as it is read from an address: whatever is none becomes the queue. A bare number is its page."""

    __slots__ = ()

    def __new__(cls, text: str) -> Origin:
        return super().__new__(cls, text if WORD.fullmatch(text) else "q1")


QUEUE = Origin("q1")


def register(letter: str, path: str) -> None:
    """The screen at `path` may open cards. Raises ValueError when the letter is taken."""
    if SCREENS.get(letter, path) != path:
        raise ValueError(f"{letter} is {SCREENS[letter]} already")
    SCREENS[letter] = path


def word(letter: str, *args: int | str) -> Origin:
    """The word for a screen and its arguments."""
    return Origin(letter + ".".join(map(str, args)))


def way_back(at: str) -> Button:
    """Back to the screen; to the queue when the word fits none."""
    letter, rest = (at[:1], at[1:]) if at[:1] in SCREENS else ("q", at)
    try:
        return back(SCREENS[letter], *rest.split("."))
    except ValueError:
        return back(SCREENS["q"], 1)
