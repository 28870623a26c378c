"""`manage.py create_order`: by options or as JSON; wrong input is one sentence, exit code 1 and no trace."""

from __future__ import annotations

import io
import json
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import CommandError, call_command

from geo.tests.factories import CityFactory, DistrictFactory, StreetFactory
from orders.management.commands.create_order import Command
from orders.models import Order
from orders.tests.counting import nothing_written

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Europe/Moscow"))
CATEGORIES = "ELECTRICS, PLUMBING, APPLIANCES, WINDOWS, HANDYMAN, ROADSIDE"
RIGHT = {"city": "Новые Дворы", "phone": "8 999 123-45-67", "category": "plumbing"}


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def city():
    return CityFactory(name="Новые Дворы")


@pytest.fixture
def stdin(monkeypatch):
    def put(content: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(content))

    return put


def run(*arguments: str, **options) -> str:
    output = io.StringIO()
    call_command("create_order", *arguments, stdout=output, **options)
    return output.getvalue()


def refused(*arguments: str) -> str:
    """The sentence; nothing was written."""
    with nothing_written(), pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == 1
    return str(caught.value)


def test_by_options(city):
    street = StreetFactory(city=city, district=DistrictFactory(city=city, name="Заречный"), name="улица Мира")
    shown = run(
        "--city=новые дворы", "--phone=89991234567", "--category=windows", "--district=заречный", "--street=Улица Мира",
        "--house=5", "--apartment=17", "--client-name=Анна", "--description=Разбито окно", "--slot=tomorrow:10-13",
    )  # fmt: skip
    order = Order.objects.get()
    assert shown == f"Order #{order.pk}: Deferred, tomorrow 10:00–13:00 (Новые Дворы).\n"
    assert (order.street, order.district.name, order.house, order.apartment) == (street, "Заречный", "5", "17")
    assert (order.client_name, order.client_phone, order.category) == ("Анна", "+79991234567", "WINDOWS")
    assert (order.description, order.created_by_staff) == ("Разбито окно", None)


def test_as_json(city, stdin):
    stdin(json.dumps(RIGHT | {"slot": "today:13-16", "confirm_late": False, "district": None, "house": "5"}))
    shown = json.loads(run("--stdin", "--json"))
    order = Order.objects.get()
    assert shown == {
        "id": order.pk, "status": "SEARCHING", "city": "Новые Дворы", "slot": "today 13:00–16:00", "version": 2
    }  # fmt: skip
    assert (order.house, order.no_district) == ("5", True)


def test_a_street_that_is_not_in_the_catalogue_is_kept_as_it_is_typed(city):
    run("--city=Новые Дворы", "--phone=89991234567", "--category=WINDOWS", "--street=Новая", "--address-comment=код 5")
    order = Order.objects.get()
    assert (order.street_text, order.address_comment) == ("Новая", "код 5")


def test_a_street_is_found_however_it_is_typed_and_several_are_a_choice(city):
    districts = [DistrictFactory(city=city, name=name) for name in ("Юг", "Север")]
    streets = [StreetFactory(district=district, name="улица Мира") for district in districts]
    options = ["--city=Новые Дворы", "--phone=89991234567", "--category=WINDOWS", "--street=мира ул."]
    assert refused(*options).startswith("There are several streets «мира ул.»: улица Мира (Север), улица Мира (Юг).")
    run(*options, "--district=юг")
    assert Order.objects.get().street == streets[0]
    streets[1].delete()
    DistrictFactory(city=city, name="Запад")
    assert refused(*options, "--district=Запад") == (
        "«улица Мира» lies in Юг, not in Запад. Confirm Юг, or choose another street. "
        "Add --confirm-district to take it."
    )
    run(*options, "--district=Запад", "--confirm-district")
    assert Order.objects.latest("pk").district.name == "Юг"


def test_coordinates_are_kept(city):
    options = ["--city=Новые Дворы", "--phone=89991234567", "--category=WINDOWS"]
    run(*options, "--location=55,7558; 37,6173")
    order = Order.objects.get()
    assert (order.lat, order.lon, order.geocode_provider) == (55.7558, 37.6173, "user_location")
    assert refused(*options, "--location=here") == "Type latitude and longitude, for example 55.7558, 37.6173."


def test_a_repeated_key_is_the_same_order(city, stdin):
    shown = []
    for _time in range(2):
        stdin(json.dumps(RIGHT | {"external_key": "crm-1"}))
        shown.append(json.loads(run("--stdin", "--json"))["id"])
    assert shown[0] == shown[1]
    assert Order.objects.count() == 1


