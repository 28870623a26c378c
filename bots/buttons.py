"""Buttons that many screens share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from bots.callbacks import to
from bots.screens import PAGE, Button
from fieldservice.lib.clean import shorten

T = TypeVar("T")
COLUMNS = 2
CAPTION = 50


def tap(text: str, path: str, *args: int | str) -> Button:
    """A button that calls the handler of `path`; a long caption ends with an ellipsis, as Telegram would cut it."""
    return Button(shorten(text, CAPTION), data=to(path, *args))


def back(path: str, *args: int | str) -> Button:
    """Back to where the person came from."""
    return tap(_("‹ Back"), path, *args)


def page_of(items: Sequence[T], page: int, columns: int = 1) -> tuple[Sequence[T], int, int]:
    """(the items of the page, the page, the number of pages); a page that is no more becomes the last one."""
    size = PAGE * columns
    pages = max(1, -(-len(items) // size))
    page = min(max(page, 1), pages)
    return items[(page - 1) * size : page * size], page, pages


def pager(path: str, page: int, pages: int, *before: int | str) -> list[Button]:
    """Previous and next; `before`: the arguments in front of the page."""
    row = [tap("◀", path, *before, page - 1)] if page > 1 else []
    return row + ([tap("▶", path, *before, page + 1)] if page < pages else [])


def in_columns(buttons: Sequence[Button]) -> list[list[Button]]:
    """The buttons in rows of two."""
    return [list(buttons[at : at + COLUMNS]) for at in range(0, len(buttons), COLUMNS)]


def ticks(
    items: Sequence[Any], picked: Collection[int], number: int, *, path: str, before: tuple[int | str, ...] = ()
) -> list[list[Button]]:
    """A page of things to tick: `path:<before>:<id>:<page>`; id 0 only turns the page."""
    shown, number, pages = page_of(items, number, COLUMNS)
    buttons = [
        tap(("✅ " if item.pk in picked else "▫️ ") + item.name, path, *before, item.pk, number) for item in shown
    ]
    return [*in_columns(buttons), pager(path, number, pages, *before, 0)]
