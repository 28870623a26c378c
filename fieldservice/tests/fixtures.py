"""Fixtures that several test folders share; a folder's conftest imports what it wants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation
from hypothesis import settings


@pytest.fixture
def english() -> Iterator[None]:
    """Sentences are compared in the language they are written in, whatever the catalogue of Russian has by now."""
    with translation.override("en"):
        yield


#: no deadline: the first example pays for imports, and a busy machine is no bug
settings.register_profile("fieldservice", deadline=None, database=None)
settings.load_profile("fieldservice")
