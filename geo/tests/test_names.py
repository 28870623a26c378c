"""One spelling for comparing, Russian order, streets taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.names import (
    CITY_ALIASES,
    KINDS,
    OKRUGS,
    alphabetical,
    fold,
    fold_city,
    fold_district,
    split_street,
)
from geo.seed import DATA

WORDS = st.text(st.sampled_from("абвгдеёжзийклмнопрстуфхцчшщьыъэюяАБЕЁЯ 0123456789-–—.()№"), max_size=40)
CITIES = [line.split(",")[0] for line in (DATA / "cities.csv").read_text(encoding="utf-8").splitlines()[1:]]


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Орёл", "орел"), ("Ростов-на-Дону", "ростов на дону"), ("Йошкар—Ола", "йошкар ола"),
        ("Химки (МО)", "химки мо"), ("  Улан  Удэ ", "улан удэ"), ("№5", "5"), ("", ""), ("--", ""),
    ],
)  # fmt: skip
def test_spellings_are_folded_together(typed, folded):
    assert fold(typed) == folded


@given(WORDS | st.text(max_size=40))
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)
    assert fold(text) == fold(text.replace("ё", "е").replace("Ё", "Е"))
    assert fold(f" {text}- ") == fold(text)
    assert fold_district(fold_district(text)) == fold_district(text)


def test_every_nickname_leads_to_one_of_our_cities():
    known = {fold(name) for name in CITIES}
    assert set(CITY_ALIASES.values()) <= known
    assert not set(CITY_ALIASES) & known, "a city's own name is no nickname of another"
    assert {fold(nickname) for nickname in CITY_ALIASES} == set(CITY_ALIASES)


@pytest.mark.parametrize("name", CITIES)
@pytest.mark.parametrize("form", ["{}", "г. {}", "город {}", "{} (МО)", "{}, Московская область", "г {}"])
def test_a_city_is_itself_whatever_stands_around(name, form):
    assert fold_city(form.format(name)) == fold(name)
    assert fold_city(form.format(name).upper()) == fold(name)


@pytest.mark.parametrize(
    ("typed", "city", "folded"),
    [
        ("Ленинский район", "Пермь", "ленинский"), ("р-н Ленинский", "Пермь", "ленинский"),
        ("Калининский АО", "Омск", "калининский"), ("Ленинский округ", "Калуга", "ленинский"),
        ("ЦАО", "Москва", "цао"), ("ЦАО (Центральный АО)", "Москва", "цао"), ("Центральный АО", "Москва", "цао"),
        ("Юго-Западный административный округ", "Москва", "юзао"), ("ЗелАО", "Москва", "зеленоград"),
        ("НАО", "Москва", "новомосковский"), ("ТАО", "Москва", "троицкий"),
        ("Центральный", "Омск", "центральный"), ("Район", "Омск", "район"), ("Верх-Исетский", "", "верх исетский"),
    ],
)  # fmt: skip
def test_a_district_is_itself_with_or_without_the_word(typed, city, folded):
    assert fold_district(typed, city) == folded


@pytest.mark.parametrize(
    ("typed", "kind", "words"),
    [
        ("ул. Ленина", "улица", "ленина"), ("Ленина улица", "улица", "ленина"), ("Ленина", "", "ленина"),
        ("пр-т Мира", "проспект", "мира"), ("Мира пр-кт", "проспект", "мира"), ("просп. Мира", "проспект", "мира"),
        ("1-я Советская ул", "улица", "1 советская"), ("б-р Мира", "бульвар", "мира"),
        ("1-ый Парковый пер.", "переулок", "1 парковый"), ("Набережная улица", "улица", "набережная"),
        ("улица Набережная", "улица", "набережная"), ("Университетская набережная", "набережная", "университетская"),
        ("набережная реки Фонтанки", "набережная", "реки фонтанки"), ("ул. Ш. Руставели", "улица", "ш руставели"),
        ("Ш. Руставели", "", "ш руставели"), ("Московское ш.", "шоссе", "московское"), ("шоссе", "", "шоссе"),
        ("7-я линия", "линия", "7"), ("ул. 8 Марта", "улица", "8 марта"), ("Бр. Кашириных", "", "бр кашириных"),
        ("", "", ""), ("!!!", "", ""),
    ],
)  # fmt: skip
def test_a_street_is_taken_apart(typed, kind, words):
    name = split_street(typed)
    assert (name.kind, name.words) == (kind, words)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ул. Мира", "Мира улица"), ("Карла Маркса", "улица Маркса Карла"), ("1-я Парковая", "1 Парковая ул."),
        ("Зелёная", "зеленая"), ("пр-т Ленина", "проспект Ленина"),
    ],
)  # fmt: skip
def test_the_same_street(one, other):
    a, b = split_street(one), split_street(other)
    assert a.may_be(b)
    assert a.key == b.key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ул. Мира", "пр. Мира"),
        ("11-я Парковая", "12-я Парковая"),
        ("8 Марта", "9 Марта"),
        ("Парковая", "1-я Парковая"),
    ],
)
def test_another_street_however_alike(one, other):
    assert not split_street(one).may_be(split_street(other))


@given(WORDS, st.sampled_from(sorted(KINDS)))
def test_the_kind_may_stand_on_either_side(words, kind):
    name = split_street(words)
    if name.words and not name.kind and name.words.split()[0] not in KINDS:
        assert split_street(f"{kind} {words}").key == split_street(words).key or split_street(f"{kind} {words}").kind


@given(WORDS, WORDS)
def test_to_be_maybe_the_same_is_mutual(one, other):
    a, b = split_street(one), split_street(other)
    assert a.may_be(a)
    assert a.may_be(b) == b.may_be(a)


def test_russian_order():
    names = ["Ярославль", "Орск", "Орёл", "Оренбург", "Омск", "улица 10", "улица 2", "Йошкар-Ола", "Ижевск", "Елец"]
    assert sorted(names, key=alphabetical) == [
        "Елец", "Ижевск", "Йошкар-Ола", "Омск", "Орёл", "Оренбург", "Орск", "улица 2", "улица 10", "Ярославль",
    ]  # fmt: skip


@given(st.lists(WORDS))
def test_any_names_can_be_put_in_order(names):
    assert sorted(sorted(names, key=alphabetical, reverse=True), key=alphabetical) == sorted(names, key=alphabetical)


def test_the_okrugs_are_no_districts_of_other_towns():
    for short in OKRUGS:
        assert fold_district(short.upper(), "Москва") == fold_district(short, "Тверь") == short
