"""Finding places by what people call them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldservice.lib.errors import InvalidError
from geo import selectors
from geo.models import City
from geo.tests.factories import CityFactory, DistrictFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def north():
    return CityFactory(name="Орёл-на-Дону")


@pytest.mark.parametrize("typed", ["Орёл-на-Дону", "орел на дону", " ОРЁЛ  НА ДОНУ ", "Орел_на-Дону"])
def test_a_city_is_found_whatever_the_spelling(north, typed):
    assert selectors.find_city(typed) == north


@pytest.mark.parametrize(
    ("alias", "name"), [("спб", "Санкт-Петербург"), ("Питер", "Санкт-Петербург"), ("МСК", "Москва")]
)
def test_a_city_is_found_by_its_nickname(alias, name):
    city = CityFactory(name=name)
    assert selectors.find_city(alias) == city


def test_an_unknown_city_is_answered_by_similar_ones(north):
    CityFactory(name="Чертаново")
    with pytest.raises(InvalidError) as caught:
        selectors.find_city("Орёл")
    assert str(caught.value) == "There is no city «Орёл». Did you mean Орёл-на-Дону?"
    assert list(caught.value.fields) == ["city"]


@pytest.mark.parametrize("typed", ["", "   ", "?!", "\x00", "\ud800", "zzz", "z" * 100_000])
def test_rubbish_is_answered_by_a_short_sentence(north, typed):
    with pytest.raises(InvalidError, match=r"See the list of cities\.") as caught:
        selectors.find_city(typed)
    assert len(str(caught.value)) < 130


CITIES = ["Великий Новгород", "Волгоград", "Волжский", "Владивосток", "Владикавказ", "Москва", "Нижний Новгород",
          "Нижний Тагил", "Новосибирск", "Омск", "Орёл", "Оренбург", "Ростов-на-Дону", "Санкт-Петербург", "Томск",
          "Химки", "Хабаровск"]  # fmt: skip


@pytest.fixture
def cities():
    return {name: CityFactory(name=name) for name in CITIES}


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("Питер", "Санкт-Петербург"), ("спб", "Санкт-Петербург"), ("Нижний", "Нижний Новгород"),
        ("г. Химки (МО)", "Химки"), ("ростов н/д", "Ростов-на-Дону"), ("НСК", "Новосибирск"), ("масква", "Москва"),
        ("санк-питербург", "Санкт-Петербург"), ("хабароск", "Хабаровск"), ("вологград", "Волгоград"),
        ("тагил", "Нижний Тагил"), ("ростов", "Ростов-на-Дону"), ("орёл", "Орёл"), ("ОРЕЛ", "Орёл"),
    ],
)  # fmt: skip
def test_the_search_puts_the_meant_city_first(cities, typed, first):
    assert selectors.search_cities(typed)[0].name == first


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("новгород", ["Великий Новгород", "Нижний Новгород"]),
        ("нижний", ["Нижний Новгород", "Нижний Тагил"]),
        ("влади", ["Владивосток", "Владикавказ"]),
        ("ор", ["Орёл", "Оренбург", "Великий Новгород"]),
        ("во", ["Волгоград", "Волжский", "Владивосток"]),
        ("х", ["Хабаровск", "Химки"]),
        ("омск", ["Омск", "Томск"]),
    ],
)  # fmt: skip
def test_the_search_ranks_and_then_goes_by_the_alphabet(cities, typed, found):
    assert [city.name for city in selectors.search_cities(typed)][: len(found)] == found


def test_nothing_typed_is_all_cities_in_russian_order(cities):
    names = [city.name for city in selectors.search_cities("")]
    assert len(names) == len(CITIES)
    assert names.index("Омск") < names.index("Орёл") < names.index("Оренбург")
    assert names[0] == "Великий Новгород"
    assert [city.name for city in selectors.search_cities(" ", limit=2)] == ["Великий Новгород", "Владивосток"]


def test_the_search_sees_what_the_person_may_see(cities):
    own = City.objects.filter(name__in=["Томск", "Омск"])
    assert [city.name for city in selectors.search_cities("омск", among=own)] == ["Омск", "Томск"]
    assert selectors.search_cities("москва", among=own) == []
    with pytest.raises(InvalidError):
        selectors.find_city("Москва", among=own)
    City.objects.filter(name="Омск").update(is_active=False)
    assert [city.name for city in selectors.search_cities("", among=own)] == ["Томск"]


@pytest.mark.parametrize(
    ("typed", "choices"),
    [
        ("Новгород", ["Великий Новгород", "Нижний Новгород"]),
        ("Влади", ["Владивосток", "Владикавказ"]),
        ("Масква", ["Москва"]),
        ("Волг", ["Волгоград"]),
        ("zzz", []),
        ("", []),
    ],
)
def test_a_name_that_is_not_clear_gives_choices_and_never_a_city(cities, typed, choices):
    with pytest.raises(InvalidError) as caught:
        selectors.find_city(typed)
    assert [city.name for city in caught.value.details["choices"]][: len(choices) or None] == choices


def test_two_towns_of_one_folded_name_are_a_choice():
    without, with_dots = CityFactory(name="Орел"), CityFactory(name="Орёл")
    assert selectors.find_city("орел") == without
    assert selectors.find_city("ОРЁЛ") == with_dots
    with pytest.raises(InvalidError, match=r"Did you mean Орел, Орёл\?"):
        selectors.find_city("г. Орел")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=30))
def test_no_text_is_an_unexpected_error(north, text):
    selectors.search_cities(text)
    selectors.search_districts(north, text)
    selectors.search_streets(north, text)
    for find in (selectors.find_city, lambda typed: selectors.find_district(north, typed)):
        try:
            find(text)
        except InvalidError:
            continue


def test_a_closed_city_is_not_there():
    CityFactory(name="Дальний", is_active=False)
    with pytest.raises(InvalidError):
        selectors.find_city("Дальний")


class TestDistricts:
    def test_a_district_is_found_in_its_city_only(self, north):
        district = DistrictFactory(city=north, name="Зелёный-2")
        assert selectors.find_district(north, "зеленый 2") == district
        with pytest.raises(InvalidError, match="its districts: none"):
            selectors.find_district(CityFactory(), "зеленый 2")

    def test_an_unknown_one_is_answered_by_the_list(self, north):
        for name in ("Б", "А"):
            DistrictFactory(city=north, name=name)
        with pytest.raises(InvalidError) as caught:
            selectors.find_district(north, "В")
        assert str(caught.value) == "There is no district «В» in Орёл-на-Дону; its districts: А, Б."

    @pytest.mark.parametrize("typed", ["Ленинский", "ленинский район", "р-н Ленинский", "ЛЕНИНСКИЙ  РАЙОН."])
    def test_the_word_district_does_not_matter(self, north, typed):
        district = DistrictFactory(city=north, name="Ленинский р-н")
        assert selectors.find_district(north, typed) == district

    @pytest.mark.parametrize("typed", ["ЦАО", "цао", "Центральный АО", "центральный округ"])
    def test_the_okrugs_of_moscow_are_known_by_both_names(self, typed):
        okrug = DistrictFactory(city=CityFactory(name="Москва"), name="ЦАО")
        assert selectors.find_district(okrug.city, typed) == okrug

    def test_choices_are_in_russian_order_and_a_city_may_have_none(self, north):
        for name in ("Юг", "Ёлкино", "Елань", "Жуково", "2-й", "10-й"):
            DistrictFactory(city=north, name=name)
        assert [d.name for d in selectors.district_choices(north)] == ["2-й", "10-й", "Елань", "Ёлкино", "Жуково", "Юг"]
        assert selectors.search_districts(north, "елк")[0].name == "Ёлкино"
        assert selectors.district_choices(CityFactory()) == selectors.search_districts(CityFactory(), "юг") == []
