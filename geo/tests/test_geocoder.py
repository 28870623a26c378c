"""The geocoder against a server on this machine: answers, refusals, limits, silence, and what is kept of it."""

from __future__ import annotations

import json
import logging
import threading
import time
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from fieldservice.lib.localtime import zone
from fieldservice.lib.point import Point
from fieldservice.logs import logging_config
from fieldservice.runtime.models import Setting
from geo import tasks
from geo.models import GeoCache, GeocoderUsage
from geo.services import geocoder
from geo.services.geocoder import Address, Exhausted, NotNow
from geo.services.locate import Located, locate
from geo.tests.factories import CityFactory, DistrictFactory, StreetFactory
from geo.tests.provider import Provider

pytestmark = pytest.mark.django_db
HOME = Address("Тверь", "улица Мира", "5")
TVER = Point(56.8587, 35.9176)
KEY = "0123-secret-key"


@pytest.fixture
def provider(settings):
    server = Provider()
    settings.YANDEX_GEOCODER_URL = server.url
    yield server
    server.stop()


def store(**values: object) -> None:
    for key, value in values.items():
        Setting.objects.update_or_create(key=key, defaults={"value": str(value)})


@pytest.fixture(params=["yandex", "nominatim"])
def mode(request, provider):
    """Either provider, quick to ask."""
    store(geo_mode=request.param, yandex_geocoder_key=KEY, nominatim_url=provider.url,
          yandex_throttle_rps=50, nominatim_throttle_rps=50)  # fmt: skip
    return request.param


class TestCentres:
    def test_the_nearest_that_has_a_centre(self):
        street = StreetFactory(centroid_lat=1, centroid_lon=2)
        district, city = street.district, street.city
        assert locate(city=city) is None
        city.centroid_lat, city.centroid_lon = 5, 6
        assert locate(city=city, district=district) == Located(Point(5, 6), "city_centroid", 40)
        district.centroid_lat, district.centroid_lon = 3, 0.0
        assert locate(city=city, district=district) == Located(Point(3, 0), "district_centroid", 60)
        assert locate(city=city, district=district, street=street) == Located(Point(1, 2), "street_centroid", 80)
        given = Point(7, 8)
        assert locate(city=city, street=street, given=given) == Located(given, "user_location", 100)

    def test_half_a_centre_is_none(self):
        city = CityFactory(centroid_lat=5)
        assert locate(city=city, district=DistrictFactory(city=city, centroid_lon=1)) is None


