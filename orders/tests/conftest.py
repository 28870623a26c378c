from __future__ import annotations

import pytest

from fieldservice.tests.fixtures import english

__all__ = ["english"]


@pytest.fixture(autouse=True)
def _in_english(english: None) -> None:
    """Sentences are compared as they are written in the code."""
