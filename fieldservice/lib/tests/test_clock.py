"""Times of day as settings write them."""

from __future__ import annotations

from datetime import time

import pytest

from fieldservice.lib.clock import parse_clock


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10:00", time(10)),
        (" 9:30 ", time(9, 30)),
        ("00:00", time(0)),
        ("23:59", time(23, 59)),
        ("19:30:00", time(19, 30)),
    ],
)
def test_a_time_is_read(text, value):
    assert parse_clock(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "10", "1000", "24:00", "10:60", "10:00+03:00", "10:00Z", "T10:00", "10:00:30", "-1:00", "10.00", "١٠:٠٠"],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError):
        parse_clock(text)


def test_a_time_never_has_a_zone():
    assert parse_clock("10:00").tzinfo is None