class TestAsking:
    def test_a_house_is_found(self, mode, provider):
        assert geocoder.is_on()
        assert geocoder.ask(HOME, near=TVER) == Located(Point(56.8584, 35.9006), mode, 95)

    @pytest.mark.parametrize(("precision", "confidence"), [("street", 80), ("other", 40), ("", 40)])
    def test_something_larger_is_less_sure(self, mode, provider, precision, confidence):
        provider.places["Россия, Тверь, улица Мира, 5"] = (56.8, 35.9, precision)
        assert geocoder.ask(HOME, near=TVER).confidence == confidence

    def test_what_is_told_to_the_provider(self, provider):
        store(geo_mode="yandex", yandex_geocoder_key=KEY)
        geocoder.ask(HOME, near=None)
        assert provider.questions == [
            {"path": "/1.x/", "geocode": "Россия, Тверь, улица Мира, 5", "format": "json", "apikey": KEY,
             "lang": "ru_RU", "results": "1"}
        ]  # fmt: skip

    def test_a_nominatim_below_a_path(self, provider):
        store(geo_mode="nominatim", nominatim_url=f"{provider.url}/geo/")
        geocoder.ask(HOME, near=None)
        assert provider.questions[0]["path"] == "/geo/search"
        assert provider.questions[0]["countrycodes"] == "ru"

    def test_an_unknown_address_is_none_and_not_asked_again(self, mode, provider):
        unknown = Address("Тверь", "улица Которой Нет", "1")
        assert geocoder.ask(unknown, near=TVER) is None
        assert geocoder.ask(unknown, near=TVER) is None
        assert len(provider.questions) == 1

    def test_an_answer_about_a_town_far_away_is_none(self, mode, provider):
        provider.places[str(HOME)] = (43.1155, 131.8855, "exact")
        assert geocoder.ask(HOME, near=TVER) is None
        assert GeoCache.objects.get().lat is None

    @pytest.mark.parametrize(
        "trouble",
        [500, 502, 403, 401, 429, 402, 404, b"<html>", b"", b"[[[", b"null", b"{}", b'"x"', b"\xff\xfe",
         b'[{"lat": "x", "lon": "y"}]', b'[{"lat": "nan", "lon": "5"}]', b'{"error": {"message": "no key"}}',
         b'[{"lat": 1' + b"0" * 400 + b', "lon": 5}]', b"[" * 100_000, b'{"a":' * 100_000,
         b'{"response": {"GeoObjectCollection": {"featureMember": [{}]}}}',
         b'{"response": {"GeoObjectCollection": {"featureMember": [{"GeoObject": {"Point": {"pos": "5"}}}]}}}'],
    )  # fmt: skip
    def test_trouble_is_told_apart_from_an_answer(self, mode, provider, trouble, caplog):
        """Whatever comes back: either no such address, or try later; never an error, never somebody's key in a log."""
        provider.trouble = trouble
        with caplog.at_level(logging.DEBUG, "geo"):
            try:
                assert geocoder.ask(HOME, near=TVER) is None
            except NotNow:
                assert not GeoCache.objects.exists()
                assert [record.message for record in caplog.records] == ["geocode_fail"]
        assert KEY not in caplog.text
        assert "Мира" not in caplog.text

    def test_an_unknown_charset_is_trouble_too(self, mode, provider):
        provider.charset = "utf-9"
        with pytest.raises(NotNow):
            geocoder.ask(HOME, near=TVER)

    def test_who_does_not_answer_is_left_in_time(self, mode, provider, monkeypatch):
        monkeypatch.setattr(geocoder, "TIMEOUT", 0.3)
        provider.trouble = 1.5
        began = time.monotonic()
        with pytest.raises(NotNow):
            geocoder.ask(HOME, near=TVER)
        assert time.monotonic() - began < 1.2

    def test_nobody_listens_there(self, mode, provider, settings):
        settings.YANDEX_GEOCODER_URL = "http://127.0.0.1:9"
        store(nominatim_url="http://127.0.0.1:9")
        with pytest.raises(NotNow):
            geocoder.ask(HOME, near=TVER)

    @pytest.mark.parametrize(
        "values",
        [{"geo_mode": "local_centroids"}, {"geo_mode": "yandex"}, {"geo_mode": "nominatim"}, {"geo_mode": "bing"},
         {"geo_mode": "nominatim", "nominatim_url": "ftp://x"}, {"geo_mode": "yandex", "yandex_geocoder_key": " "}],
    )  # fmt: skip
    def test_without_a_key_or_an_address_nobody_is_asked(self, provider, values):
        store(**values)
        assert not geocoder.is_on()
        with pytest.raises(Exhausted):
            geocoder.ask(HOME, near=TVER)
        assert provider.questions == []


class TestCache:
    def test_an_answer_is_kept_for_fourteen_days(self, mode, provider):
        now = timezone.now()
        geocoder.ask(HOME, near=TVER)
        kept = GeoCache.objects.get()
        assert (kept.query, kept.lat, kept.lon, kept.provider, kept.confidence) == (
            "тверь, улица мира, 5", 56.8584, 35.9006, mode, 95
        )  # fmt: skip
        assert geocoder.ask(Address("ТВЕРЬ", "Улица Мира", "5"), near=TVER, now=now + timedelta(days=13, hours=23))
        assert len(provider.questions) == 1
        geocoder.ask(HOME, near=TVER, now=now + timedelta(days=14, minutes=1))
        assert len(provider.questions) == 2
        assert GeoCache.objects.count() == 1

    def test_another_provider_is_asked_anew(self, provider):
        store(geo_mode="yandex", yandex_geocoder_key=KEY, nominatim_url=provider.url)
        geocoder.ask(HOME, near=TVER)
        store(geo_mode="nominatim")
        assert geocoder.ask(HOME, near=TVER).provider == "nominatim"
        assert len(provider.questions) == 2

    def test_the_provider_s_words_are_not_kept(self, mode, provider):
        geocoder.ask(HOME, near=TVER)
        rows = json.dumps(list(GeoCache.objects.values()), default=str, ensure_ascii=False)
        assert "words" not in rows
        assert "Мира, 5" not in rows

    def test_a_long_address_fits(self, mode, provider):
        one, other = (Address("Г" * 120, "У" * 200, house) for house in ("1", "2"))
        assert geocoder.ask(one, near=TVER) is geocoder.ask(other, near=TVER) is None
        assert GeoCache.objects.count() == 2

    def test_old_rows_go(self, mode, provider):
        now = timezone.now()
        geocoder.ask(HOME, near=TVER)
        GeoCache.objects.create(query="старый", created_at=now - timedelta(days=14, minutes=1))
        GeocoderUsage.objects.create(provider="yandex", day=(now - timedelta(days=100)).date())
        tasks.forget_addresses()
        assert GeoCache.objects.get().query == "тверь, улица мира, 5"
        assert GeocoderUsage.objects.count() == 1


