"""One chat as a person sees and uses it, for tests. Every failure shows what is on the screen."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from .errors import JSON, SandboxError
from .transcript import draw
from .wire import Wire

if TYPE_CHECKING:
    from .client import PersonClient

T = TypeVar("T")
Wanted = str | re.Pattern[str]


@dataclass(frozen=True)
class Answer:
    """What a press brought: `kind` is callback, url, copy, web_app or sent; `value` is the address or copied text."""

    text: str = ""
    alert: bool = False
    url: str = ""
    kind: str = "callback"
    value: str = ""


class Seen:
    """A message on the screen, as it was when looked at."""

    def __init__(self, wire: Wire, data: JSON) -> None:
        self.wire = wire
        self.data = data
        self.id: int = data["id"]
        self.text: str = data["text"]
        self.from_bot: bool = data["from"]["is_bot"]
        self.buttons: list[list[str]] = [[button["text"] for button in row] for row in data["buttons"]]
        self.media: str = (data["media"] or {}).get("kind", "")
        self.edits: int = len(data["history"])

    def __repr__(self) -> str:
        return f"<message {self.id} {self.text[:60]!r} {self.buttons or ''}>"

    def __contains__(self, text: str) -> bool:
        return text in self.text

    def button(self, text: str) -> JSON:
        """{text, kind, value} of the first button whose text contains `text`. Raises AssertionError."""
        for button in (b for row in self.data["buttons"] for b in row):
            if text in button["text"]:
                return dict(button)
        raise AssertionError(f"no button {text!r} in {self!r}")

    def content(self) -> bytes:
        """The bytes of the attached file."""
        assert self.data["media"], f"no file in {self!r}"
        return self.wire.content(self.data["media"]["url"])


class ChatClient:
    """A dialog, group or channel. Verbs in the third person: `chat.sends("hi")`, `chat.sees("hello")`."""

    def __init__(self, wire: Wire, key: str, *, timeout: float = 5.0, who: str = "", actor: int | None = None) -> None:
        self.wire = wire
        self.key = key
        self.timeout = timeout
        self.who = who or key
        self.actor = actor
        self.answer: Answer | None = None  # of the last press
        self.mark = 0  # version of the world at the last act: what is newer is "fresh"

    # -- acts -----------------------------------------------------------------------------------------------------

    def acts(self, act: str, **body: object) -> JSON:
        """Any act of the control API by name; remembers the moment for `fresh`."""
        if self.actor is not None:
            body.setdefault("person", self.actor)
        answer: JSON = self.wire.post("chats", self.key, act, **body)
        self.mark = int(answer.get("version", self.mark))
        return answer

    def acts_as(self, person: PersonClient) -> ChatClient:
        """The same group through the eyes of this person."""
        return ChatClient(self.wire, self.key, timeout=self.timeout, who=person.name, actor=person.id)

    def _sent(self, answer: JSON) -> Seen:
        return Seen(self.wire, answer["message"])

    def starts(self, payload: str = "") -> Seen:
        """Press START (also unblocks)."""
        return self._sent(self.acts("start", payload=payload))

    def follows(self, code: str) -> Seen:
        """Follow the deep link t.me/bot?start=code."""
        return self.starts(code)

    def sends(self, text: str, *, reply_to: int | None = None) -> Seen:
        """Send a text."""
        return self._sent(self.acts("text", text=text, reply_to=reply_to))

    def _sends(self, kind: str, content: bytes | None, **fields: object) -> Seen:
        return self._sent(self.acts("media", **_item(kind, content, **fields)))

    def sends_photo(self, content: bytes | None = None, *, caption: str = "") -> Seen:
        """Send a photo; without content, a sample."""
        return self._sends("photo", content, caption=caption)

    def sends_document(
        self,
        content: bytes | None = None,
        name: str | None = None,
        *,
        mime: str | None = None,
        caption: str = "",
        size: int | None = None,
    ) -> Seen:
        """Send a file; `size` makes it look that large without being it."""
        return self._sends("document", content, name=name, mime=mime, caption=caption, size=size)

    def sends_album(self, items: int | Iterable[bytes | JSON] = 2, *, caption: str = "") -> list[Seen]:
        """Send an album: a number of sample photos, or contents of photos, or media as {kind, data, name …}."""
        contents: list[bytes | JSON | None] = [None] * items if isinstance(items, int) else list(items)
        ready = [dict(c) if isinstance(c, dict) else _item("photo", c) for c in contents]
        if caption:
            ready[0]["caption"] = caption
        return [Seen(self.wire, data) for data in self.acts("album", items=ready)["messages"]]

    def sends_voice(self) -> Seen:
        return self._sends("voice", None)

    def sends_video(self, content: bytes | None = None, *, caption: str = "") -> Seen:
        return self._sends("video", content, caption=caption)

    def sends_sticker(self) -> Seen:
        return self._sends("sticker", None)

    def shares_contact(self, phone: str = "", *, name: str = "", user_id: int | None = None) -> Seen:
        """The own number; with `phone`, somebody else's card."""
        card: JSON = {"phone_number": phone, "first_name": name or "Somebody"}
        card |= {"user_id": user_id} if user_id else {}
        return self._sent(self.acts("contact", contact=card if phone else None))

    def shares_location(self, lat: float = 55.7558, lon: float = 37.6173) -> Seen:
        return self._sent(self.acts("location", latitude=lat, longitude=lon))

    def forwards(self, text: str, from_name: str = "Somebody") -> Seen:
        """Forward a text of a person with a hidden account."""
        return self._sent(self.acts("forward", text=text, from_name=from_name))

    def edits(self, message: Seen | int, text: str) -> Seen:
        """Edit an own message."""
        return self._sent(self.acts("edit", message_id=message if isinstance(message, int) else message.id, text=text))

    # -- buttons --------------------------------------------------------------------------------------------------

    def presses(self, text: Wanted, *, timeout: float | None = None, waits: bool = True) -> Answer:
        """Press the newest visible button (inline or reply keyboard) whose text contains `text`; wait for it to appear
        and, unless `waits` is false, for the bot's answer. Raises AssertionError with the screen.
        """
        place, found = self._until(lambda view: _find_button(view, text), f"a button {_quoted(text)}", timeout)
        message = {"message_id": place[0]} if place[0] else {}
        pressed = self.acts("press", row=place[1], column=place[2], **message)
        return self._answered(pressed, found["text"], waits, timeout)

    def presses_data(self, data: str, *, message: Seen | int | None = None, waits: bool = True) -> Answer:
        """Press by callback data: the newest such button, or on the given message even when it has gone (stale tap)."""
        if message is None:
            message = self._until(lambda view: _find_data(view, data), f"a button with data {data!r}", None)
        number = message if isinstance(message, int) else message.id
        return self._answered(self.acts("press", message_id=number, data=data, stale=True), data, waits, None)

    def _answered(self, pressed: JSON, name: str, waits: bool, timeout: float | None) -> Answer:
        if pressed["kind"] != "callback":
            value = str(pressed.get("value") or "")
            self.answer = Answer(kind=pressed["kind"], value=value, url=value if pressed["kind"] == "url" else "")
            return self.answer
        if not waits:
            return Answer(value=pressed["value"])
        seconds = self.timeout if timeout is None else timeout
        answer = self.wire.get("callbacks", pressed["callback"], wait=seconds)["answer"]
        if answer is None:
            raise AssertionError(f"{self.who}: no answer to the button {name!r} in {seconds:g} s\n{self.transcript()}")
        self.answer = Answer(answer["text"], answer["alert"], answer["url"], value=pressed["value"])
        return self.answer

    def toast(self) -> str:
        """Text of the last answer to a press, toast or alert; "" when there was none."""
        return self.answer.text if self.answer else ""

    def buttons(self) -> list[list[str]]:
        """Texts of the newest visible inline keyboard, else of the reply keyboard."""
        view = self.view()
        for message in _visible(view):
            if message["buttons"]:
                return [[button["text"] for button in row] for row in message["buttons"]]
        return [[button["text"] for button in row] for row in view["keyboard"]]

    def keyboard(self) -> list[list[str]]:
        """Texts of the reply keyboard on the screen."""
        return [[button["text"] for button in row] for row in self.view()["keyboard"]]

    # -- looking --------------------------------------------------------------------------------------------------

    def view(self) -> JSON:
        """The chat as the control API gives it."""
        found: JSON = self.wire.get("chats", self.key)
        return found

    def sees(self, text: Wanted = "", *, timeout: float | None = None, fresh: bool = False, media: str = "") -> Seen:
        """The newest visible message of the other side which contains `text` (or matches the pattern), waited for.

        `fresh`: only messages sent or edited after this person's last act. `media`: photo, document …
        """
        since = self.mark if fresh else 0
        what = f"{'a fresh' if fresh else 'a'} {media or 'message'} with {_quoted(text)}"
        return self._until(lambda view: self._find(view, text, since, media), what, timeout)

    def does_not_see(self, text: Wanted, *, within: float = 0.0, fresh: bool = False) -> None:
        """Fail when such a message is visible now, or becomes visible `within` seconds."""
        since = self.mark if fresh else 0
        for view in self._views(within):
            if found := self._find(view, text, since, ""):
                raise AssertionError(f"{self.who}: did not want to see {_quoted(text)}, saw {found!r}\n{draw(view)}")

    def gone(self, text: Wanted, *, timeout: float | None = None) -> None:
        """Wait until no visible message contains `text`."""
        self._until(lambda view: None if self._find(view, text, 0, "") else True, f"no {_quoted(text)}", timeout)

    def last(self) -> Seen | None:
        """The newest visible message of the other side."""
        return self._find(self.view(), "", 0, "")

    def messages(self) -> list[Seen]:
        """Visible messages, oldest first, of both sides."""
        return [Seen(self.wire, message) for message in reversed(list(_visible(self.view())))]

    def transcript(self) -> str:
        """The screen as text."""
        return draw(self.view())

    def _find(self, view: JSON, text: Wanted, since: int, media: str) -> Seen | None:
        for message in _visible(view):
            theirs = message["from"]["is_bot"] if self.actor is None else message["from"]["id"] != self.actor
            fits = message["version"] > since and _matches(text, message["text"])
            if theirs and fits and media in ("", (message["media"] or {}).get("kind")):
                return Seen(self.wire, message)
        return None

    def _until(self, look: Callable[[JSON], T | None], what: str, timeout: float | None) -> T:
        """Look at every new state of the chat until `look` finds something."""
        seconds = self.timeout if timeout is None else timeout
        for view in self._views(seconds):
            found = look(view)
            if found is not None:
                return found
        raise AssertionError(f"{self.who} waited {seconds:g} s for {what}\n{self.transcript()}")

    def _views(self, seconds: float) -> Iterator[JSON]:
        """The chat now, and again at each change until time is up."""
        deadline = time.monotonic() + seconds
        view = self.view()
        yield view
        while (left := deadline - time.monotonic()) > 0:
            newer: JSON = self.wire.get("chats", self.key, since=view["version"], wait=left)
            if newer["version"] > view["version"]:
                yield newer
            view = newer


