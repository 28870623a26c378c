"""Entities the server finds by itself: commands, links, mentions, hashtags, e-mails, phone numbers."""

from __future__ import annotations

import re

from .errors import JSON
from .markup import utf16

PATTERNS = (
    ("bot_command", re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/<>])")),
    ("url", re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]", re.IGNORECASE)),
    ("email", re.compile(r"(?<![\w@])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("mention", re.compile(r"(?<![\w@/])@[A-Za-z0-9_]{4,32}(?!\w)")),
    ("hashtag", re.compile(r"(?<![\w#])#\w*[^\W\d]\w*")),
    ("phone_number", re.compile(r"(?<![\w+])\+\d[\d ()-]{8,16}\d(?!\w)")),
)
NO_ENTITIES_INSIDE = {"code", "pre", "text_link", "text_mention", "custom_emoji"}


def find_entities(text: str, known: list[JSON]) -> list[JSON]:
    """`known` (from markup) plus what is found in `text`, in order; nothing is found inside code and links."""
    if not any(mark in text for mark in "/@#+:"):
        return known
    taken = [(e["offset"], e["offset"] + e["length"]) for e in known if e["type"] in NO_ENTITIES_INSIDE]
    found: list[JSON] = []
    for kind, pattern in PATTERNS:
        for match in pattern.finditer(text):
            start = utf16(text[: match.start()])
            end = start + utf16(match[0])
            if all(end <= a or start >= b for a, b in taken):
                taken.append((start, end))
                found.append({"type": kind, "offset": start, "length": end - start})
    return sorted(known + found, key=lambda e: (e["offset"], -e["length"]))
