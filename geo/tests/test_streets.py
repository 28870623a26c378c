"""Streets: found however they are typed, twins once, namesakes apart, and never from an old list."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from itertools import product

import pytest
from django.db import connection, transaction
from rapidfuzz import fuzz

from fieldservice.lib.errors import InvalidError
from geo import selectors
from geo.models import City, District, Street
from geo.selectors import streets
from geo.street_index import WHOLE, StreetIndex
from geo.tests.factories import CityFactory, DistrictFactory, StreetFactory

pytestmark = pytest.mark.django_db
NAMES = ["улица Советская", "1-я Советская улица", "2-я Советская улица", "Советский проспект", "площадь Советов",
         "улица Мира", "проспект Мира", "улица 8 Марта", "улица Карла Маркса", "улица Зелёная", "Московское шоссе",
         "набережная реки Фонтанки", "улица 50 лет Октября", "переулок Октябрьский"]  # fmt: skip


@pytest.fixture
def town():
    city = CityFactory()
    Street.objects.bulk_create(Street(city=city, name=name) for name in NAMES)
    return city


def names(city: City, text: str) -> list[str]:
    return [str(found) for found in selectors.search_streets(city, text)]


class TestSearch:
    @pytest.mark.parametrize(
        ("typed", "first"),
        [
            ("советская", "улица Советская"), ("савецкая", "улица Советская"), ("ул. Советская", "улица Советская"),
            ("1 советская", "1-я Советская улица"), ("мира", "проспект Мира"), ("ул мира", "улица Мира"),
            ("пр-т мира", "проспект Мира"), ("8 марта", "улица 8 Марта"), ("маркса", "улица Карла Маркса"),
            ("маркса карла", "улица Карла Маркса"), ("зеленая", "улица Зелёная"), ("московск", "Московское шоссе"),
            ("фонтанка", "набережная реки Фонтанки"), ("октебрьский", "переулок Октябрьский"),
            ("50 лет октября", "улица 50 лет Октября"),
        ],
    )  # fmt: skip
    def test_the_meant_street_is_first(self, town, typed, first):
        assert names(town, typed)[0] == first

    def test_all_cyrillic_streets_of_a_word_are_found(self, town):
        assert set(names(town, "советск")) >= {
            "улица Советская", "1-я Советская улица", "2-я Советская улица", "Советский проспект"
        }  # fmt: skip

    def test_a_score_stands_beside(self, town):
        found = selectors.search_streets(town, "советская")
        assert found[0].score == 100
        assert all(60 <= hit.score <= 100 for hit in found)
        assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)

    @pytest.mark.parametrize("typed", ["", " ", "м", "\x00", "!!", "\ud800", "qwertyuiop", "z" * 100_000])
    def test_nothing_like_it_is_nothing(self, town, typed):
        assert names(town, typed) == []

    def test_ten_at_most(self, town):
        Street.objects.bulk_create(Street(city=town, name=f"Садовая {n}-я") for n in range(1, 30))
        assert len(names(town, "садовая")) == 10

    def test_only_of_this_city(self, town):
        assert names(CityFactory(), "советская") == []

    def test_two_spellings_in_one_district_are_shown_once(self):
        district = DistrictFactory(name="Центр")
        for name in ("улица Ленина", "ул. Ленина", "Ленина ул.", "улица Ленинa", "проспект Ленина"):
            StreetFactory(district=district, name=name)
        assert len(names(district.city, "ленина")) == 2, "the avenue is another street"

    def test_numbered_streets_are_no_twins(self):
        city = CityFactory()
        for number in range(9, 17):
            StreetFactory(city=city, district=None, name=f"{number}-я Парковая улица")
        assert len(names(city, "парковая")) == 8

    def test_namesakes_of_two_districts_are_kept_apart(self):
        city = CityFactory()
        for name in ("Южный", "Северный"):
            StreetFactory(district=DistrictFactory(city=city, name=name), name="улица Мира")
        StreetFactory(city=city, district=None, name="улица Мира")
        assert names(city, "мира") == ["улица Мира", "улица Мира (Северный)", "улица Мира (Южный)"]


class TestFind:
    @pytest.mark.parametrize("typed", ["улица Мира", "МИРА УЛ.", "ул Мира", " Мира,  улица "])
    def test_a_street_is_found_in_its_city_only(self, town, typed):
        assert str(selectors.find_street(town, typed)) == "улица Мира"
        assert selectors.find_street(CityFactory(), typed) is None
        assert selectors.find_street(town, "улица") is None

    def test_several_of_one_name_are_a_choice(self, town):
        with pytest.raises(InvalidError) as caught:
            selectors.find_street(town, "Мира")
        assert str(caught.value) == (
            "There are several streets «Мира»: проспект Мира, улица Мира. Name the district or the kind of street."
        )
        assert [street.name for street in caught.value.details["choices"]] == ["проспект Мира", "улица Мира"]

    def test_the_district_decides(self):
        city = CityFactory()
        north, south = (StreetFactory(district=DistrictFactory(city=city, name=name), name="Мира") for name in "СЮ")
        assert selectors.find_street(city, "мира", district=south.district) == south
        with pytest.raises(InvalidError, match=r"Мира \(С\), Мира \(Ю\)"):
            selectors.find_street(city, "мира", district=DistrictFactory(city=city))
        north.delete()
        assert selectors.find_street(city, "мира", district=DistrictFactory(city=city)) == south

    @pytest.mark.parametrize("typed", ["", "\x00", "%", "x" * 100_000, "\ud800"])
    def test_rubbish_is_no_error(self, town, typed):
        assert selectors.find_street(town, typed) is None


class TestFresh:
    """The names in memory are never older than the last commit, whoever wrote it."""

    def test_every_way_to_change_a_street(self, town):
        assert names(town, "новая") == []
        street = Street.objects.create(city=town, name="улица Новая")
        assert names(town, "новая") == ["улица Новая"]
        Street.objects.filter(pk=street.pk).update(name="улица Старая")
        assert names(town, "новая") == []
        assert names(town, "старая") == ["улица Старая"]
        other = CityFactory()
        assert names(other, "старая") == []
        Street.objects.filter(pk=street.pk).update(city=other)
        assert (names(town, "старая"), names(other, "старая")) == ([], ["улица Старая"])
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO streets(city_id, name) VALUES (%s, 'улица Новая')", [town.pk])
        assert names(town, "новая") == ["улица Новая"]
        Street.objects.filter(city=other).delete()
        assert names(other, "старая") == []
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE streets CASCADE")
        assert names(town, "мира") == []

    def test_the_district_beside_a_name_is_today_s(self):
        street = StreetFactory(district__name="Старый", name="Мира")
        assert names(street.city, "мира") == ["Мира (Старый)"]
        District.objects.update(name="Новый")
        assert names(street.city, "мира") == ["Мира (Новый)"]
        District.objects.all().delete()
        assert names(street.city, "мира") == ["Мира"]

    def test_a_city_saved_meanwhile_does_not_bring_the_old_names_back(self, town):
        form = City.objects.get(pk=town.pk)  # somebody opens its page …
        assert names(town, "мира")
        Street.objects.filter(city=town, name="улица Мира").update(name="улица Новая")
        form.timezone = "Asia/Omsk"
        form.save()  # … and saves it, with the number of then
        assert names(town, "новая") == ["улица Новая"]

    def test_nothing_changed_is_nothing_read(self, town, django_assert_num_queries):
        names(town, "мира")
        with django_assert_num_queries(2):  # the version, and the ten rows that are shown
            names(town, "мира")

    def test_a_rollback_leaves_no_trace(self, town):
        for name in ("улица Первая", "улица Вторая"):
            try:
                with transaction.atomic():
                    Street.objects.create(city=town, name=name)
                    assert names(town, name) == [name]
                    raise InterruptedError
            except InterruptedError:
                assert names(town, name) == []

    def test_a_city_leaves_with_its_streets(self, town):
        town.delete()
        assert not Street.objects.exists()

    def test_memory_has_a_bound(self, town, monkeypatch):
        monkeypatch.setattr(streets, "HELD", 20)
        other = CityFactory()
        StreetFactory.create_batch(10, city=other, district=None)
        names(town, "мира")
        names(other, "улица 1")
        assert set(streets._held) == {other.pk}
        assert names(town, "мира")


SEARCHER = """
import sys, django; django.setup()
from geo.models import City
from geo.selectors import search_streets
for line in sys.stdin:
    city = City.objects.get(pk=int(line.split()[0]))
    print("|".join(str(f) for f in search_streets(city, line.split(maxsplit=1)[1].strip())), flush=True)
