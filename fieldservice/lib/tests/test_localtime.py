"""Moments and slots as people read them, in the city's zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from fieldservice.lib.localtime import format_day, format_moment, format_timeslot_local, zone

pytestmark = pytest.mark.usefixtures("english")

MOSCOW, VLADIVOSTOK = ZoneInfo("Europe/Moscow"), ZoneInfo("Asia/Vladivostok")
NOON = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)  # 12:00 in Moscow, 19:00 in Vladivostok


def at(day: int, hour: int, minute: int = 0, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "tz", "shown"),
    [
        (at(22, 10), at(22, 13), MOSCOW, "today 13:00–16:00"),
        (at(23, 7), at(23, 10), MOSCOW, "tomorrow 10:00–13:00"),
        (at(21, 13), at(21, 16), MOSCOW, "yesterday 16:00–19:00"),
        (at(25, 7), at(25, 10), MOSCOW, "25.11 10:00–13:00"),
        (at(2, 7, month=1, year=2027), at(2, 10, month=1, year=2027), MOSCOW, "02.01.2027 10:00–13:00"),
        (at(22, 21), at(23, 1), MOSCOW, "tomorrow 00:00–04:00"),
        (at(22, 20), at(23, 1), MOSCOW, "today 23:00 – tomorrow 04:00"),
        # 23:00 UTC is the next morning in Vladivostok
        (at(22, 23), at(23, 2), VLADIVOSTOK, "tomorrow 09:00–12:00"),
        (None, None, MOSCOW, "as soon as possible"),
        (at(22, 10), None, MOSCOW, "as soon as possible"),
    ],
)
def test_a_slot_is_shown_in_the_city_s_zone(start, end, tz, shown):
    assert format_timeslot_local(start, end, tz=tz, now=NOON) == shown


def test_a_slot_is_shown_in_russian():
    with translation.override("ru"):
        shown = [
            format_timeslot_local(at(22, 10), at(22, 13), tz=MOSCOW, now=NOON),
            format_timeslot_local(at(23, 7), at(23, 10), tz=MOSCOW, now=NOON),
            format_timeslot_local(at(25, 7), at(25, 10), tz=MOSCOW, now=NOON),
        ]
    assert shown == ["сегодня 13:00–16:00", "завтра 10:00–13:00", "25.11 10:00–13:00"]


def test_today_depends_on_the_zone():
    late = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)  # 18:30 in Moscow, already the 23rd in Vladivostok
    assert format_day(late, tz=MOSCOW, now=NOON) == "today"
    assert format_day(late, tz=VLADIVOSTOK, now=NOON) == "tomorrow"


def test_midnight_at_the_turn_of_the_year_is_tomorrow():
    evening = datetime(2026, 12, 31, 20, 59, tzinfo=UTC)  # 23:59 in Moscow
    assert format_day(datetime(2026, 12, 31, 21, tzinfo=UTC), tz=MOSCOW, now=evening) == "tomorrow"


def test_a_moment_that_is_missing_is_a_dash():
    assert format_moment(None, tz=MOSCOW, now=NOON) == "—"
    assert format_moment(NOON, tz=MOSCOW, now=NOON) == "today 12:00"


@pytest.mark.parametrize("name", [None, "", "Europe/Nowhere", "Moscow", "../../etc/passwd", "Europe", "\x00"])
def test_an_unknown_zone_is_the_installation_s(name):
    assert zone(name).key == "Europe/Moscow"


def test_a_known_zone_is_itself():
    assert zone("Asia/Novosibirsk").key == "Asia/Novosibirsk"
