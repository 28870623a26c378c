"""The Russian catalogue is whole and is the one Django shows; the tool that keeps it says what is wrong with it."""

from __future__ import annotations

import gettext
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.conf import settings
from django.utils import translation

from fieldservice.lib import texts

PO = "locale/{language}/LC_MESSAGES/django.po"


def translated(language: str) -> list[tuple[str | tuple[str, ...], str | tuple[str, ...], str | None]]:
    return [(m.id, m.string, m.context) for m in texts.load(language) if m.id]


def test_every_text_is_translated() -> None:
    assert texts.problems("ru") == []


def test_nothing_is_marked_as_a_guess() -> None:
    catalogue = texts.load("ru")
    assert not catalogue.fuzzy
    assert [m.id for m in catalogue if m.fuzzy and m.id] == []
    assert catalogue.num_plurals == 3


def test_the_compiled_file_is_the_source() -> None:
    path = texts.ROOT / texts.PATH.format(language="ru", suffix="mo")
    assert path.exists(), "run: python manage.py texts --compile"
    with path.open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for identifier, string, context in translated("ru"):
        if isinstance(identifier, tuple):
            found = tuple(compiled._catalog[identifier[0], form] for form in range(3))
        else:
            found = compiled.pgettext(context, identifier) if context else compiled.gettext(identifier)
        assert found == string, identifier


def test_django_shows_our_texts_and_nobody_elses() -> None:
    with translation.override("ru"):
        for identifier, string, context in translated("ru"):
            if isinstance(identifier, str):
                shown = translation.pgettext(context, identifier) if context else translation.gettext(identifier)
                assert shown == string, identifier


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (1, "(осталась 1 секунда)"),
        (2, "(осталось 2 секунды)"),
        (5, "(осталось 5 секунд)"),
        (11, "(осталось 11 секунд)"),
        (21, "(осталась 21 секунда)"),
        (104, "(осталось 104 секунды)"),
        (112, "(осталось 112 секунд)"),
        (0, "(осталось 0 секунд)"),
    ],
)
def test_numbers_take_the_right_word(number: int, sentence: str) -> None:
    with translation.override("ru"):
        shown = translation.ngettext("(%(left)s second left)", "(%(left)s seconds left)", number)
    assert shown % {"left": number} == sentence


@pytest.mark.parametrize(
    ("number", "word"), [(1, "1 минута"), (3, "3 минуты"), (10, "10 минут"), (14, "14 минут"), (31, "31 минута")]
)
def test_minutes_of_waiting(number: int, word: str) -> None:
    with translation.override("ru"):
        shown = translation.ngettext("Waiting for %(minutes)s minute", "Waiting for %(minutes)s minutes", number)
    assert shown % {"minutes": number} == f"Ожидание: {word}"


def test_english_stays_english_where_russian_is_the_default() -> None:
    """There is no English file: a person with an English Telegram must not fall back to Russian."""
    assert settings.LANGUAGE_CODE == "ru"
    for identifier, string, context in translated("ru"):
        if isinstance(identifier, tuple):
            continue
        with translation.override("en"):
            shown = translation.pgettext(context, identifier) if context else translation.gettext(identifier)
        assert shown == identifier, string
    with translation.override("en"):
        assert translation.ngettext("(%(left)s second left)", "(%(left)s seconds left)", 2) == "(%(left)s seconds left)"
    assert translation.gettext("🚗 On my way") == "🚗 Выехал"


# --- the tool, on a small project of its own ------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "orders" / "tests").mkdir(parents=True)
    (tmp_path / "bots" / "templates").mkdir(parents=True)
    (tmp_path / "orders" / "code.py").write_text(
        "from django.utils.translation import gettext as _, ngettext, pgettext\n"
        "one = _('Order #%(id)s')\n"
        "many = ngettext('%(n)s hour', '%(n)s hours', 2)\n"
        "may = pgettext('month', 'May')\n",
        encoding="utf-8",
    )
    (tmp_path / "orders" / "tests" / "test_code.py").write_text("_('only in a test')\n", encoding="utf-8")
    (tmp_path / "bots" / "templates" / "page.html").write_text(
        "{% load i18n %}{% blocktranslate trimmed with id=1 %}\n  Open {{ id }}\n{% endblocktranslate %}",
        encoding="utf-8",
    )
    return tmp_path


