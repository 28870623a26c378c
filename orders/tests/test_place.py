"""Coordinates of orders: a guess at once, the geocoder's answer later and never in the way."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from fieldservice.lib.actor import COMMAND_LINE
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.point import Point
from fieldservice.runtime import wake
from fieldservice.runtime.models import Setting
from geo.services import geocoder
from geo.tests.factories import CityFactory, DistrictFactory, StreetFactory
from geo.tests.provider import Provider
from orders import tasks
from orders.models import Order
from orders.services import guarantee, intake, place
from orders.services.intake import NewOrder, StreetElsewhere
from orders.tests.factories import OrderFactory

pytestmark = pytest.mark.django_db
KEY = "0123-secret-key"


@pytest.fixture
def tver():
    city = CityFactory(name="Тверь", centroid_lat=56.8587, centroid_lon=35.9176)
    district = DistrictFactory(city=city, name="Центральный", centroid_lat=56.86, centroid_lon=35.9)
    StreetFactory(district=district, name="улица Мира", centroid_lat=56.85, centroid_lon=35.91)
    StreetFactory(city=city, district=None, name="улица Новая")
    return city


@pytest.fixture
def provider(settings):
    server = Provider()
    settings.YANDEX_GEOCODER_URL = server.url
    for key, value in {"geo_mode": "yandex", "yandex_geocoder_key": KEY, "yandex_throttle_rps": "50"}.items():
        Setting.objects.create(key=key, value=value)
    yield server
    server.stop()


def create(city, **values) -> Order:
    values = {"confirm_late": True, "client_phone": "+79991234567", "category": "PLUMBING"} | values
    order = intake.create(new=NewOrder(city_id=city.pk, **values), actor=COMMAND_LINE)
    order.refresh_from_db()
    return order


def where(order: Order) -> tuple:
    order.refresh_from_db()
    return order.lat, order.lon, order.geocode_provider, order.geocode_confidence


class TestAtOnce:
    def test_the_nearest_centre_is_taken(self, tver):
        street = tver.street_set.get(name="улица Мира")
        assert where(create(tver)) == (56.8587, 35.9176, "city_centroid", 40)
        assert where(create(tver, district_id=street.district_id)) == (56.86, 35.9, "district_centroid", 60)
        assert where(create(tver, street_id=street.pk)) == (56.85, 35.91, "street_centroid", 80)
        new = tver.street_set.get(name="улица Новая")
        assert where(create(tver, street_id=new.pk)) == (56.8587, 35.9176, "city_centroid", 40)
        assert where(create(CityFactory())) == (None, None, None, None)

    def test_given_coordinates_win_and_nobody_is_asked(self, tver, provider):
        street = tver.street_set.get(name="улица Мира")
        order = create(tver, street_id=street.pk, house="5", point=Point(56.1, 35.2))
        assert (*where(order), order.geocode_at) == (56.1, 35.2, "user_location", 100, None)
        assert place.geocode_due(now=timezone.now()) == 0
        assert provider.questions == []

    def test_without_a_geocoder_nothing_waits(self, tver):
        assert create(tver, street_text="Какая-то", house="5").geocode_at is None

    def test_a_guarantee_visit_is_where_the_first_one_was(self, tver):
        done = OrderFactory(city=tver, closed=True, street_text="Тихая", lat=56.0, lon=35.0, geocode_provider="yandex")
        visit = guarantee.create(source_order_id=done.pk, actor=COMMAND_LINE)
        assert (visit.street_text, visit.lat, visit.geocode_provider) == ("Тихая", 56.0, "yandex")


class TestStreets:
    def test_a_typed_street_is_kept_and_shown(self, tver):
        order = create(tver, street_text="  ул.   Тихая ")
        assert (order.street, order.street_text, order.street_name) == (None, "ул. Тихая", "ул. Тихая")

    def test_both_at_once_are_refused(self, tver):
        street = tver.street_set.get(name="улица Новая")
        with pytest.raises(InvalidError, match="Choose the street from the list or type it, not both") as caught:
            create(tver, street_id=street.pk, street_text="Тихая")
        assert list(caught.value.fields) == ["street_text"]

    def test_a_street_of_another_district_asks(self, tver):
        street, other = tver.street_set.get(name="улица Мира"), DistrictFactory(city=tver, name="Южный")
        with pytest.raises(StreetElsewhere) as caught:
            create(tver, district_id=other.pk, street_id=street.pk)
        assert str(caught.value) == (
            "«улица Мира» lies in Центральный, not in Южный. Confirm Центральный, or choose another street."
        )
        assert (caught.value.code, caught.value.details["district"]) == ("street_elsewhere", street.district)
        assert not Order.objects.exists()
        order = create(tver, district_id=other.pk, street_id=street.pk, confirm_district=True)
        assert (order.district, order.street) == (street.district, street)

    def test_a_street_of_no_district_keeps_the_chosen_one(self, tver):
        new, south = tver.street_set.get(name="улица Новая"), DistrictFactory(city=tver, name="Южный")
        order = create(tver, district_id=south.pk, street_id=new.pk)
        assert (order.district, order.no_district) == (south, False)

    def test_a_city_without_districts_takes_orders(self):
        city = CityFactory()
        street = StreetFactory(city=city, district=None)
        order = create(city, street_id=street.pk)
        assert (order.district, order.no_district, order.street) == (None, True, street)


class TestLater:
    def waiting(self, tver, **values) -> Order:
        order = create(tver, **{"street_id": tver.street_set.get(name="улица Мира").pk, "house": "5"} | values)
        assert order.geocode_at is not None
        return order

    def test_the_house_is_found_after_the_creation(self, tver, provider):
        order = self.waiting(tver)
        assert provider.questions == [], "nobody is asked while the order is written"
        assert where(order)[2] == "street_centroid"
        version = order.version
        tasks.geocode()
        assert where(order) == (56.8584, 35.9006, "yandex", 95)
        assert (order.geocode_at, order.version) == (None, version), "an address is no change that makes a page stale"

    def test_a_typed_street_is_asked_for_too(self, tver, provider):
        provider.places["Россия, Тверь, Тихая, 7"] = (56.9, 35.8, "exact")
        order = self.waiting(tver, street_id=None, street_text="Тихая", house="7")
        tasks.geocode()
        assert where(order) == (56.9, 35.8, "yandex", 95)

    def test_only_a_better_answer_is_taken(self, tver, provider):
        provider.places["Россия, Тверь, улица Мира, 5"] = (56.8, 35.8, "street")
        order = self.waiting(tver)
        tasks.geocode()
        assert where(order) == (56.85, 35.91, "street_centroid", 80)
        assert order.geocode_at is None

    @pytest.mark.parametrize("trouble", [500, 429, b"<html>"])
    def test_a_provider_in_trouble_is_asked_again_later(self, tver, provider, trouble):
        orders = [self.waiting(tver, house=str(number)) for number in range(3)]
        provider.trouble, now = trouble, timezone.now()
        assert place.geocode_due(now=now) == 0
        assert len(provider.questions) == 1, "the others are spared"
        assert place.anything_to_ask(now=now)
        provider.trouble = None
        provider.places["Россия, Тверь, улица Мира, 0"] = (56.8, 35.8, "exact")
        assert place.geocode_due(now=now + timedelta(minutes=6)) == 3
        assert where(orders[0])[2] == "yandex"
        assert where(orders[1])[2] == "street_centroid"
        assert not place.anything_to_ask(now=now + timedelta(days=1))

    def test_after_two_hours_the_guess_stays(self, tver, provider):
        order = self.waiting(tver)
        Order.objects.update(created_at=timezone.now() - timedelta(hours=2, minutes=1))
        provider.trouble = 500
        tasks.geocode()
        assert where(order)[2] == "street_centroid"
        assert order.geocode_at is None

    def test_at_the_day_s_limit_the_guess_stays(self, tver, provider):
        Setting.objects.create(key="yandex_daily_limit", value="1")
        orders = [self.waiting(tver, house=str(number)) for number in range(3)]
        tasks.geocode()
        assert len(provider.questions) == 1
        assert [where(order)[2] for order in orders] == ["street_centroid"] * 3
        assert not Order.objects.filter(geocode_at__isnull=False).exists()

    def test_a_geocoder_that_was_switched_off_leaves_nothing_waiting(self, tver, provider):
        order = self.waiting(tver)
        Setting.objects.filter(key="geo_mode").delete()
        tasks.geocode()
        assert where(order)[2] == "street_centroid"
        assert order.geocode_at is None

    def test_a_cancelled_order_is_not_asked_about(self, tver, provider):
        order = self.waiting(tver)
        Order.objects.filter(pk=order.pk).update(status="CANCELED")
        tasks.geocode()
        assert provider.questions == []
        assert not place.anything_to_ask(now=timezone.now() + timedelta(days=1))

    def test_an_answer_about_an_address_that_was_corrected_meanwhile_is_too_late(self, tver, provider, monkeypatch):
        order, ask = self.waiting(tver), geocoder.ask

        def slow(address, **kwargs):
            Order.objects.filter(pk=order.pk).update(house="99")
            order.refresh_from_db()
            place.address_changed(order, now=timezone.now())
            monkeypatch.setattr(geocoder, "ask", ask)
            return ask(address, **kwargs)

        monkeypatch.setattr(geocoder, "ask", slow)
        place.geocode_due(now=timezone.now(), limit=1)
        assert where(order)[2] == "street_centroid"
        assert place.anything_to_ask(now=timezone.now())

    def test_a_corrected_address_is_asked_anew_and_given_coordinates_stay(self, tver, provider):
        order = self.waiting(tver)
        tasks.geocode()
        place.address_changed(order, now=timezone.now())
        assert where(order)[2] == "street_centroid"
        assert order.geocode_at is not None
        Order.objects.filter(pk=order.pk).update(geocode_provider="user_location", lat=0, lon=0)
        order.refresh_from_db()
        place.address_changed(order, now=timezone.now())
        assert (*where(order), order.geocode_at) == (0, 0, "user_location", 100, None)

    def test_who_dies_with_the_question_loses_nothing(self, tver, provider, monkeypatch):
        order, now = self.waiting(tver), timezone.now()
        monkeypatch.setattr(geocoder, "ask", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            place.geocode_due(now=now)
        monkeypatch.undo()
        assert place.geocode_due(now=now + timedelta(minutes=4)) == 0
        assert place.geocode_due(now=now + timedelta(minutes=6)) == 1
        assert order.pk


class TestWaking:
    @pytest.fixture
    def woken(self, monkeypatch):
        sent: list[str] = []
        monkeypatch.setattr(wake, "after_commit", lambda task, **kwargs: sent.append(task))
        return sent

    def test_an_order_with_a_question_wakes_the_slow_worker(self, tver, provider, woken):
        create(tver, street_text="Тихая")
        assert "orders.tasks.geocode" in woken
        woken.clear()
        tasks.wake_geocoder()
        assert woken == ["orders.tasks.geocode"]

    def test_without_a_question_nobody_is_woken(self, tver, woken):
        create(tver, street_text="Тихая")
        tasks.wake_geocoder()
        assert "orders.tasks.geocode" not in woken

    def test_it_has_a_worker_of_its_own(self, settings):
        assert settings.CELERY_TASK_ROUTES["orders.tasks.geocode"] == {"queue": "slow"}


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_provider_thinks(monkeypatch, settings):
    server = Provider()
    settings.YANDEX_GEOCODER_URL = server.url
    seen: list[bool] = []
    try:
        for key, value in {"geo_mode": "yandex", "yandex_geocoder_key": KEY}.items():
            Setting.objects.create(key=key, value=value)
        city = CityFactory(name="Тверь")
        server.trouble = 1.0
        began = time.monotonic()
        order = create(city, street_text="улица Мира", house="5")
        assert time.monotonic() - began < 0.9, "the dispatcher does not wait"
        ask = geocoder._ask_yandex
        monkeypatch.setattr(
            geocoder, "_ask_yandex", lambda *args: (seen.append(connection.in_atomic_block), ask(*args))[1]
        )
        tasks.geocode()
    finally:
        server.stop()
    assert seen == [False]
    assert where(order)[2] == "yandex"
