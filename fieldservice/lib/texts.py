"""The catalogue of texts: collect msgids from code and templates, compare, compile (by Babel, without gettext)."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("fieldservice", "geo", "staff", "orders", "finance", "bots")
#: nobody reads these in Russian
SKIPPED = {"tests", "migrations", "sandbox", "embedded", "demo", "node_modules"}
KEYWORDS: dict[str, Any] = {
    "_": None, "_t": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None,
    "ngettext": (1, 2), "ngettext_lazy": (1, 2), "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
PATH = "locale/{language}/LC_MESSAGES/django.{suffix}"


def collect(root: Path = ROOT) -> Catalog:
    """Every msgid in our Python files and templates."""
    catalog = Catalog(project="fieldservice", charset="utf-8")
    for path, source in _sources(root):
        is_python = path.suffix == ".py"
        code = source if is_python else templatize(source)
        for line, function, message, _comments in extract_python(io.BytesIO(code.encode()), KEYWORDS, [], {}):
            identifier, context = _message(str(function), message)
            if identifier:
                catalog.add(identifier, context=context, locations=[(str(path.relative_to(root)), line)])
    return catalog


def load(language: str, root: Path = ROOT) -> Catalog:
    """The translations as they are."""
    path = root / PATH.format(language=language, suffix="po")
    if not path.exists():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(language: str, root: Path = ROOT) -> None:
    """Bring the file of `language` up to date: new msgids come blank, gone ones leave."""
    catalog = load(language, root)
    catalog.update(collect(root), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    buffer = io.BytesIO()
    write_po(buffer, catalog, no_location=True, omit_header=False, sort_output=True, width=110)
    _replace(root / PATH.format(language=language, suffix="po"), buffer.getvalue())


def compile_catalog(language: str, root: Path = ROOT) -> None:
    """Write the binary file Django reads, in one step: a running process never sees half of it."""
    buffer = io.BytesIO()
    write_mo(buffer, load(language, root))
    _replace(root / PATH.format(language=language, suffix="mo"), buffer.getvalue())


def problems(language: str, root: Path = ROOT) -> list[str]:
    """What is wrong with the translations, one line each: missing, blank, superfluous, other placeholders."""
    have = load(language, root)
    found: list[str] = []
    wanted = collect(root)
    for message in wanted:
        if message.id:
            found += _compare(message, have.get(message.id, message.context))
    known = {(message.id, message.context) for message in wanted}
    found += [f"not used any more: {m.id!r}" for m in have if m.id and (m.id, m.context) not in known]
    return found


def _compare(wanted: Message, have: Message | None) -> Iterator[str]:
    strings = [] if have is None else [have.string] if isinstance(have.string, str) else list(have.string or ())
    if not strings or not all(text and text.strip() for text in strings):
        yield f"not translated: {wanted.id!r}"
        return
    ids = [wanted.id] if isinstance(wanted.id, str) else list(wanted.id)
    needed = set(PLACEHOLDER.findall(ids[-1]))
    for text in strings:
        if set(PLACEHOLDER.findall(text)) - needed or (len(ids) == 1 and needed - set(PLACEHOLDER.findall(text))):
            yield f"other placeholders: {wanted.id!r} → {text!r}"


def _sources(root: Path) -> Iterator[tuple[Path, str]]:
    roots = [root / name for name in PACKAGES] + [root / "templates"]
    for top in roots:
        for path in sorted(top.rglob("*")):
            if path.suffix in {".py", ".html", ".txt"} and not SKIPPED & set(path.relative_to(root).parts):
                yield path, path.read_text(encoding="utf-8")


def _message(function: str, message: object) -> tuple[str | tuple[str, ...] | None, str | None]:
    parts: list[str | None] = list(message) if isinstance(message, tuple) else [str(message) if message else None]
    context = parts.pop(0) if "pgettext" in function else None
    plural = function.startswith("n") and len(parts) > 1
    texts: Iterable[str | None] = parts[:2] if plural else parts[:1]
    clean = tuple(text for text in texts if text)
    if not clean:
        return None, None
    return (clean if plural else clean[0]), context


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)