def write(project: Path, language: str, **strings: str | tuple[str, ...]) -> None:
    """Put translations, named by the first word of their msgid, into the file of `language`."""
    catalogue = texts.load(language, project)
    for message in catalogue:
        first = message.id if isinstance(message.id, str) else message.id[0]
        for name, string in strings.items():
            if first and name in first:
                message.string = string
    with (project / PO.format(language=language)).open("wb") as file:
        texts.write_po(file, catalogue)


WHOLE = {
    "Order": "Заказ #%(id)s",
    "hour": ("%(n)s час", "%(n)s часа", "%(n)s часов"),
    "May": "май",
    "Open": "Открыть %(id)s",
}


def test_collect_reads_code_and_templates_but_no_tests(project: Path) -> None:
    found: Catalog = texts.collect(project)
    assert {(m.id, m.context) for m in found if m.id} == {
        ("Order #%(id)s", None),
        (("%(n)s hour", "%(n)s hours"), None),
        ("May", "month"),
        ("Open %(id)s", None),
    }


def test_update_brings_new_texts_blank_and_keeps_the_old(project: Path) -> None:
    texts.update("ru", project)
    assert len(texts.problems("ru", project)) == 4
    write(project, "ru", **WHOLE)
    assert texts.problems("ru", project) == []
    with (project / "orders" / "code.py").open("a", encoding="utf-8") as file:
        file.write("new = _('Shift')\n")
    assert texts.problems("ru", project) == ["not translated: 'Shift'"]
    texts.update("ru", project)
    assert {m.id: m.string for m in texts.load("ru", project) if m.id}["May"] == "май"
    assert texts.problems("ru", project) == ["not translated: 'Shift'"]


def test_a_text_that_left_the_code_is_named_and_dropped(project: Path) -> None:
    texts.update("ru", project)
    write(project, "ru", **WHOLE)
    (project / "bots" / "templates" / "page.html").unlink()
    assert texts.problems("ru", project) == ["not used any more: 'Open %(id)s'"]
    texts.update("ru", project)
    assert texts.problems("ru", project) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"Order": "Заказ"},
        {"Order": "Заказ #%(number)s"},
        {"hour": ("%(n)s час", "%(m)s часа", "%(n)s часов")},
        {"Open": "Открыть {id}"},
    ],
)
def test_other_placeholders_are_found(project: Path, wrong: dict[str, str | tuple[str, ...]]) -> None:
    texts.update("ru", project)
    write(project, "ru", **WHOLE | wrong)
    (problem,) = texts.problems("ru", project)
    assert problem.startswith("other placeholders: ")


def test_a_blank_plural_form_is_no_translation(project: Path) -> None:
    texts.update("ru", project)
    write(project, "ru", **WHOLE | {"hour": ("%(n)s час", "", "%(n)s часов")})
    assert texts.problems("ru", project) == ["not translated: ('%(n)s hour', '%(n)s hours')"]


def test_compile_writes_what_gettext_reads(project: Path) -> None:
    texts.update("ru", project)
    write(project, "ru", **WHOLE)
    texts.compile_catalog("ru", project)
    with (project / texts.PATH.format(language="ru", suffix="mo")).open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert compiled.gettext("Order #%(id)s") == "Заказ #%(id)s"
    assert compiled.pgettext("month", "May") == "май"
    assert [compiled.ngettext("%(n)s hour", "%(n)s hours", n) % {"n": n} for n in (1, 2, 5)] == [
        "1 час",
        "2 часа",
        "5 часов",
    ]
    assert not list(project.rglob(".django.*"))