"""


@pytest.mark.django_db(transaction=True)
def test_another_process_sees_a_change_at_once():
    """One process holds the names in memory while this one changes them."""
    city = CityFactory()
    StreetFactory(city=city, district=None, name="улица Мира")
    name = connection.settings_dict["NAME"]
    program = f"from django.conf import settings; settings.DATABASES['default']['NAME'] = {name!r}\n{SEARCHER}"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as other:

        def asked(text: str) -> str:
            other.stdin.write(f"{city.pk} {text}\n")
            other.stdin.flush()
            return other.stdout.readline().strip()

        assert asked("мира") == "улица Мира"
        for number in range(5):
            Street.objects.update(name=f"улица Победы {number}")
            assert asked("победы") == f"улица Победы {number}"
        Street.objects.all().delete()
        assert asked("победы") == ""
        other.stdin.close()


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_do_not_lock_each_other_up():
    cities = [CityFactory() for _number in range(8)]
    failed: list[Exception] = []

    def write(seed: int) -> None:
        try:
            for _round in range(15):
                mixed = random.Random(seed).sample(cities, len(cities))
                rows = [Street(city=city, name=f"улица {seed} {_round} {n}") for city, n in product(mixed, range(3))]
                Street.objects.bulk_create(rows)
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[seed]) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert Street.objects.count() == 4 * 15 * 8 * 3


@pytest.fixture(scope="module")
def large():
    """More streets than are compared one by one."""
    rng = random.Random(7)
    syllables = ["ка", "ле", "ни", "рос", "вет", "мо", "ков", "гра", "бря", "ски", "реч", "пав", "пет", "ушко", "ива"]
    words = ["".join(rng.choices(syllables, k=rng.randint(2, 5))) for _word in range(4000)]
    return [(n, f"улица {' '.join(rng.choices(words, k=rng.choice([1, 1, 1, 2])))}") for n in range(2 * WHOLE)]


def misspelled(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word))
    return rng.choice([
        word[:place] + word[place + 1 :], word[:place] + "о" + word[place:], word[:place] + "и" + word[place + 1 :],
    ])  # fmt: skip


def test_in_a_large_city_the_choice_of_likely_names_loses_nothing(large):
    """Whatever contains the typed text or is spelled like it is compared. (WRatio's own noise may be lost.)"""
    rng, index = random.Random(8), StreetIndex(large)
    missed, asked = [], 0
    for _id, name in rng.sample(large, 150):
        words = name.removeprefix("улица ")
        for text in (words, words[: max(5, len(words) - 3)], misspelled(words, rng)):
            wanted = [i for i, other in enumerate(index.texts) if text in other or fuzz.ratio(text, other) >= 80]
            found = {hit.street_id for hit in index.search(text)}
            if len(text) < 4 or len(wanted) > 20:
                continue  # more than anybody reads
            asked += len(wanted)
            missed += [(text, index.texts[i]) for i in wanted if index.ids[i] not in found]
    assert asked > 400
    assert len(missed) <= asked // 100, missed  # two words typed as one, for example


def test_long_words_take_no_memory_of_their_own(large):
    """Whatever people type: the beginnings of the city's words are held for sixteen lengths at most."""
    index = StreetIndex(large)
    for length in range(2, 110, 3):
        index.search("комсомольск" * 10 if length > 100 else ("первомайскогорских" * 7)[:length])
    assert max(index.beginnings) <= 16
    longest = max(large, key=lambda row: len(row[1]))
    assert longest[0] in {hit.street_id for hit in index.search(longest[1][:-1] + "ъ")}
