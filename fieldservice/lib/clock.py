"""A local time of day as people and settings write it."""

from __future__ import annotations

import re
from datetime import time

CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::00)?")


def parse_clock(text: str) -> time:
    """`10:00` or `9:30`. Raises ValueError.

    Stricter than `time.fromisoformat`: «10:00+03:00» would be a time with a zone, which cannot be compared with ours.
    """
    match = CLOCK.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return time(int(match[1]), int(match[2]))
