"""`manage.py import_catalog`: thresholds, trials, bad rows with their lines, everything or nothing."""

from __future__ import annotations

import io
import threading
from collections import Counter
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldservice.lib.errors import ConflictError, InvalidError
from geo.catalog_file import COLUMNS, LENGTHS, decode, read_catalog
from geo.models import City, District, Street
from geo.selectors import search_streets
from geo.services import catalog as service
from geo.tests.factories import CityFactory, DistrictFactory, StreetFactory

pytestmark = pytest.mark.django_db
HEADER = ";".join(COLUMNS)
GLOBE = "The latitude must lie between -90 and 90, the longitude between -180 and 180."


@pytest.fixture
def tver():
    return CityFactory(name="Тверь")


def run(*lines: str, **options: bool) -> service.Report:
    return service.import_catalog(catalog=read_catalog("\n".join([HEADER, *lines])), **options)


def command(path: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("import_catalog", str(path), *options, stdout=out)
    return out.getvalue()


QUOTE = "has a quote that is not closed, or a cell of several lines."


class TestReading:
    def test_a_file_is_read_whatever_the_order_of_columns(self):
        text = 'name;type;city;district;centroid_lat;centroid_lon\n"Мира; улица";STREET;Тверь;Центральный;56,85;35.9\n'
        (row,) = read_catalog(text).rows
        assert (row.line, row.kind, row.city, row.district, row.name) == (
            2, "street", "Тверь", "Центральный", "Мира; улица"
        )  # fmt: skip
        assert (row.centre.lat, row.centre.lon) == (56.85, 35.9)

    def test_the_mark_of_excel_and_empty_lines_do_not_matter(self):
        text = decode(("\ufeff" + HEADER.upper() + "\r\n\r\n;;;;;\r\ncity;;;Тверь;;\r\n").encode())
        assert [(row.line, row.name) for row in read_catalog(text).rows] == [(4, "Тверь")]

    @pytest.mark.parametrize(
        ("line", "sentence"),
        [
            ("town;;;Тверь;;", "the type «town» is not city, district or street."),
            (";Тверь;;Мира;;", "the type «» is not city, district or street."),
            ("street;Тверь;;;;", "has no name."),
            ("street;Тверь;;-;;", "«-» is no name of a place."),
            (f"district;Тверь;;{'я' * 121};;", f"«{'я' * 59}…» is no name of a place."),
            ("street;;;Мира;;", "«Мира» has no city."),
            ("street;Тверь;;Мира;56;", "«56; » are no coordinates."),
            ("street;Тверь;;Мира;x;y", "«x; y» are no coordinates."),
            ("street;Тверь;;Мира;91;35", GLOBE),
            ("street;Тверь;;Мира;nan;35", GLOBE),
            ("street;Тверь;;Мира;56;35;9", "has more cells than the first line has columns."),
            ('street;Тверь;;"' + "x" * 200_000, QUOTE),
            ('street;Тверь;;"Мира\nstreet;Тверь;;Лесная', QUOTE),
        ],
    )  # fmt: skip
    def test_a_bad_row_is_named_by_its_line(self, line, sentence):
        catalog = read_catalog(f"{HEADER}\nstreet;Тверь;;Ленина;;\n{line}\n")
        assert [(bad.line, bad.sentence) for bad in catalog.bad] == [(3, sentence)]
        assert len(catalog.rows) == 1

    def test_lines_are_counted_as_editors_do(self):
        found = read_catalog("type;city;district;name\r\nstreet;Тверь;;1-я\u2028Лесная\x0b\x85\r\n\r\nbad")
        assert [row.name for row in found.rows] == ["1-я Лесная"]
        assert [bad.line for bad in found.bad] == [4]

    def test_no_more_is_read_than_anybody_wants(self):
        text = "type;city;district;name\n" + "street;Тверь;;Мира\nbad\n" * 3
        assert [len(read_catalog(text, most=4).rows), len(read_catalog(text, most=4).bad)] == [2, 2]

    @pytest.mark.parametrize("text", ["", "\n", "type;city;name\n", "a;b\n", HEADER.replace(";", ","), "\x00"])
    def test_another_header_is_told(self, text):
        with pytest.raises(InvalidError, match=r"The first line must name the columns type;city;district;name;"):
            read_catalog(text)

    def test_another_encoding_is_told_with_its_line(self):
        with pytest.raises(InvalidError, match=r"Line 2 is not UTF-8: save the file as «CSV UTF-8»"):
            decode(f"{HEADER}\n".encode() + "city;;;Тверь;;".encode("cp1251"))

    @given(st.text(max_size=200) | st.lists(st.text(max_size=12), max_size=8).map(";".join))
    def test_no_text_is_an_unexpected_error(self, text):
        for content in (text, f"{HEADER}\n{text}"):
            try:
                catalog = read_catalog(content)
            except InvalidError:
                continue
            for row in catalog.rows:
                assert 0 < len(row.name) <= LENGTHS[row.kind]
                assert "\x00" not in row.name


class TestThresholds:
    @pytest.mark.parametrize(
        ("there", "comes", "result"),
        [
            ("улица Ленина", "Ленина ул.", "duplicates"),
            ("улица Ленина", "ул. Ленинa", "duplicates"),
            ("улица Комсомольская", "улица Комсомолская", "duplicates"),
            ("улица Комсомольская", "Комсомольская", "duplicates"),
            ("улица Советская", "улица Малая Советская", "doubtful"),
            ("улица Садовая", "улица Садовая-Кудринская", "doubtful"),
            ("улица Верхнеборская", "улица Верхнегорская", "doubtful"),
            ("улица Ленина", "проспект Ленина", "added"),
            ("1-я Парковая улица", "11-я Парковая улица", "added"),
            ("улица Мира", "улица Победы", "added"),
        ],
    )
    def test_a_street(self, tver, there, comes, result):
        StreetFactory(city=tver, district=None, name=there)
        report = run(f"street;Тверь;;{comes};;")
        counts = {name: len(getattr(report, name)) for name in ("added", "duplicates", "doubtful")}
        assert counts == {"added": 0, "duplicates": 0, "doubtful": 0} | {result: 1}
        assert Street.objects.count() == 1 + (result == "added")

    @pytest.mark.parametrize(
        ("score", "result"), [(93, "duplicates"), (92.9, "doubtful"), (85, "doubtful"), (84.9, "added")]
    )
    def test_the_limits_are_93_and_85(self, tver, monkeypatch, score, result):
        StreetFactory(city=tver, district=None, name="улица Мира")
        monkeypatch.setattr(service.Pool, "nearest", lambda self, name: (Street.objects.first(), score))
        report = run("street;Тверь;;Совсем другая;;")
        assert len(getattr(report, result)) == 1

    def test_the_doubtful_are_named_and_can_be_taken_after_all(self, tver):
        StreetFactory(city=tver, district=None, name="улица Советская")
        lines = ["street;Тверь;;улица Победы;;", "street;Тверь;;улица Малая Советская;;"]
        report = run(*lines)
        assert [str(doubt) for doubt in report.doubtful] == [
            "Line 3: «улица Малая Советская» is like «улица Советская» (90 %)."
        ]
        assert run(*lines, with_doubtful=True).added == Counter(street=1)
        assert Street.objects.count() == 3

    def test_the_file_is_compared_with_itself(self, tver):
        report = run("street;Тверь;;ул. Мира;;", "street;Тверь;;Мира улица;;", "street;Тверь;;улица Мира;;")
        assert (report.added["street"], report.duplicates["street"]) == (1, 2)

    def test_a_district_with_or_without_the_word(self, tver):
        DistrictFactory(city=tver, name="Заволжский")
        report = run("district;Тверь;;Заволжский район;;", "district;Тверь;;Московский р-н;;")
        assert (report.added["district"], report.duplicates["district"]) == (1, 1)

    def test_the_okrugs_of_moscow_are_no_misspellings_of_each_other(self):
        CityFactory(name="Москва")
        okrugs = ["ЦАО", "САО", "СВАО", "ВАО", "ЮВАО", "ЮАО", "ЮЗАО", "ЗАО", "СЗАО"]
        report = run(*[f"district;Москва;;{name};;" for name in [*okrugs, "Центральный АО", "САО (Северный АО)"]])
        assert (report.added["district"], report.duplicates["district"], report.doubtful) == (9, 2, [])

    def test_the_same_name_in_another_district_or_city_is_another_street(self, tver):
        for name in ("Южный", "Западный"):
            DistrictFactory(city=tver, name=name)
        CityFactory(name="Псков")
        report = run(
            "street;Тверь;Южный;улица Мира;;", "street;Тверь;Западный;улица Мира;;", "street;Тверь;;улица Мира;;",
            "street;Псков;;улица Мира;;", "street;Тверь;западный район;ул. Мира;;",
        )  # fmt: skip
        assert (report.added["street"], report.duplicates["street"]) == (4, 1)


class TestCities:
    def test_a_city_of_the_list_comes_with_its_zone_and_centre(self):
        report = run("city;;;екб;;", "city;;;г. Химки (МО);55,9;37,4", "city;Омск;;;;")
        assert report.added == Counter(city=3)
        assert City.objects.get(name="Екатеринбург").timezone == "Asia/Yekaterinburg"
        assert City.objects.get(name="Химки").centroid_lat == 55.9
        assert City.objects.get(name="Омск").centroid_lon == 73.3682

    def test_another_city_is_refused(self):
        report = run("city;;;Урюпинск;;", "street;Твер;;Мира;;")
        assert [str(bad) for bad in report.bad] == [
            "Line 2: the company does not work in «Урюпинск».",
            "Line 3: the company does not work in «Твер». Did you mean Тверь?",
        ]
        assert not City.objects.exists()

    def test_a_city_of_ours_that_is_in_no_list_is_known(self):
        CityFactory(name="Урюпинск")
        assert run("city;;;урюпинск;;", "street;Урюпинск;;Мира;;").added == Counter(street=1)

    def test_everything_of_a_new_city_in_any_order(self):
        report = run("street;Тверь;Центр;Мира;56.8;35.9", "district;Тверь;;Центр;;", "city;;;Тверь;;")
        assert report.added == Counter(city=1, district=1, street=1)
        street = Street.objects.get()
        assert (street.city.name, street.district.name, street.centroid_lat) == ("Тверь", "Центр", 56.8)
        assert search_streets(street.city, "мира")

    def test_an_unknown_district_is_refused(self, tver):
        DistrictFactory(city=tver, name="Центральный")
        report = run("street;Тверь;Цетральный;Мира;;", "street;Тверь;Дальний;Мира;;")
        assert [str(bad) for bad in report.bad] == [
            "Line 2: there is no district «Цетральный» in Тверь. Did you mean Центральный?",
            "Line 3: there is no district «Дальний» in Тверь.",
        ]


class TestWriting:
    def test_one_bad_row_and_nothing_is_written(self, tver):
        report = run("street;Тверь;;Мира;;", "street;Тверь;Нет;Ленина;;", "street;Тверь;;Победы;;")
        assert (report.written, report.added["street"], len(report.bad)) == (False, 2, 1)
        assert not Street.objects.exists()

    def test_a_trial_writes_nothing_and_says_the_same(self, tver):
        lines = ["district;Тверь;;Южный;;", "street;Тверь;Южный;Мира;56;35", "street;Тверь;;Мира;;"]
        trial = run(*lines, dry_run=True)
        assert not District.objects.exists()
        real = run(*lines)
        assert (trial.added, trial.written, real.added, real.written) == (real.added, False, trial.added, True)
        again = run(*lines)
        assert (again.added, again.duplicates) == (Counter(), trial.added)

    def test_empty_centres_are_filled_and_nothing_is_overwritten(self, tver):
        empty = StreetFactory(city=tver, district=None, name="улица Мира")
        full = StreetFactory(city=tver, district=None, name="Ленина", centroid_lat=1, centroid_lon=2)
        half = DistrictFactory(city=tver, name="Южный", centroid_lat=1)
        report = run("street;Тверь;;ул. Мира;56,8;35,9", "street;Тверь;;Ленина;5;6", "district;Тверь;;Южный;5;6",
                     "city;;;Тверь;56.85;35.9")  # fmt: skip
        assert report.filled == Counter(street=1, city=1)
        for row in (empty, full, half, tver):
            row.refresh_from_db()
        assert (empty.centroid_lat, empty.centroid_lon, full.centroid_lat, half.centroid_lon, tver.centroid_lat) == (
            56.8, 35.9, 1, None, 56.85
        )  # fmt: skip

    def test_the_number_of_queries_does_not_grow_with_the_rows(self, tver, django_assert_max_num_queries):
        with django_assert_max_num_queries(20):
            run(*[f"street;Тверь;;улица {first}{second};;" for first in "абвгдежзик" for second in "лмнопрстуф"])

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(st.lists(st.text("абвгдежзиклмно 12-", min_size=1, max_size=9), max_size=12))
    def test_a_second_run_of_any_file_adds_nothing(self, tver, names):
        lines = [f"street;Тверь;;{name};;" for name in names if any(char.isalnum() for char in name)]
        first = run(*lines)
        second = run(*lines)
        assert first.bad == second.bad == []
        assert not second.added
        assert second.duplicates.total() + len(second.doubtful) == len(lines)

    def test_a_place_typed_in_by_hand_at_the_same_moment_is_told(self, tver, monkeypatch):
        write = service._Import.write

        def late(run: object) -> None:
            DistrictFactory(city=tver, name="Южный")
            write(run)

        monkeypatch.setattr(service._Import, "write", late)
        with pytest.raises(ConflictError, match="The places were changed meanwhile"):
            run("district;Тверь;;Южный;;", "street;Тверь;Южный;Мира;;")
        assert not Street.objects.exists()


class TestCommand:
    def test_the_report(self, tver, tmp_path):
        StreetFactory(city=tver, district=None, name="улица Советская")
        path = tmp_path / "places.csv"
        path.write_text(f"{HEADER}\ndistrict;Тверь;;Южный;56;35\nstreet;Тверь;;Малая Советская;;\n", "utf-8-sig")
        shown = (
            "Added: 0 cities, 1 districts, 0 streets\nAlready there: 0 cities, 0 districts, 0 streets\n"
            "Doubtful, not added: 1\n  Line 3: «Малая Советская» is like «улица Советская» (90 %).\n"
        )
        assert command(path, "--dry-run") == shown + "A trial: nothing was written.\n"
        assert command(path) == shown
        assert District.objects.get().centroid_lat == 56

    def test_bad_rows_are_listed_and_the_exit_is_an_error(self, tver, tmp_path):
        path = tmp_path / "places.csv"
        path.write_text(f"{HEADER}\nstreet;Тверь;;Мира;;\n\nvillage;;;;;\nstreet;Омск;;Мира;;\n", "utf-8")
        out = io.StringIO()
        with pytest.raises(CommandError, match="Nothing was written: correct the rows above"):
            call_command("import_catalog", str(path), stdout=out)
        assert "Wrong: 2\n  Line 4: the type «village» is not" in out.getvalue()
        assert "Line 5: the company does not work in «Омск»" in out.getvalue()
        assert not Street.objects.exists()

    def test_other_columns_and_files(self, tver, tmp_path):
        path = tmp_path / "places.csv"
        path.write_text("type,city,district,name\nstreet,Тверь,,Мира\n", "utf-8")
        with pytest.raises(CommandError, match="Is «;» right"):
            command(path)
        assert "1 streets" in command(path, "--delimiter", ",")
        with pytest.raises(CommandError, match=r"«.*nowhere\.csv» cannot be read: No such file"):
            command(tmp_path / "nowhere.csv")

    def test_a_bar_shows_the_progress_on_a_terminal(self, tver, tmp_path):
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        path, screen = tmp_path / "places.csv", Terminal()
        path.write_text(f"{HEADER}\n" + "".join(f"street;Тверь;;улица {n};;\n" for n in range(1000)), "utf-8")
        call_command("import_catalog", str(path), stdout=io.StringIO(), stderr=screen)
        assert "████████░" in screen.getvalue()
        assert screen.getvalue().endswith("100 %  1000/1000\n")


@pytest.mark.django_db(transaction=True)
def test_two_at_once_take_turns():
    CityFactory(name="Тверь")
    lines = [f"street;Тверь;;улица {first}{second};;" for first in "абвгдежзик" for second in "лмнопрстуф"]
    reports: list[object] = []

    def work() -> None:
        try:
            reports.append(run(*lines, with_doubtful=True).added.total())
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            reports.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reports, key=str)[:2] == [0, 0], reports
    assert Street.objects.count() == max(reports)
