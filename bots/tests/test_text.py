from __future__ import annotations

import re

import pytest
from django.template import Context, Template
from django.template.loader import get_template

from bots import text
from bots.screens import Button, Screen

OPEN = re.compile(r"<(/?)(\w+)[^>]*>")


def balanced(html: str) -> bool:
    stack: list[str] = []
    for closing, name in OPEN.findall(html):
        if closing:
            if not stack or stack.pop() != name:
                return False
        else:
            stack.append(name)
    return not stack


def test_short_texts_are_left_alone() -> None:
    assert text.shorten("<b>short</b>") == "<b>short</b>"


def test_a_long_text_ends_at_a_line_with_an_ellipsis_and_balanced_tags() -> None:
    long = "<b>" + "\n".join(f"line {n} &amp; more" for n in range(600)) + "</b>"
    cut = text.shorten(long)
    assert text.visible(cut) <= text.LIMIT
    assert cut.endswith("& more\n…</b>".replace("&", "&amp;"))
    assert balanced(cut)


def test_one_endless_line_is_cut_anywhere() -> None:
    cut = text.shorten("<i>" + "я" * 9000 + "</i>")
    assert text.LIMIT - 2 <= text.visible(cut) <= text.LIMIT
    assert balanced(cut)


@pytest.mark.parametrize("piece", ["😀", "&lt;", "<b>x</b>"])
def test_the_length_is_telegrams(piece: str) -> None:
    units = {"😀": 2, "&lt;": 1, "<b>x</b>": 1}[piece]
    assert text.visible(piece * 10) == 10 * units
    assert text.visible(text.shorten(piece * 5000)) <= text.LIMIT


def test_tags_do_not_count() -> None:
    fits = "<b>a</b>" * 4000
    assert text.shorten(fits) == fits


def test_templates_lose_empty_lines_but_keep_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Template("{% load bots %}one\n{% if no %}\nnever\n{% endif %}\n\ntwo\n{% gap %}\n{{ bad }}\n")
    monkeypatch.setattr(text, "render_to_string", lambda name, context: source.render(Context(context)))
    assert text.render("any", {"bad": "<script>"}) == "one\ntwo\n\n&lt;script&gt;"


def test_every_template_compiles() -> None:
    from django.conf import settings

    folder = settings.BASE_DIR / "bots" / "templates"
    names = [str(path.relative_to(folder)) for path in folder.rglob("*.html")]
    assert len(names) > 20
    for name in names:
        get_template(name)


def test_blank_captions_and_screens_are_impossible() -> None:
    for make in (lambda: Button(" ", data="m:menu"), lambda: Button("Go"), lambda: Screen("  ")):
        with pytest.raises(ValueError, match="needs"):
            make()


def test_a_notice_is_escaped() -> None:
    assert Screen("<b>x</b>").under("a < b").text == "a &lt; b\n\n<b>x</b>"
