"""Coordinates as people paste them, and distances."""

from __future__ import annotations

import time
from math import pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.lib.errors import InvalidError
from fieldservice.lib.point import EARTH_KM, Point, distance_km, make_point, parse_point

pytestmark = pytest.mark.usefixtures("english")

MOSCOW, PETERSBURG, VLADIVOSTOK = Point(55.7558, 37.6173), Point(59.9386, 30.3141), Point(43.1155, 131.8855)
POINTS = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    "typed",
    [
        "55.7558, 37.6173",
        "55.7558,37.6173",
        " 55.7558 37.6173 ",
        "55.7558;37.6173",
        "+55.7558, +37.6173",
        "55,7558; 37,6173",
        "55,7558 37,6173",
        "55,7558, 37,6173",
    ],
)
def test_a_place_is_read_however_it_is_copied(typed):
    assert parse_point(typed) == MOSCOW


def test_whole_degrees_and_the_other_half_of_the_globe():
    assert parse_point("55, 37") == Point(55, 37)
    assert parse_point("-33.8688, -151.2093") == Point(-33.8688, -151.2093)


@pytest.mark.parametrize(
    "typed",
    ["", "Москва", "55.7558", "55.7558, 37.6173, 5", "55,7558,37,6173", "55.7558°, 37.6173°", "nan, nan", "1e3 5",
     "٥٥ 37", "5" * 10_000, "55.7558\n\x0037"],
)  # fmt: skip
def test_anything_else_is_answered_by_an_example(typed):
    with pytest.raises(InvalidError, match=r"latitude and longitude, for example 55\.7558, 37\.6173"):
        parse_point(typed)


def test_thousands_of_blanks_take_no_time():
    began = time.perf_counter()
    with pytest.raises(InvalidError, match="for example"):
        parse_point("1,1" + " " * 20_000 + "x")
    assert time.perf_counter() - began < 0.1


@pytest.mark.parametrize("typed", ["90.1, 0", "-91, 0", "0, 181", "0 -180.5", "999, 999"])
def test_it_must_lie_on_the_globe(typed):
    with pytest.raises(InvalidError, match="between -90 and 90"):
        parse_point(typed)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_no_number_is_no_place(number):
    with pytest.raises(InvalidError):
        make_point(number, 0)


@given(st.text(max_size=40))
def test_no_text_is_an_unexpected_error(text):
    try:
        point = parse_point(text)
    except InvalidError:
        return
    assert -90 <= point.lat <= 90
    assert -180 <= point.lon <= 180


@given(POINTS)
def test_what_is_shown_can_be_typed(point):
    again = parse_point(str(point))
    assert (again.lat, again.lon) == pytest.approx((point.lat, point.lon), abs=1e-6)


def test_distances_are_those_of_the_map():
    assert distance_km(MOSCOW, PETERSBURG) == pytest.approx(634, abs=3)
    assert distance_km(MOSCOW, VLADIVOSTOK) == pytest.approx(6417, abs=15)
    assert distance_km(Point(0, 0), Point(0, 180)) == pytest.approx(pi * EARTH_KM)


@given(POINTS, POINTS, POINTS)
def test_distance_is_a_distance(a, b, c):
    assert distance_km(a, a) == 0
    assert distance_km(a, b) == pytest.approx(distance_km(b, a))
    assert 0 <= distance_km(a, b) <= pi * EARTH_KM + 1e-6
    assert distance_km(a, c) <= distance_km(a, b) + distance_km(b, c) + 1e-6
