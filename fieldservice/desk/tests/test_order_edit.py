"""The form of corrections: category, district, street of an order, checked by the service, refused with a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fieldservice.desk.tests import scene as stage
from fieldservice.desk.tests.scene import Scene
from fieldservice.lib.actor import Actor
from fieldservice.outbox.models import Notification
from geo.models import Street
from geo.tests.factories import DistrictFactory, StreetFactory
from orders.admin import order as order_admin
from orders.enums import OfferState
from orders.models import Order, OrderStatusHistory
from orders.services import correction, lifecycle, rerouting
from staff.enums import Role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def scene(client: Client) -> Scene:
    made = stage.set_up()
    stage.enter(client, made.people["operator"])
    return made


def url(order: Order) -> str:
    return reverse("admin:order_edit", args=[order.pk])


def page(client: Client, order: Order) -> dict[str, Any]:
    """What a browser would send if nothing was touched."""
    form = client.get(url(order)).context["adminform"].form
    return {name: "" if form[name].value() is None else form[name].value() for name in form.fields}


def sent(client: Client, order: Order, form: dict[str, Any]) -> Any:
    return client.post(url(order), form, headers=ENGLISH, follow=True)


def refused(answer: Any) -> dict[str, Any]:
    """The sentences of a page that came back."""
    assert answer.status_code == 200
    return {name: " ".join(lines) for name, lines in answer.context["adminform"].form.errors.items()}


def test_nothing_touched_nothing_changed(client: Client, scene: Scene) -> None:
    for name in ("fresh", "admin", "deferred", "work", "pay0"):
        order = scene.orders[name]
        before = Order.objects.filter(pk=order.pk).values().get()
        assert "adminform" not in sent(client, order, page(client, order)).context
        assert Order.objects.filter(pk=order.pk).values().get() == before
    assert not OrderStatusHistory.objects.filter(reason="corrected").exists()


def test_the_wrong_category_and_street_are_mended_together(client: Client, scene: Scene) -> None:
    order, south = scene.orders["fresh"], scene.districts[4]
    street = Street.objects.create(city=scene.city, district=south, name="Варшавское шоссе")
    form = page(client, order) | {"category": "WINDOWS", "district": south.pk, "street": street.pk, "house": "44"}
    text = sent(client, order, form).content.decode()
    assert f"A new search for order #{order.pk} has begun." in text
    assert "district «ЦАО» → «ЮАО»; street «" in text
    assert "» → «Варшавское шоссе (ЮАО)»; category «Plumbing» → «Windows» (operator)." in text
    assert "house «1» → «44»" in text
    order.refresh_from_db()
    assert (order.category, order.district, order.street, order.house) == ("WINDOWS", south, street, "44")
    assert order.offers.get().state == OfferState.CANCELED
    rows = OrderStatusHistory.objects.filter(order=order, reason="corrected", changed_by_staff__username="operator")
    assert rows.count() == 2
    assert order.version == 2


def test_a_street_of_another_district_asks_and_nothing_typed_is_lost(client: Client, scene: Scene) -> None:
    order = scene.orders["fresh"]
    street = StreetFactory(city=scene.city, district=scene.districts[1], name="Дмитровское шоссе")
    form = page(client, order) | {"street": street.pk, "client_name": "Анна"}
    answer = sent(client, order, form)
    assert "«Дмитровское шоссе» lies in САО, not in ЦАО" in refused(answer)["street"]
    shown = answer.content.decode()
    assert 'type="checkbox" name="confirm_district"' in shown
    assert 'value="Анна"' in shown
    assert f'value="{street.pk}" selected' in shown
    sent(client, order, form | {"confirm_district": "on"})
    order.refresh_from_db()
    assert (order.street, order.district, order.client_name) == (street, scene.districts[1], "Анна")


def test_a_street_is_left_empty_or_typed_instead(client: Client, scene: Scene) -> None:
    order = scene.orders["deferred"]
    street = order.street_id
    both = page(client, order) | {"street_text": "Новая улица"}
    assert "not both" in refused(sent(client, order, both))["street_text"]
    sent(client, order, both | {"street": ""})
    order.refresh_from_db()
    assert (order.street, order.street_text, order.status) == (None, "Новая улица", "DEFERRED")
    sent(client, order, page(client, order) | {"street": street, "street_text": "", "confirm_district": "on"})
    order.refresh_from_db()
    assert (order.street_id, order.street_text) == (street, None)


def test_a_category_the_master_has_no_skill_for(client: Client, scene: Scene) -> None:
    order = scene.orders["assigned"]
    master = order.assigned_master
    assert master is not None
    assert not master.skills.filter(code="ROADSIDE").exists()
    answer = sent(client, order, page(client, order) | {"category": "ROADSIDE"})
    assert f"{master} has no skill «Roadside help»" in refused(answer)["category"]
    sent(client, order, page(client, order) | {"category": "PLUMBING"})
    assert Order.objects.get(pk=order.pk).category == "PLUMBING"
    assert Notification.objects.filter(event="order_changed", master=master).count() == 1


def test_an_order_that_was_taken_meanwhile_is_shown_with_what_was_typed(client: Client, scene: Scene) -> None:
    order, chief = scene.orders["fresh"], Actor.of_staff(scene.people["chief"], "web")
    form = page(client, order) | {"category": "ELECTRICS", "house": "44"}
    lifecycle.assign(order, master_id=scene.masters[0].pk, actor=chief, reason="manual_assign", now=timezone.now())
    answer = sent(client, order, form)
    assert f"Order #{order.pk} was changed by" in refused(answer)["__all__"]
    assert 'value="44"' in answer.content.decode()
    assert 'value="ELECTRICS" selected' in answer.content.decode()
    order.refresh_from_db()
    assert (order.category, order.house) == ("PLUMBING", "1"), "neither half of it was written"
    sent(client, order, form | {"category": "PLUMBING"})
    assert Order.objects.get(pk=order.pk).house == "44", "a house is corrected whoever has the order"


def test_what_changes_between_the_check_and_the_write_is_told_as_well(
    client: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = scene.orders["fresh"]
    form = page(client, order) | {"category": "WINDOWS"}
    real = rerouting.reroute

    def late(**given: Any) -> Any:
        Order.objects.filter(pk=order.pk).update(street_text="Другая", street=None)
        return real(**given)

    monkeypatch.setattr(order_admin.rerouting, "reroute", late)
    assert "changed meanwhile" in refused(sent(client, order, form))["__all__"]


def test_places_of_another_city_are_not_taken(client: Client, scene: Scene) -> None:
    order = scene.orders["fresh"]
    strange = StreetFactory(district=DistrictFactory(city=scene.strange))
    for login in ("operator", "boss"):  # hidden from one, refused to the other
        client.force_login(scene.people[login])
        for wrong in ({"street": strange.pk}, {"district": strange.district_id}, {"category": ""}):
            assert set(refused(sent(client, order, page(client, order) | wrong))) == set(wrong)
    assert Order.objects.get(pk=order.pk).version == 1
    stranger = Order.objects.get(city=scene.strange)
    client.force_login(scene.people["operator"])
    client.post(url(stranger), {"category": "WINDOWS", "district": "", "street": ""})
    assert Order.objects.get(pk=stranger.pk).category == stranger.category


@pytest.mark.parametrize("name", ["pay0", "closed", "canceled"])
def test_a_job_that_is_done_shows_them_only(client: Client, scene: Scene, name: str) -> None:
    scene.orders |= {
        "closed": Order.objects.filter(status="CLOSED")[0],
        "canceled": Order.objects.filter(status="CANCELED")[0],
    }
    order = scene.orders[name]
    shown = client.get(url(order), headers=ENGLISH)
    assert not {"category", "district", "street"} & set(shown.context["adminform"].form.fields)
    assert "The work is over" in shown.content.decode()
    sent(client, order, page(client, order) | {"category": "WINDOWS", "district": "", "street": ""})
    after = Order.objects.get(pk=order.pk)
    assert (after.category, after.district_id, after.version) == (order.category, order.district_id, order.version)


def test_the_page_says_what_saving_means(client: Client, scene: Scene, django_assert_max_num_queries: Any) -> None:
    for name, words in (("fresh", "the present offer is withdrawn"), ("work", "Its master keeps the order")):
        with django_assert_max_num_queries(15):
            shown = client.get(url(scene.orders[name]), headers=ENGLISH).content.decode()
        assert words in shown
        assert f'data-city="{scene.city.pk}"' in shown


def test_every_role_of_the_matrix_may(client: Client, scene: Scene) -> None:
    for login, role in (("boss", Role.GLOBAL_ADMIN), ("chief", Role.CITY_ADMIN), ("operator", Role.LOGIST)):
        client.force_login(scene.people[login])
        code = {"boss": "WINDOWS", "chief": "PLUMBING", "operator": "ELECTRICS"}[login]
        sent(client, scene.orders["logist"], page(client, scene.orders["logist"]) | {"category": code})
        assert Order.objects.get(pk=scene.orders["logist"].pk).category == code, role


def test_the_phone_is_mended_too(client: Client, scene: Scene) -> None:
    order = scene.orders["work"]
    form = page(client, order)
    wrong = sent(client, order, form | {"client_phone": "12", "house": "8"})
    assert "phone" in refused(wrong)["client_phone"].lower()
    assert wrong.context["adminform"].form["house"].value() == "8"
    assert "client_phone" in refused(sent(client, order, form | {"client_phone": ""}))
    text = sent(client, order, form | {"client_phone": "8 (999) 765-43-21"}).content.decode()
    order.refresh_from_db()
    assert order.client_phone == "+79997654321"
    assert "corrected" in text
    assert Notification.objects.filter(event="order_changed", master_id=order.assigned_master_id).exists()


@pytest.mark.parametrize("street", ["x", "-1", "99999999999999999999", "1.5", "' OR 1=1"])
def test_a_street_that_is_no_number_gets_a_sentence(client: Client, scene: Scene, street: str) -> None:
    order = scene.orders["fresh"]
    answer = sent(client, order, page(client, order) | {"street": street, "house": "8"})
    assert "street" in refused(answer)
    assert answer.context["adminform"].form["house"].value() == "8"
    new = client.post(reverse("admin:orders_order_add"), {"city": street, "district": street}, headers=ENGLISH)
    assert {"city", "district"} <= refused(new).keys()


def test_a_district_is_not_left_empty_while_the_street_brings_it_back(client: Client, scene: Scene) -> None:
    order = scene.orders["fresh"]
    form = page(client, order) | {"district": ""}
    assert "leave the street empty" in refused(sent(client, order, form))["district"]
    sent(client, order, form | {"street": "", "street_text": "Мира"})
    order.refresh_from_db()
    assert (order.district, order.no_district, order.street_text) == (None, True, "Мира")


@pytest.mark.parametrize("listed", [True, False])
def test_a_street_written_otherwise_long_ago_disturbs_no_search(client: Client, scene: Scene, listed: bool) -> None:
    order = scene.orders["fresh"]
    street = order.street if listed else None
    Order.objects.filter(pk=order.pk).update(street=street, street_text="Мира ")  # an import writes what it finds
    sent(client, order, page(client, order) | {"house": "44"})
    order.refresh_from_db()
    assert (order.house, order.version, order.street, order.street_text) == ("44", 1, street, "Мира ")
    assert order.offers.get().state == OfferState.SENT
    sent(client, order, page(client, order) | {"street": "", "street_text": "Полевая"})
    order.refresh_from_db()
    assert (order.street, order.street_text, order.version) == (None, "Полевая", 2)


def test_no_search_is_said_to_have_begun_when_the_other_half_was_refused(
    client: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = scene.orders["fresh"]
    form = page(client, order) | {"category": "WINDOWS", "house": "44"}
    real = correction.correct

    def late(**given: Any) -> Any:
        Order.objects.filter(pk=order.pk).update(house="77")
        return real(**given)

    monkeypatch.setattr(order_admin.correction, "correct", late)
    answer = sent(client, order, form)
    assert refused(answer)["__all__"]
    assert "has begun" not in answer.content.decode()
    assert Order.objects.get(pk=order.pk).category == "PLUMBING"
