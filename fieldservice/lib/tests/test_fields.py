"""The table of docs/fields.md: what each field takes, keeps and refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.lib import fields
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.masking import is_luhn

pytestmark = pytest.mark.usefixtures("english")

PARSERS = {
    "name": fields.parse_name,
    "patronymic": fields.parse_patronymic,
    "client": fields.parse_client_name,
    "street": fields.parse_street,
    "house": fields.parse_house,
    "apartment": fields.parse_apartment,
    "comment": fields.parse_address_comment,
    "description": fields.parse_description,
    "invite": lambda text: fields.parse_code(text, 6),
    "referral": lambda text: fields.parse_code(text, 8),
    "card": fields.parse_card,
}
CARD = "4111111111111111"

TAKEN = [
    ("name", "Пётр", "Пётр"),
    ("name", "  пётр ", "Пётр"),
    ("name", "ИВАНОВ-ПЕТРОВ", "Иванов-Петров"),
    ("name", "иванов-петров", "Иванов-Петров"),
    ("name", "Салтыков Щедрин", "Салтыков Щедрин"),
    ("name", "де Рибас", "Де Рибас"),
    ("name", "Ли", "Ли"),
    ("name", "я" * 30, "Я" + "я" * 29),
    ("patronymic", "-", ""),
    ("patronymic", "", ""),
    ("patronymic", " — ", ""),
    ("patronymic", "Мамед оглы", "Мамед оглы"),
    ("client", "Анна", "Анна"),
    ("client", "Anna-Maria O'Connor", "Anna-Maria O'Connor"),
    ("client", "Иванов И.И.", "Иванов И.И."),
    ("client", "ООО «Ромашка»", "ООО «Ромашка»"),
    ("client", "я" * 100, "я" * 100),
    ("street", "8 Марта", "8 Марта"),
    ("street", "  улица   Мира ", "улица Мира"),
    ("street", "Карла-Маркса, проезд 2/1 (бывш. №5)", "Карла-Маркса, проезд 2/1 (бывш. №5)"),
    ("street", "1А", "1А"),
    ("street", "я" * 50, "я" * 50),
    ("house", "12", "12"),
    ("house", " 5к2 ", "5к2"),
    ("house", "10/3 с1", "10/3 с1"),
    ("house", "12-А", "12-А"),
    ("house", "1234567890", "1234567890"),
    ("apartment", "17", "17"),
    ("apartment", "-", ""),
    ("apartment", "", ""),
    ("apartment", "оф. 5", "оф. 5"),
    ("comment", "код 17#, этаж 5\nсобака", "код 17#, этаж 5\nсобака"),
    ("comment", "-", ""),
    ("comment", "x" * 250, "x" * 250),
    ("description", "Течёт\nкран 😀", "Течёт\nкран 😀"),
    ("description", "x" * 10, "x" * 10),
    ("description", "x" * 500, "x" * 500),
    ("invite", " ab12cd ", "AB12CD"),
    ("invite", "AB1 2CD", "AB12CD"),
    ("referral", "0123abcd", "0123ABCD"),
    ("card", "4111 1111 1111 1111", CARD),
    ("card", "4111-1111-1111-1111", CARD),
]
REFUSED = [
    *(("name", text, "2 to 30 Cyrillic letters") for text in
      ["", "П", "я" * 31, "Petr", "Пётр1", "-Пётр", "Пётр-", "Пётр--Иван", "Пётр😀", "ПеTр", "Пётр.", "--"]),
    ("patronymic", "x", "2 to 30 Cyrillic letters"),
    *(("client", text, "2 to 100 letters") for text in ["", "А", "я" * 101, "Анна 2", "😀😀", "--", "<b>Анна</b>"]),
    *(("street", text, "2 to 50 letters or digits") for text in
      ["", "М", "я" * 51, "Мира 😀", "--", "ул\x07ица", "<b>"]),
    *(("house", text, "1 to 10 letters or digits") for text in ["", "-", "12345678901", "5😀", "№5", "5;6", "//"]),
    *(("apartment", text, "up to 10 letters") for text in ["12345678901", "5😀", "1\u20602"]),
    ("comment", "x" * 251, "up to 250 characters"),
    *(("description", text, "10 to 500 characters") for text in ["", "x" * 9, "x" * 501, "   короткое   "[:11]]),
    *(("invite", text, "6 Latin letters and digits") for text in
      ["", "AB12C", "AB12CDE", "АВ12СD", "AB-2CD", "ab12c_"]),
    ("referral", "AB12CD", "8 Latin letters and digits"),
    *(("card", text, "16 to 19 digits") for text in
      ["", "4111", "4111111111111112", "4" * 15, "4" * 20, "٤١١١١١١١١١١١١١١١", "4111 1111 1111 111a"]),
]  # fmt: skip


@pytest.mark.parametrize(("field", "typed", "kept"), TAKEN)
def test_it_is_taken_and_kept_so(field, typed, kept):
    assert PARSERS[field](typed) == kept
    assert PARSERS[field](kept) == kept, "what is stored can be typed again"


@pytest.mark.parametrize(("field", "typed", "sentence"), REFUSED)
def test_it_is_refused_by_a_sentence(field, typed, sentence):
    with pytest.raises(InvalidError, match=sentence):
        PARSERS[field](typed)


@pytest.mark.parametrize("field", PARSERS)
@given(text=st.text(max_size=60) | st.from_regex(r"\A[А-яЁё0-9 \-./]{0,60}\Z"))
def test_no_text_is_an_unexpected_error_and_what_is_kept_stays(field, text):
    try:
        kept = PARSERS[field](text)
    except InvalidError:
        return
    assert kept == kept.strip()
    assert "\x00" not in kept
    assert PARSERS[field](kept) == kept


@given(st.integers(10**14, 10**18 - 1))
def test_a_card_is_known_by_its_last_digit(number):
    good = next(f"{number}{digit}" for digit in range(10) if is_luhn(f"{number}{digit}"))
    bad = f"{number}{(int(good[-1]) + 1) % 10}"
    if len(good) >= 16:
        assert fields.parse_card(good) == good
    with pytest.raises(InvalidError):
        fields.parse_card(bad)