def today(now: datetime) -> date:
    """The day questions are counted by: the company's, which begins before that of UTC."""
    return now.astimezone(zone(None)).date()


class TestLimits:
    def test_the_day_s_limit(self, provider, caplog):
        store(geo_mode="yandex", yandex_geocoder_key=KEY, yandex_throttle_rps=50, yandex_daily_limit=3)
        now = timezone.now()
        for house in range(3):
            geocoder.ask(Address("Тверь", "улица Мира", str(house)), near=TVER, now=now)
        with pytest.raises(Exhausted):
            geocoder.ask(Address("Тверь", "улица Мира", "9"), near=TVER, now=now)
        assert caplog.records[-1].reason == "daily_limit"
        assert geocoder.ask(Address("Тверь", "улица Мира", "1"), near=TVER, now=now) is None, "kept"
        assert GeocoderUsage.objects.get().asked == 3
        geocoder.ask(Address("Тверь", "улица Мира", "9"), near=TVER, now=now + timedelta(days=1))
        assert len(provider.questions) == 4

    def test_a_limit_of_nothing(self, provider):
        store(geo_mode="yandex", yandex_geocoder_key=KEY, yandex_daily_limit=0)
        with pytest.raises(Exhausted):
            geocoder.ask(HOME, near=TVER)
        assert provider.questions == []

    def test_a_long_queue_is_not_waited_for(self, provider):
        store(geo_mode="yandex", yandex_geocoder_key=KEY, yandex_throttle_rps=1)
        now = timezone.now()
        GeocoderUsage.objects.create(
            provider="yandex", day=today(now), asked=5, next_at=now + timedelta(minutes=1)
        )
        began = time.monotonic()
        with pytest.raises(NotNow):
            geocoder.ask(HOME, near=TVER)
        assert time.monotonic() - began < 1

    def test_midnight_is_no_way_past_the_queue(self, provider):
        store(geo_mode="yandex", yandex_geocoder_key=KEY, yandex_throttle_rps=50)
        now, began = timezone.now(), time.monotonic()
        GeocoderUsage.objects.create(
            provider="yandex", day=today(now) - timedelta(days=1), next_at=now + timedelta(seconds=0.5)
        )
        geocoder.ask(HOME, near=TVER, now=now)
        assert time.monotonic() - began > 0.45


@pytest.mark.django_db(transaction=True)
def test_many_processes_together_ask_no_faster_than_allowed(provider):
    """Ten threads with connections of their own: one question in 0.1 s, and no more than the day's limit."""
    store(geo_mode="yandex", yandex_geocoder_key=KEY, yandex_throttle_rps=10, yandex_daily_limit=12)
    refused: list[type[Exception]] = []

    def work(number: int) -> None:
        try:
            for house in range(2):
                geocoder.ask(Address("Тверь", f"улица {number}", str(house)), near=TVER)
        except (NotNow, Exhausted) as error:
            refused.append(type(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(provider.questions) == 12
    assert set(refused) == {Exhausted}
    gaps = [after - before for before, after in zip(provider.times, provider.times[1:], strict=False)]
    assert sum(gaps) > 1.0, "twelve questions take at least eleven tenths of a second, less what threads jitter"
    assert GeocoderUsage.objects.get().asked == 12


def test_debug_lines_of_the_library_are_never_logged():
    assert logging_config("DEBUG")["loggers"]["geopy"]["level"] == "WARNING"
