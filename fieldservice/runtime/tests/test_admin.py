"""Settings in the web admin: secrets are stored and shown to nobody, wrong values are a sentence."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from fieldservice.runtime.models import Setting
from staff.tests.factories import StaffUserFactory

pytestmark = pytest.mark.django_db
SECRET = "0123-secret-key"


@pytest.fixture
def boss(client: Client):
    client.force_login(StaffUserFactory(role="GLOBAL_ADMIN"))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return Setting.objects.create(key="yandex_geocoder_key", value=SECRET)


def test_a_secret_is_shown_nowhere_and_stays_when_nothing_is_typed(client, boss):
    page = reverse("admin:runtime_setting_change", args=[boss.pk])
    for url in (reverse("admin:runtime_setting_changelist"), page):
        response = client.get(url)
        assert response.status_code == 200
        assert SECRET not in response.content.decode()
    assert client.post(page, {"value": ""}).status_code == 302
    boss.refresh_from_db()
    assert boss.value == SECRET
    client.post(page, {"value": "another"})
    boss.refresh_from_db()
    assert boss.value == "another"


def test_a_wrong_value_of_a_stored_setting_is_a_sentence(client, boss):
    setting = Setting.objects.create(key="geo_mode", value="yandex")
    response = client.post(reverse("admin:runtime_setting_change", args=[setting.pk]), {"value": "google"})
    assert "one of local_centroids, yandex, nominatim" in str(response.context["adminform"].form.errors["value"])
    setting.refresh_from_db()
    assert setting.value == "yandex"
