"""Settings: typed, within their range; a broken stored value never stops anything."""

from __future__ import annotations

from datetime import time
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from fieldservice.lib.actor import SYSTEM, Actor
from fieldservice.lib.errors import InvalidError
from fieldservice.runtime import registry
from fieldservice.runtime.models import Setting
from staff.tests.factories import StaffUserFactory

pytestmark = pytest.mark.django_db


def store(key: str, value: str) -> None:
    Setting.objects.create(key=key, value=value)


def test_without_a_row_the_environment_decides(settings):
    assert registry.get("distribution_sla_seconds") == 120
    settings.DISTRIBUTION_SLA_SECONDS = 90
    assert registry.get("distribution_sla_seconds") == 90


def test_the_defaults_are_those_of_the_specification():
    specified = {
        "distribution_tick_seconds": 30,
        "distribution_sla_seconds": 120,
        "distribution_rounds": 2,
        "offers_per_round": 1,
        "escalate_to_admin_after_min": 10,
        "max_active_orders": 5,
        "distribution_log_topn": 10,
        "decision_log_days": 14,
        "citywide_fallback": True,
        "working_hours_start": time(10),
        "working_hours_end": time(20),
        "asap_late_threshold": time(19, 30),
        "guarantee_company_payment": Decimal(2500),
        "guarantee_days": 14,
        "commission_deadline_hours": 3,
        "commission_percent_default": 50,
        "commission_percent_high_volume": 40,
        "commission_high_volume_threshold": 7000,
        "access_code_ttl_hours": 24,
        "alerts_channel_id": 0,
        "logs_channel_id": 0,
        "reports_channel_id": 0,
        "geo_mode": "local_centroids",
        "yandex_geocoder_key": "",
        "yandex_throttle_rps": 1,
        "yandex_daily_limit": 1000,
        "nominatim_url": "",
        "nominatim_throttle_rps": 1,
        "nominatim_daily_limit": 1000,
        "support_contact": "",
        "company_name": "Field Service",
        "support_faq_url": "",
        "commission_reminder_first_min": 60,
        "commission_reminder_last_min": 15,
        "commission_report_alert_min": 180,
        "export_keep_hours": 24,
        "referral_payout_min": Decimal(1),
    }
    assert registry.read(specified) == specified


def test_every_default_lies_in_its_own_range():
    for key in registry.KEYS.values():
        if key.low is not None:
            assert key.low <= key.default() <= key.high, key.name


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("distribution_rounds", " 3 ", 3),
        ("citywide_fallback", "off", False),
        ("citywide_fallback", "TRUE", True),
        ("working_hours_start", "9:30", time(9, 30)),
        ("guarantee_company_payment", "2500.50", Decimal("2500.50")),
        ("alerts_channel_id", "-1001234567890", -1001234567890),
        ("support_contact", "@office", "@office"),
        ("distribution_rounds", "", 2),
        ("distribution_rounds", "   ", 2),
    ],
)
def test_a_stored_value_is_typed(key, raw, value):
    store(key, raw)
    assert registry.get(key) == value


BROKEN = [
    ("distribution_rounds", "two"),
    ("distribution_rounds", "0"),
    ("distribution_rounds", "-1"),
    ("distribution_rounds", "21"),
    ("distribution_rounds", "1.5"),
    ("distribution_sla_seconds", "9" * 5000),
    ("max_active_orders", "nan"),
    ("citywide_fallback", "perhaps"),
    ("working_hours_start", "25:00"),
    ("working_hours_start", "10:00+03:00"),
    ("working_hours_end", "eight"),
    ("guarantee_company_payment", "NaN"),
    ("guarantee_company_payment", "sNaN"),
    ("guarantee_company_payment", "Infinity"),
    ("guarantee_company_payment", "-1"),
    ("guarantee_company_payment", "1e30"),
    ("guarantee_company_payment", "2500.001"),
]


@pytest.mark.parametrize(("key", "raw"), BROKEN)
def test_a_broken_value_is_ignored_and_logged(key, raw, caplog):
    store(key, raw)
    assert registry.get(key) == registry.KEYS[key].default()
    assert [record.key for record in caplog.records if record.message == "setting_ignored"] == [key]


@pytest.mark.parametrize(("key", "raw"), [*BROKEN, ("distribution_rounds", "")])
def test_a_broken_value_is_refused_when_written(key, raw):
    with pytest.raises(InvalidError) as caught:
        registry.write(key, raw, actor=SYSTEM)
    assert list(caught.value.fields) == [key]
    assert not Setting.objects.exists()


def test_the_refusal_names_the_range():
    with pytest.raises(InvalidError, match="Dispatch: rounds: a whole number from 1 to 20 is expected"):
        registry.write("distribution_rounds", "21", actor=SYSTEM)
    with pytest.raises(InvalidError, match="a whole number from 0 to 100 is expected"):
        registry.write("commission_percent_default", "50,5", actor=SYSTEM)


def test_an_unknown_key_is_refused():
    with pytest.raises(InvalidError, match="There is no setting called tick"):
        registry.write("tick", "1", actor=SYSTEM)
    with pytest.raises(KeyError):
        registry.get("tick")


def test_a_written_value_says_who_wrote_it():
    member = StaffUserFactory()
    assert registry.write("support_contact", " call\x00 us ", actor=Actor.of_staff(member)) == "call us"
    row = Setting.objects.get()
    assert (row.key, row.value, row.value_type, row.updated_by_staff) == ("support_contact", "call us", "STR", member)


def test_a_second_value_replaces_the_first():
    registry.write("distribution_rounds", "3", actor=SYSTEM)
    registry.write("distribution_rounds", "4", actor=SYSTEM)
    assert registry.get("distribution_rounds") == 4
    assert Setting.objects.count() == 1


def test_many_values_cost_one_query():
    with CaptureQueriesContext(connection) as queries:
        registry.read(registry.KEYS)
    assert len(queries) == 1


@pytest.mark.parametrize(
    ("name", "raw", "sentence"),
    [
        ("geo_mode", "google", "one of local_centroids, yandex, nominatim is expected."),
        ("nominatim_url", "geo.example.com", "an address like https://geo.example.com is expected."),
        ("nominatim_url", "ftp://geo.example.com", "an address like https://"),
        ("nominatim_url", "https://geo.example.com:0", "an address like https://"),
        ("nominatim_url", "https://geo.example.com/search?q=1", "an address like https://"),
    ],
)
def test_words_and_addresses_are_checked(name, raw, sentence):
    with pytest.raises(InvalidError, match=sentence):
        registry.KEYS[name].parse(raw)
    assert registry.KEYS["nominatim_url"].parse(" https://geo.example.com/osm ") == "https://geo.example.com/osm"
    assert registry.KEYS["nominatim_url"].parse("") == ""


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"asap_late_threshold": "09:30"}, {"asap_late_threshold": "before “as soon as possible” is too late"}),
        ({"working_hours_start": "19:45"}, {"working_hours_start": "before “as soon as possible” is too late"}),
        ({"working_hours_start": "20:00"}, {"working_hours_start": "before it ends"}),
        ({"working_hours_start": "20:00", "working_hours_end": "23:00", "asap_late_threshold": "22:00"}, {}),
        ({"asap_late_threshold": "23:59", "company_name": "x"}, {}),
        ({"company_name": "x"}, {}),
    ],
)
def test_hours_fit_together(changes, refused):
    with translation.override("en"):
        try:
            registry.check_together(changes)
            found = {}
        except InvalidError as error:
            found = error.fields
    assert found.keys() == refused.keys()
    assert all(sentence in found[name] for name, sentence in refused.items())