def _item(kind: str, content: bytes | None, **fields: object) -> JSON:
    item: JSON = {"kind": kind} | {key: value for key, value in fields.items() if value}
    if content is not None:
        if not content:
            raise SandboxError("apps cannot send an empty file")
        item["data"] = base64.b64encode(content).decode()
    return item


def _visible(view: JSON) -> Iterator[JSON]:
    """Messages that are on the screen, newest first."""
    return (message for message in reversed(view["messages"]) if not message["deleted"])


def _matches(wanted: Wanted, text: str) -> bool:
    return wanted in text if isinstance(wanted, str) else bool(wanted.search(text))


def _quoted(wanted: Wanted) -> str:
    return repr(wanted) if isinstance(wanted, str) else f"/{wanted.pattern}/"


def _find_button(view: JSON, wanted: Wanted) -> tuple[tuple[int, int, int], JSON] | None:
    """((message id or 0, row, column), button): newest place first; in one place an exact text wins."""
    places: list[tuple[int, int, list[list[JSON]]]] = [(m["id"], m["id"], m["buttons"]) for m in _visible(view)]
    places.append((view["keyboard_message"] or 0, 0, view["keyboard"]))
    for _, number, rows in sorted(places, key=lambda place: -place[0]):
        found = [
            ((number, r, c), button)
            for r, row in enumerate(rows)
            for c, button in enumerate(row)
            if _matches(wanted, button["text"])
        ]
        if found:
            return min(found, key=lambda item: item[1]["text"] != wanted)
    return None


def _find_data(view: JSON, data: str) -> int | None:
    for message in _visible(view):
        if any(b["kind"] == "callback" and b["value"] == data for row in message["buttons"] for b in row):
            return int(message["id"])
    return None
