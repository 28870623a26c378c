"""Finding places by what people call them."""

from __future__ import annotations

import pytest

from fieldservice.lib.errors import InvalidError
from geo import selectors
from geo.tests.factories import CityFactory, DistrictFactory, StreetFactory

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


class TestStreets:
    def test_a_street_is_found_in_its_city_only(self, north):
        street = StreetFactory(city=north, name="улица Мира")
        assert selectors.find_street(north, "УЛИЦА МИРА") == street
        assert selectors.find_street(CityFactory(), "улица Мира") is None
        assert selectors.find_street(north, "улица") is None

    @pytest.mark.parametrize("typed", ["", "\x00", "улица\x00 Мира", "%", "x" * 100_000])
    def test_rubbish_is_no_error(self, north, typed):
        street = StreetFactory(city=north, name="улица Мира")
        assert selectors.find_street(north, typed) in {None, street}
