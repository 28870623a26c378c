"""Telegram's HTML dialect: text with tags in, plain text and entities out.

Errors carry the wording and the UTF-8 byte offsets of the real server, because people read them in logs.
Offsets inside entities count UTF-16 code units, as clients expect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import JSON, bad_request

TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler",
    "span": "spoiler", "code": "code", "pre": "pre", "a": "text_link", "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}  # fmt: skip
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
ENTITY = re.compile(r"&(?:#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))|([a-zA-Z]+));?")
SPACES = " \t\r\n\f\v"


def utf16(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


@dataclass(slots=True)
class _Open:
    """A start tag that waits for its end tag."""

    name: str
    attributes: dict[str, str]
    start: int  # position in the output text, in characters


class _Parser:
    """One pass over `source`; `text` and `entities` are the result (entity offsets in characters until `finish`)."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.out: list[str] = []
        self.length = 0
        self.stack: list[_Open] = []
        self.entities: list[JSON] = []

    def fail(self, text: str) -> Exception:
        return bad_request(f"can't parse entities: {text}")

    def offset(self, position: int) -> int:
        """Byte offset of a character position, for messages."""
        return len(self.source[:position].encode("utf-8", "surrogatepass"))

    def add(self, text: str) -> None:
        self.out.append(text)
        self.length += len(text)

    def run(self) -> tuple[str, list[JSON]]:
        while self.at < len(self.source):
            char = self.source[self.at]
            if char == "<":
                self.end_tag() if self.source.startswith("</", self.at) else self.start_tag()
            elif char == "&":
                self.add(self.entity())
            else:
                self.plain()
        if self.stack:
            raise self.fail(f'Can\'t find end tag corresponding to start tag "{self.stack[-1].name}"')
        return "".join(self.out), self.entities

    def plain(self) -> None:
        """Copy everything up to the next special character."""
        ends = [p for p in (self.source.find("<", self.at), self.source.find("&", self.at)) if p >= 0]
        end = min(ends, default=len(self.source))
        self.add(self.source[self.at : end])
        self.at = end

    def entity(self) -> str:
        """Decode `&lt;` or `&#1234;`; anything unknown stays as it was typed, as the real server does."""
        found = ENTITY.match(self.source, self.at)
        if found:
            value = _decode(found)
            if value is not None:
                self.at = found.end()
                return value
        self.at += 1
        return "&"

    def start_tag(self) -> None:
        begin = self.at
        self.at += 1
        name = self.word(SPACES + ">")
        if self.at >= len(self.source):
            raise self.fail(f"Unclosed start tag at byte offset {self.offset(begin)}")
        name = name.lower()
        if name not in TAGS:
            raise self.fail(f'Unsupported start tag "{name}" at byte offset {self.offset(begin)}')
        attributes = self.attributes(name, begin)
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise self.fail(f'Tag "span" must have class "tg-spoiler" at byte offset {self.offset(begin)}')
        self.stack.append(_Open(name, attributes, self.length))

    def word(self, stops: str) -> str:
        """Characters up to the first of `stops` (not consumed)."""
        start = self.at
        while self.at < len(self.source) and self.source[self.at] not in stops:
            self.at += 1
        return self.source[start : self.at]

    def skip_spaces(self) -> None:
        while self.at < len(self.source) and self.source[self.at] in SPACES:
            self.at += 1

    def attributes(self, tag: str, begin: int) -> dict[str, str]:
        """Read attributes and the closing `>`."""
        found: dict[str, str] = {}
        while True:
            self.skip_spaces()
            if self.at >= len(self.source):
                raise self.fail(f'Unclosed start tag "{tag}" at byte offset {self.offset(begin)}')
            if self.source[self.at] == ">":
                self.at += 1
                return found
            name = self.word(SPACES + "=>")
            if not name:
                raise self.fail(f'Empty attribute name in the tag "{tag}" at byte offset {self.offset(begin)}')
            self.skip_spaces()
            found[name.lower()] = self.value(tag, begin) if self.source[self.at : self.at + 1] == "=" else ""

    def value(self, tag: str, begin: int) -> str:
        """The part after `=`: a bare word or a quoted string with entities."""
        self.at += 1
        self.skip_spaces()
        if self.at >= len(self.source):
            raise self.fail(f'Unclosed start tag "{tag}" at byte offset {self.offset(begin)}')
        quote = self.source[self.at]
        if quote not in "'\"":
            return self.bare_value()
        self.at += 1
        parts: list[str] = []
        while self.at < len(self.source) and self.source[self.at] != quote:
            if self.source[self.at] == "&":
                parts.append(self.entity())
            else:
                parts.append(self.word(quote + "&"))
        if self.at >= len(self.source):
            raise self.fail(f"Unclosed start tag at byte offset {self.offset(begin)}")
        self.at += 1
        return "".join(parts)

    def bare_value(self) -> str:
        start = self.at
        while self.at < len(self.source) and re.match(r"[A-Za-z0-9.-]", self.source[self.at]):
            self.at += 1
        if self.source[self.at : self.at + 1] not in (*SPACES, ">"):
            raise self.fail(f"Unexpected end of name token at byte offset {self.offset(start)}")
        return self.source[start : self.at].lower()

    def end_tag(self) -> None:
        begin = self.at
        if not self.stack:
            raise self.fail(f"Unexpected end tag at byte offset {self.offset(begin)}")
        self.at += 2
        name = self.word(SPACES + ">").lower()
        self.skip_spaces()
        if self.source[self.at : self.at + 1] != ">":
            raise self.fail(f"Unclosed end tag at byte offset {self.offset(begin)}")
        self.at += 1
        opened = self.stack.pop()
        if name and name != opened.name:
            raise self.fail(
                f'Unmatched end tag at byte offset {self.offset(begin)}, expected "</{opened.name}>", found "</{name}>"'
            )
        self.close(opened)

    def close(self, opened: _Open) -> None:
        """Turn a finished tag into an entity; empty ones vanish."""
        if self.length == opened.start:
            return
        entity: JSON = {"type": TAGS[opened.name], "offset": opened.start, "length": self.length - opened.start}
        if opened.name == "a" and not self.link(entity, opened):
            return
        if opened.name == "blockquote" and "expandable" in opened.attributes:
            entity["type"] = "expandable_blockquote"
        if opened.name == "tg-emoji":
            if not opened.attributes.get("emoji-id", "").isdecimal():
                raise self.fail("Invalid custom emoji identifier specified")
            entity["custom_emoji_id"] = opened.attributes["emoji-id"]
        if opened.name == "code":
            self.language(entity, opened)
        self.entities.append(entity)

    def link(self, entity: JSON, opened: _Open) -> bool:
        """Fill a link in; a link without a usable address is plain text on the real server too."""
        url = opened.attributes.get("href") or "".join(self.out)[opened.start :]
        mention = re.fullmatch(r"tg://user\?id=(\d+)", url)
        if mention:
            entity |= {"type": "text_mention", "user_id": int(mention[1])}
            return True
        if not re.match(r"(https?|tg|ton|mailto|tel):", url, re.IGNORECASE):
            if not re.match(r"[\w-]+(\.[\w-]+)+", url):
                return False
            url = "http://" + url
        entity["url"] = url if "/" in url.split(":", 1)[1].lstrip("/") or "?" in url else url.rstrip("/") + "/"
        return True

    def language(self, entity: JSON, opened: _Open) -> None:
        """`<pre><code class="language-x">` is one entity of type pre with a language."""
        language = opened.attributes.get("class", "").removeprefix("language-")
        if language and self.stack and self.stack[-1].name == "pre" and self.stack[-1].start == opened.start:
            entity |= {"type": "pre", "language": language}


