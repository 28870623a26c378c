"""A chat drawn as text, for the messages of failed tests."""

from __future__ import annotations

from .errors import JSON

LAST = 15


def draw(view: JSON, last: int = LAST) -> str:
    """The last messages with buttons, deleted ones marked, and the reply keyboard."""
    flags = [word for word in ("blocked",) if view[word]]
    if view["type"] == "private" and not view["started"]:
        flags.append("not started")
    lines = [f"── chat {view['key']} {view['title']} {' '.join(flags)}".rstrip() + " ──"]
    hidden = len(view["messages"]) - last
    if hidden > 0:
        lines.append(f"   … {hidden} earlier messages")
    for message in view["messages"][-last:]:
        lines += _message(message)
    if not view["messages"]:
        lines.append("   (empty)")
    if view["keyboard"]:
        lines.append("   keyboard: " + _rows(view["keyboard"]))
    for callback in view["callbacks"][-3:]:
        answer = callback["answer"]
        said = repr(answer["text"]) + (" (alert)" if answer["alert"] else "") if answer else "no answer yet"
        lines.append(f"   tapped {callback['data']!r}: {said}")
    return "\n".join(lines)


def _message(message: JSON) -> list[str]:
    marks = [word for word, on in (("deleted", message["deleted"]), ("edited", message["edited"])) if on]
    if message["album"]:
        marks.append(f"album {message['album'][-4:]}")
    head = f"   #{message['id']} {message['from']['name']}" + (f" [{', '.join(marks)}]" if marks else "") + ": "
    body = " ".join(filter(None, (_attachment(message), message["text"])))
    lines = [head + body.replace("\n", "\n" + " " * 8)]
    if message["buttons"]:
        lines.append("        " + _rows(message["buttons"]))
    return lines


def _attachment(message: JSON) -> str:
    if message["media"]:
        name = message["media"]["name"]
        return f"<{message['media']['kind']}{' ' + name if name else ''}>"
    if message["contact"]:
        return f"<contact {message['contact']['phone_number']}>"
    if message["location"]:
        return f"<location {message['location']['latitude']:.5f} {message['location']['longitude']:.5f}>"
    return ""


def _rows(rows: list[list[JSON]]) -> str:
    return " / ".join(" ".join(f"[{button['text']}]" for button in row) for row in rows)
