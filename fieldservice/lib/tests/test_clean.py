"""Text from outside."""

from __future__ import annotations

import pytest

from fieldservice.lib.clean import check_reason, clean, shorten
from fieldservice.lib.errors import InvalidError

pytestmark = pytest.mark.usefixtures("english")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  дом 5 ", "дом 5"),
        ("a\x00b", "ab"),
        ("\ud800дом", "дом"),
        ("😀 ок", "😀 ок"),
        ("две\nстроки", "две\nстроки"),
        ("\x00", ""),
    ],
)
def test_clean_drops_what_cannot_be_stored(text, kept):
    assert clean(text) == kept


def test_shorten_quotes_the_beginning():
    assert shorten("Москва") == "Москва"
    assert shorten("я" * 100) == "я" * 59 + "…"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("abc", "abc"), ("  не дозвонились \n до клиента ", "не дозвонились до клиента"), ("я" * 200, "я" * 200)],
)
def test_a_reason_is_kept_on_one_line(typed, kept):
    assert check_reason(typed) == kept


@pytest.mark.parametrize("typed", ["", "ab", "  a ", "\n \t", "\x00\x00\x00", "я" * 201, "no\x00"])
def test_a_reason_that_is_too_short_or_long_is_refused(typed):
    with pytest.raises(InvalidError, match="Give a reason of 3 to 200 characters") as caught:
        check_reason(typed)
    assert set(caught.value.fields) == {"reason"}
