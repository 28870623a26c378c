"""Every test that docs/acceptance-*.md and docs/bots.md name is there: a deleted one would leave an empty promise."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from fieldservice.tests.test_project import ROOT, text, tracked

PAGES = [*sorted((ROOT / "docs").glob("acceptance-*.md")), ROOT / "docs" / "bots.md"]
#: `folder/test_file.py::test_name`, `test_file.py`, `test_name`
NAMED = re.compile(r"`(?:(?P<file>[\w./-]*test_\w+\.py)(?:::(?P<test>test_\w+))?|(?P<bare>test_\w+))`")


@cache
def written() -> dict[str, set[str]]:
    """Test file → the names of its tests."""
    files = [name for name in tracked() if Path(name).name.startswith("test_") and name.endswith(".py")]
    return {name: set(re.findall(r"^\s*def (test_\w+)", text(name), re.MULTILINE)) for name in files}


def missing(page: str) -> list[str]:
    """What the page names and nobody has written."""
    gone = []
    for found in NAMED.finditer(page):
        file, test = found["file"], found["test"] or found["bare"]
        names = [names for path, names in written().items() if not file or f"/{path}".endswith(f"/{file}")]
        if not names or (test and not any(test in some for some in names)):
            gone.append(found[0])
    return gone


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_test_named_in_it_exists(page: Path) -> None:
    named = page.read_text("utf-8")
    assert len(NAMED.findall(named)) > 10
    assert missing(named) == []


def test_a_promise_without_a_test_is_found() -> None:
    assert missing("`test_nobody_wrote_this` `bots/tests/test_nothing.py` `test_fuzz.py::test_no`") == [
        "`test_nobody_wrote_this`", "`bots/tests/test_nothing.py`", "`test_fuzz.py::test_no`"
    ]  # fmt: skip
    assert missing("`test_a_promise_without_a_test_is_found` `tests/test_acceptance.py`") == []
