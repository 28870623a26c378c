"""`manage.py seed_geo`: everything is there, twice is once, staff's edits stay."""

from __future__ import annotations

import threading
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection

from geo.models import City, District
from geo.seed import Seeded, seed_geo

pytestmark = pytest.mark.django_db


def test_everything_is_there_and_twice_is_once():
    out = StringIO()
    call_command("seed_geo", stdout=out)
    call_command("seed_geo", stdout=out)
    assert out.getvalue() == "78 cities, 345 districts: 423 added\n78 cities, 345 districts: 0 added\n"
    assert (City.objects.count(), District.objects.count()) == (78, 345)
    assert District.objects.filter(city__name="Москва").count() == 12
    assert not City.objects.exclude(district__isnull=False).exists(), "every city has a district"


def test_zones_and_centres_are_plausible():
    seed_geo()
    for city in City.objects.all():
        hours = ZoneInfo(city.timezone).utcoffset(city.created_at).total_seconds() / 3600
        assert 41 < city.centroid_lat < 70, city
        assert 20 < city.centroid_lon < 140, city
        # a city lies near the middle of its zone: a swapped row would show
        assert abs(city.centroid_lon / 15 - hours) < 2.6, city
    assert City.objects.get(name="Новосибирск").timezone == "Asia/Novosibirsk"
    assert City.objects.get(name="Калининград").timezone == "Europe/Kaliningrad"
    assert City.objects.values("centroid_lat", "centroid_lon").distinct().count() == 78


def test_what_staff_changed_stays():
    moved = City.objects.create(name="Казань", timezone="Asia/Omsk", centroid_lat=1, is_active=False)
    District.objects.create(city=moved, name="вахитовский")
    seed_geo()
    moved.refresh_from_db()
    assert (moved.timezone, moved.centroid_lat, moved.centroid_lon, moved.is_active) == ("Asia/Omsk", 1, None, False)
    assert District.objects.filter(city=moved).count() == 7, "another case of letters is the same district"
    City.objects.filter(name="Пермь").update(timezone="Europe/Moscow")
    District.objects.filter(city__name="Пермь", name="Свердловский").update(centroid_lat=58)
    assert seed_geo() == Seeded(78, 345, 0)
    assert City.objects.get(name="Пермь").timezone == "Europe/Moscow"


def test_empty_fields_are_filled():
    City.objects.create(name="Омск")
    City.objects.create(name="Томск", timezone="")
    seed_geo()
    assert City.objects.get(name="Омск").timezone == "Asia/Omsk"
    tomsk = City.objects.get(name="Томск")
    assert (tomsk.timezone, tomsk.centroid_lat) == ("Asia/Tomsk", 56.4847)


@pytest.mark.parametrize(("spelled", "listed"), [("Ростов на Дону", "Ростов-на-Дону"), ("ОРЕЛ", "Орёл")])
def test_another_spelling_is_the_same_city(spelled, listed):
    City.objects.create(name=spelled)
    assert seed_geo().added == 422
    assert not City.objects.filter(name=listed).exists()
    assert City.objects.get(name=spelled).district_set.count() > 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_add_every_row_once():
    results: list[object] = []

    def run() -> None:
        try:
            results.append(seed_geo().added)
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results, key=str) == [0, 0, 423]
    assert (City.objects.count(), District.objects.count()) == (78, 345)
