"""Every alert that the code can give has its page in ops/RUNBOOK.md, found by the words of the message."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "ops" / "RUNBOOK.md").read_text()
HEADINGS = [part.strip() for line in re.findall(r"^## (.*)$", RUNBOOK, re.M) for part in line.split(" · ")]
APPS = ("bots", "finance", "orders", "staff", "geo", "fieldservice")
#: who calls these tells ALERTS: the texts in such a function are alerts
TELLERS = {"announce", "_alert", "Trouble"}
#: messages with a look of their own that go to ALERTS, and their page
EVENTS = {
    "escalation_logist": "Order #… has no master (escalation)",
    "escalation_admin": "Order #… has no master (escalation)",
    "dispatch_error": "Dispatch failed for order #…",
    "guarantee_refused": "Guarantee order #…: … refused and is blocked",
    "commission_overdue_alert": "Commission #… is overdue",
    "commission_report_waits": "Commission #…: a report that nobody looks at",
}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not {"tests", "sandbox", "bench", "demo", "simulation", "migrations"} & set(path.parts):
                yield name, ast.parse(path.read_text())


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def calls(node: ast.AST) -> Iterator[ast.Call]:
    return (found for found in ast.walk(node) if isinstance(found, ast.Call))


def strings(node: ast.AST) -> list[str]:
    return [found.value for found in ast.walk(node) if isinstance(found, ast.Constant) and isinstance(found.value, str)]


def texts() -> set[str]:
    """What is said in functions that tell ALERTS."""
    found: set[str] = set()
    for name, tree in sources():
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            tells = any(name_of(call) in TELLERS for call in calls(function)) or function.name == "error_text"
            if tells and name != "fieldservice/watch/look.py":
                found |= {
                    call.args[0].value
                    for call in calls(function)
                    if name_of(call) in {"_", "gettext"} and isinstance(call.args[0], ast.Constant)
                }
    return found


def events() -> set[str]:
    """Events sent to the channel of the alerts: named where its id is read, or by who asks such a function to."""
    found: set[str] = set()
    for _name, tree in sources():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and "alerts_channel_id" in strings(function):
                found |= {
                    str(word.value.value)
                    for call in calls(function)
                    if name_of(call) == "Message"
                    for word in call.keywords
                    if word.arg == "event" and isinstance(word.value, ast.Constant)
                }
        for call in calls(tree):
            if name_of(call) == "tell_admins" and any(word.arg == "channel" for word in call.keywords):
                found |= {arg.value for arg in call.args if isinstance(arg, ast.Constant)}
            if name_of(call) == "_notify":
                found |= set(strings(call.args[0]))
    return found - {"alert"}


def pages_of(text: str) -> list[str]:
    plain = re.sub(r"%\(\w+\)s", "…", text)
    return [heading for heading in HEADINGS if re.match(re.escape(heading).replace("…", ".+?"), plain)]


@pytest.mark.parametrize("text", sorted(texts()))
def test_an_alert_has_its_page(text: str) -> None:
    assert len(pages_of(text)) == 1, "write a page whose heading begins as the message does, … for what changes"


def test_the_alerts_were_found() -> None:
    assert len(texts()) >= 15
    assert any(text.startswith("There has been no backup") for text in texts())


def test_events_of_the_channel_have_their_pages() -> None:
    assert events() == set(EVENTS)
    assert set(EVENTS.values()) <= set(HEADINGS)


def test_a_page_says_what_to_do() -> None:
    pages = re.split(r"^## ", RUNBOOK, flags=re.M)[1:]
    alerts = {heading for text in texts() for heading in pages_of(text)} | set(EVENTS.values())
    for page in pages:
        title = page.partition("\n")[0]
        if alerts & {part.strip() for part in title.split(" · ")}:
            assert "**Do**" in page or "| Do |" in page or "See “" in page, title


def test_what_the_pages_name_is_there() -> None:
    for path in set(re.findall(r"`(?:bash )?((?:ops|docs)/[\w./-]+\.\w+)", RUNBOOK)):
        assert (ROOT / path).is_file(), path
    from django.core.management import get_commands

    for command in set(re.findall(r"`manage\.py (\w+)", RUNBOOK)):
        assert command in get_commands(), command
