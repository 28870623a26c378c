"""Times of visits as people type them."""

from __future__ import annotations

from datetime import date

import pytest

from bots.admin import slots
from fieldservice.lib.errors import InvalidError

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("завтра 10-13", "tomorrow:10-13"),
        ("Сегодня с 16 до 19", "today:16-19"),
        ("tomorrow 10:00–13:00", "tomorrow:10-13"),
        ("25.11 10-13", "2026-11-25:10-13"),
        ("05.01, 13 - 16", "2027-01-05:13-16"),
        ("19.11 10-13", "2026-11-19:10-13"),  # three days ago
        ("05.01.2026 13-16", "2026-01-05:13-16"),
        ("2026-11-25 10-13", "2026-11-25:10-13"),
        ("2026-11-25:10-13", "2026-11-25:10-13"),
    ],
)
def test_are_understood(typed: str, name: str) -> None:
    assert slots.name_of(typed, today=TODAY) == name


@pytest.mark.parametrize(
    "typed", ["", "завтра", "10-13", "послезавтра 10-13", "31.02 10-13", "99.99 10-13", "x" * 4096]
)
def test_are_asked_again_with_an_example(typed: str) -> None:
    with pytest.raises(InvalidError, match=r"25\.11 10-13"):
        slots.name_of(typed, today=TODAY)


def test_a_date_without_a_year_is_the_nearest_one() -> None:
    assert slots.name_of("30.12 10-13", today=date(2027, 1, 2)) == "2026-12-30:10-13"
    assert slots.name_of("29.02 10-13", today=date(2027, 12, 20)) == "2028-02-29:10-13"
