"""Russian phones, as people type them (rules: prior-finance-ops §6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.lib.errors import InvalidError
from fieldservice.lib.phones import parse_phone, show_phone

pytestmark = pytest.mark.usefixtures("english")


@pytest.mark.parametrize(
    "typed",
    [
        "+79991234567",
        "89991234567",
        "79991234567",
        "9991234567",
        "8 (999) 123-45-67",
        "+7 999 123 45 67",
        "+7-999-123-45-67",
        "8.999.123.45.67",
        " +7(999)1234567 ",
        "+7\u00a0999\u00a0123-45-67",
        "тел. 8 999 123-45-67",
    ],
)
def test_a_phone_is_stored_in_one_form(typed):
    assert parse_phone(typed) == "+79991234567"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "abc",
        "12345",
        "+7 999 123-45-6",
        "+7 999 123-45-678",
        "+7 999 123-45-67 доб. 5",
        "+7 999 123-45-67, +7 999 765-43-21",
        "+380991234567",
        "+1 202 555 0100",
        "11111111111",
        "+7 999\x00 123-45-67",
        "8-800-FLOWERSS",
        "дом 8, кв. 999, 1234567",
        "9" * 10_000,
    ],
)
def test_anything_else_is_refused_with_an_example(typed):
    with pytest.raises(InvalidError, match=r"Russian number of 11 digits, for example \+7 999 123-45-67"):
        parse_phone(typed)


@given(st.integers(1_000_000_000, 9_999_999_999), st.sampled_from(["+7", "8", "7"]))
def test_any_eleven_digits_are_a_phone_whatever_the_library_knows_of_ranges(number, prefix):
    assert parse_phone(f"{prefix}{number}") == f"+7{number}"


def test_a_phone_is_shown_in_groups():
    assert show_phone("+79991234567") == "+7 999 123-45-67"


@pytest.mark.parametrize(("stored", "shown"), [(None, ""), ("", ""), ("123", "123"), ("89991234567", "89991234567")])
def test_other_values_are_shown_as_they_are(stored, shown):
    assert show_phone(stored) == shown
