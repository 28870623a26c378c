"""Two features cannot take each other's names: templates, steps, events, letters. (Addresses: test_callbacks.py.)

Two lists once wrote the same template, and each showed the other's words. What a template names and its screen does
not give fails every test that shows it (`names_are_given` in conftest.py).
"""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from bots import fsm, text
from bots.admin import origin
from bots.delivery import events  # noqa: F401 - all handlers
from bots.delivery.render import EVENTS, event
from bots.screens import Screen
from bots.visit import Reply

BOTS = Path(settings.BASE_DIR, "bots")
#: the same question asked from several sections, on purpose
SHARED = {
    "admin/confirm.html", "admin/filter.html", "admin/master_unblock.html", "admin/master_why.html",
    "admin/new_elsewhere.html", "admin/new_late.html",
}  # fmt: skip


def users() -> dict[str, set[str]]:
    """Template → the modules that show it."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in BOTS.rglob("*.py"):
        if not {"tests", "sandbox"} & set(file.parts):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith(".html"):
                    found[node.value].add(file.name)
    return found


def test_a_template_belongs_to_one_module() -> None:
    several = {template for template, modules in users().items() if len(modules) > 1}
    assert several == SHARED


def test_every_template_is_there_and_shown() -> None:
    folder = BOTS / "templates" / "bots"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.html")}
    sources = "".join(path.read_text() for path in folder.rglob("*.html"))
    assert set(users()) - files == set()
    assert {name for name in files - set(users()) if f'include "bots/{name}"' not in sources} == set()


def test_a_name_that_is_taken_is_refused() -> None:
    step, (bot, name) = next(iter(fsm.STEPS)), next(iter(EVENTS))
    with pytest.raises(ValueError, match="already"):
        fsm.step(step, ask=lambda visit: Screen("x"))(lambda visit: Reply())
    with pytest.raises(ValueError, match="already"):
        event(bot, name)(lambda row, now: None)
    with pytest.raises(ValueError, match="already"):
        origin.register("q", "adm:m:list")


def test_a_name_the_screen_does_not_give_is_found(names_are_given: Any) -> None:
    context = {"masters": [], "found": {}, "days": 1}
    text.render("bots/admin/applications_many.html", context)  # the clash as it was
    assert names_are_given.pop("bots/admin/applications_many.html") == {"count"}