class TestWrongOptions:
    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"--city": ""}, "city is required."),
            ({"--phone": ""}, "phone is required."),
            ({"--category": "  "}, "category is required."),
            ({"--city": "Новые Двор"}, "There is no city «Новые Двор». Did you mean Новые Дворы?"),
            ({"--city": "zzz"}, "There is no city «zzz». See the list of cities."),
            ({"--city": "z" * 10_000}, f"There is no city «{'z' * 59}…». See the list of cities."),
            ({"--phone": "12"}, "The phone must be a Russian number of 11 digits, for example +7 999 123-45-67."),
            ({"--category": "roof"}, f"The category must be one of {CATEGORIES}."),
            ({"--district": "Нет"}, "There is no district «Нет» in Новые Дворы; its districts: Заречный."),
            ({"--slot": "noon"}, "The slot must be asap, today:13-16, tomorrow:10-13 or a date like 2026-11-25:10-13."),
            ({"--slot": "today:21-22"}, "The slot must lie between 10:00 and 20:00, local time."),
            ({"--house": "5" * 33}, "The house must have 1 to 10 letters or digits, for example 12, 12А, 5к2 or 10/3."),
        ],
    )  # fmt: skip
    def test_one_sentence(self, city, changes, sentence):
        DistrictFactory(city=city, name="Заречный")
        options = {"--city": "Новые Дворы", "--phone": "89991234567", "--category": "WINDOWS"} | changes
        assert refused(*[f"{name}={value}" for name, value in options.items()]) == sentence

    def test_late_asap_asks_for_a_confirmation(self, city):
        with time_machine.travel(NOON.replace(hour=19, minute=30), tick=False):
            options = ["--city=Новые Дворы", "--phone=89991234567", "--category=WINDOWS"]
            assert refused(*options) == (
                "It is too late for today. Confirm tomorrow 10:00–13:00, or choose another slot. "
                "Add --confirm-late to take it."
            )
            assert "Deferred, tomorrow 10:00–13:00" in run(*options, "--confirm-late")


DEEP = "[" * 100_000


class TestWrongJson:
    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("", "city is required."),
            ("{}", "city is required."),
            ("city=x", "Standard input is not JSON: Expecting value: line 1 column 1 (char 0)."),
            ('{"city": ', "Standard input is not JSON: Expecting value"),
            ("[]", "Standard input must be one JSON object."),
            ('[{"city": "x"}]', "Standard input must be one JSON object."),
            ('"text"', "Standard input must be one JSON object."),
            ("null", "Standard input must be one JSON object."),
            ("NaN", "Standard input must be one JSON object."),
            (DEEP, "Standard input is not JSON: "),
            ('{"city": ' + "9" * 5000 + "}", "Standard input is not JSON: Exceeds the limit"),
            ('{"town": "x", "fone": "y"}', "Unknown field fone, town; the fields are city, district, street, phone,"),
        ],
    )
    def test_what_is_no_order_is_told(self, city, stdin, content, sentence):
        stdin(content)
        assert refused("--stdin").startswith(sentence)

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"phone": 89991234567}, "phone must be text in quotes."),
            ({"house": 5}, "house must be text in quotes."),
            ({"house": 0}, "house must be text in quotes."),
            ({"description": True}, "description must be text in quotes."),
            ({"description": {"a": 1}}, "description must be text in quotes."),
            ({"city": ["Новые Дворы"]}, "city must be text in quotes."),
            ({"confirm_late": "false"}, "confirm_late must be true or false."),
            ({"confirm_late": 1}, "confirm_late must be true or false."),
            ({"city": None}, "city is required."),
            ({"phone": "  "}, "phone is required."),
            ({"city": "\x00"}, "city is required."),
            ({"city": "Москва\ud800"}, "There is no city «Москва»."),
            ({"description": "x" * 10_000}, "The description must have 10 to 500 characters"),
            ({"street": "x" * 10_000}, "The street must have 2 to 50 letters or digits, without emoji."),
            ({"confirm_district": 1}, "confirm_district must be true or false."),
            ({"external_key": "k" * 10_000}, "The key must have up to 80 characters."),
            ({"district": "\x00x"}, "There is no district «x» in Новые Дворы; its districts: none."),
        ],
    )
    def test_a_wrong_value_is_told(self, city, stdin, changes, sentence):
        stdin(json.dumps(RIGHT | changes))
        assert refused("--stdin").startswith(sentence)

    def test_bytes_that_are_no_text_are_told(self, city, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"city": "\xff"}'), encoding="utf-8"))
        assert refused("--stdin").startswith("Standard input is not JSON: 'utf-8' codec can't decode")

    def test_nul_in_free_text_is_dropped(self, city, stdin):
        stdin(json.dumps(RIGHT | {"description": "Течёт\x00 кран", "street": "Ми\x00ра", "external_key": "k\x00"}))
        run("--stdin")
        order = Order.objects.get()
        assert (order.description, order.street_text, order.external_key) == ("Течёт кран", "Мира", "k")


@pytest.mark.django_db(transaction=True)
def test_the_exit_code_is_one_and_the_sentence_goes_to_standard_error(capsys):
    with pytest.raises(SystemExit) as caught:
        Command().run_from_argv(["manage.py", "create_order", "--city=zzz", "--phone=1", "--category=x"])
    assert caught.value.code == 1
    assert capsys.readouterr().err == "CommandError: There is no city «zzz». See the list of cities.\n"
