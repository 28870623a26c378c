"""What every list and every refusal looks like: numbers, clocks, words, error pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, override_settings
from django.urls import path, reverse

from fieldservice import urls
from fieldservice.desk.tests import scene as stage
from fieldservice.desk.tests.scene import Scene
from fieldservice.outbox.models import Notification
from geo.tests.factories import CityFactory
from orders.models import Order
from orders.tests.factories import HistoryFactory, OfferFactory, OrderFactory
from staff.models import AuditLog

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
ENGLISH = {"accept-language": "en"}


def broken(request: Any) -> Any:
    raise RuntimeError("by design")


urlpatterns = [*urls.urlpatterns, path("broken/", broken)]


@pytest.fixture
def scene(client: Client) -> Scene:
    made = stage.set_up()
    stage.enter(client, made.people["boss"])
    return made


def text(client: Client, page: str, **query: Any) -> str:
    return client.get(reverse(f"admin:{page}"), query, headers=ENGLISH).content.decode()


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label_lower)
def test_no_list_speaks_of_rows_it_did_not_count(client: Client, scene: Scene, model: Any) -> None:
    shown = text(client, f"{model._meta.app_label}_{model._meta.model_name}_changelist")
    assert "9999999999" not in shown
    assert "Show all" not in shown
    assert "_facets" not in shown, "nor counts them for each choice of a filter"


def test_a_short_list_tells_its_number_a_long_one_its_page(client: Client, scene: Scene) -> None:
    assert "rows: 8" in text(client, "staff_master_changelist")
    OrderFactory.create_batch(60, city=scene.city, district=scene.districts[0], dispatch_at=None)
    first = text(client, "orders_order_changelist")
    assert "page 1" in first
    assert "Next" in first
    assert "Previous" not in first
    last = text(client, "orders_order_changelist", p=1 + (Order.objects.count() - 1) // 25)
    assert "Previous" in last
    assert 'rel="next"' not in last


def test_times_are_those_of_the_orders_city(client: Client, scene: Scene) -> None:
    at = datetime(2025, 11, 20, 5, 30, tzinfo=UTC)
    order = OrderFactory(city=CityFactory(timezone="Asia/Novosibirsk"), dispatch_at=None)
    offer = OfferFactory(order=order, sent_at=at, state="EXPIRED")
    row = HistoryFactory(order=order, reason="search_started")
    type(row).objects.filter(pk=row.pk).update(created_at=at)
    assert "20.11.2025 12:30" in text(client, "orders_offer_changelist")
    assert "20.11.2025 12:30" in text(client, "orders_orderstatushistory_changelist")
    page = client.get(reverse("admin:orders_offer_change", args=[offer.pk]), headers=ENGLISH).content.decode()
    assert f"#{order.pk}: Expired" in page
    assert "20.11.2025 12:30" in page


def test_what_belongs_to_no_city_has_the_offices_time(client: Client, scene: Scene, settings: Any) -> None:
    settings.TIMEZONE = "Asia/Vladivostok"
    kept = AuditLog.objects.create(
        admin=scene.people["boss"], action="block_master",
        payload_json={"changes": {"is_blocked": ["False", "True"], "distribution_rounds": ["2", "3"],
                                  "blocked_at": [None, "2025-11-20T05:30:00.123456+00:00"]}},
    )  # fmt: skip
    AuditLog.objects.filter(pk=kept.pk).update(created_at=datetime(2025, 11, 20, 5, 30, tzinfo=UTC))
    shown = text(client, "staff_auditlog_changelist")
    assert "20 Nov 2025, 15:30" in shown
    assert "blocked: no → yes" in shown
    assert "blocked at: — → 20.11.2025 15:30" in shown
    assert "distribution_rounds" not in shown, "settings are called as their page calls them"


def test_messages_are_told_in_words(client: Client, scene: Scene) -> None:
    row = Notification.objects.create(event="escalation_logist", staff=scene.people["chief"], bot="admin",
                                      payload={"order_id": 7, "reason": "нет мастера"})  # fmt: skip
    assert "needs a logist" in text(client, "outbox_notification_changelist")
    page = client.get(reverse("admin:outbox_notification_change", args=[row.pk]), headers=ENGLISH).content.decode()
    assert "reason: нет мастера, order_id: 7" in page


@pytest.mark.parametrize(("language", "sentence"), [("en", "There is nothing here"), ("ru", "Здесь ничего нет")])
def test_a_page_that_is_not_there(client: Client, language: str, sentence: str) -> None:
    for address in ("/nowhere/", "/admin/desk/files/1/nowhere/"):
        answer = client.get(address, headers={"accept-language": language}, follow=True)
        if answer.redirect_chain:  # the admin asks strangers to sign in first
            continue
        assert answer.status_code == 404
        assert sentence in answer.content.decode()
        assert "desk/desk.css" in answer.content.decode()


def test_a_page_for_other_roles_says_so(client: Client, scene: Scene) -> None:
    client.force_login(scene.people["operator"])
    answer = client.get(reverse("admin:staff_auditlog_changelist"), headers=ENGLISH)
    assert answer.status_code == 403
    assert "not for your role" in answer.content.decode()


def test_a_form_of_yesterday(scene: Scene) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/admin/login/", {"username": "boss"}, headers=ENGLISH)
    assert answer.status_code == 403
    assert "The page is too old" in answer.content.decode()


@pytest.mark.parametrize(("language", "sentence"), [("en", "Something went wrong"), ("ru", "Что-то пошло не так")])
def test_an_error_of_ours_shows_no_trace(language: str, sentence: str) -> None:
    calm = Client(raise_request_exception=False)
    with override_settings(ROOT_URLCONF=__name__):
        answer = calm.get("/broken/", headers={"accept-language": language})
    assert answer.status_code == 500
    shown = answer.content.decode()
    assert sentence in shown
    assert "by design" not in shown
