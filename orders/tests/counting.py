"""Proof that nothing was written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps


def counts() -> dict[str, int]:
    """Rows of every table of ours."""
    return {model._meta.db_table: model._default_manager.count() for model in apps.get_models() if model._meta.managed}


@contextmanager
def nothing_written() -> Iterator[None]:
    """No table has another number of rows at the end."""
    before = counts()
    yield
    assert counts() == before