def _decode(found: re.Match[str]) -> str | None:
    hexadecimal, decimal, name = found.groups()
    if name:
        return NAMED.get(name)
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return chr(code) if 0 < code < 0x10FFFF and not 0xD800 <= code <= 0xDFFF else None


def parse_html(source: str) -> tuple[str, list[JSON]]:
    """Plain text and its entities, trimmed as Telegram trims.

    Raises ApiError 400 "can't parse entities: …".
    """
    text, entities = _Parser(source).run()
    return trim(text, entities)


def trim(text: str, entities: list[JSON]) -> tuple[str, list[JSON]]:
    """Cut the white space around the text; entity offsets come in as characters and go out as UTF-16 units."""
    left = len(text) - len(text.lstrip())
    trimmed = text.strip()
    ready: list[JSON] = []
    for entity in entities:
        start = min(max(entity["offset"] - left, 0), len(trimmed))
        end = min(max(entity["offset"] + entity["length"] - left, 0), len(trimmed))
        if trimmed[start:end].strip():
            ready.append({**entity, "offset": utf16(trimmed[:start]), "length": utf16(trimmed[start:end])})
    unique = [e for i, e in enumerate(ready) if e not in ready[:i] and not _doubled_pre(e, ready)]
    return trimmed, sorted(unique, key=lambda e: (e["offset"], -e["length"]))


def _doubled_pre(entity: JSON, entities: list[JSON]) -> bool:
    """True for the outer `<pre>` of a `<pre><code class=language-…>` pair."""
    return entity["type"] == "pre" and "language" not in entity and any(
        e.get("language") and e["offset"] == entity["offset"] for e in entities
    )  # fmt: skip
