"""Texts for parse_mode=HTML: rendered from Django templates (which escape), kept within Telegram's limit."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.template.loader import render_to_string

#: characters of the visible text, as Telegram counts them (UTF-16 units)
LIMIT = 4096
#: written by {% gap %}; lines that only held template tags vanish, this one stays as an empty line
GAP = "\u2063"
TOKEN = re.compile(r"<(/?)([a-z-]+)[^>]*>|&#?\w+;|.", re.DOTALL)


def render(template: str, context: dict[str, Any]) -> str:
    """The template's text: empty lines are dropped, `{% gap %}` makes one."""
    lines = (line.strip() for line in render_to_string(template, context).splitlines())
    text = "\n".join("" if line == GAP else line for line in lines if line)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def width(token: str) -> int:
    """UTF-16 units of a piece of visible text."""
    return len(unescape(token).encode("utf-16-le")) // 2


def shorten(text: str, limit: int = LIMIT) -> str:
    """`text` within `limit` visible characters: cut at the end of a line, an ellipsis added, open tags closed."""
    if len(text) <= limit // 2 or visible(text) <= limit:
        return text
    cut, tags = _last_line(text, limit - 2)
    return text[:cut].rstrip() + "\n…" + "".join(f"</{tag}>" for tag in reversed(tags))


def visible(text: str) -> int:
    """The length Telegram counts: without tags, entities as one character."""
    return sum(width(match[0]) for match in TOKEN.finditer(text) if not match[2])


def _last_line(text: str, room: int) -> tuple[int, list[str]]:
    """Where the last whole line within `room` ends and the tags open there; a line without an end is cut anywhere."""
    tags: list[str] = []
    used, here, line = 0, 0, None
    for match in TOKEN.finditer(text):
        if match[2]:
            tags = tags[:-1] if match[1] else [*tags, match[2]]
        else:
            used += width(match[0])
            if used > room:
                break
            if match[0] == "\n":
                line = (match.start(), tags)
        here = match.end()
    return line or (here, tags)
