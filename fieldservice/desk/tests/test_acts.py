"""Acts on orders: asked, confirmed, done once, refused with a sentence when the page is old."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fieldservice.desk.acts import ACTS
from fieldservice.desk.tests import scene as stage
from fieldservice.desk.tests.scene import Scene
from fieldservice.lib.localtime import zone
from orders.enums import OfferState, OrderStatus
from orders.models import Offer, Order, OrderStatusHistory
from staff import access
from staff.enums import Role, ShiftStatus
from staff.models import Master

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
FITTING = {"assign": "logist", "search": "logist", "activate": "deferred", "return": "assigned", "cancel": "fresh",
           "guarantee": "closed", "reschedule": "deferred"}  # fmt: skip


@pytest.fixture
def scene(client: Client) -> Scene:
    made = stage.set_up()
    made.orders["closed"] = Order.objects.filter(status="CLOSED", assigned_master__isnull=False).latest("closed_at")
    client.force_login(made.people["chief"])
    return made


def url(order: Order, name: str) -> str:
    return reverse("admin:order_act", args=[order.pk, name])


def post(client: Client, order: Order, name: str, **data: Any) -> Any:
    order.refresh_from_db()
    given = {"version": order.version, "search": order.search_number} | data
    return client.post(url(order, name), given, headers={"accept-language": "en"})


@pytest.mark.parametrize("name", list(ACTS))
def test_each_act_asks_first_and_then_does(client: Client, scene: Scene, name: str) -> None:
    order = scene.orders[FITTING[name]]
    before = Order.objects.get(pk=order.pk).version
    assert client.get(url(order, name)).status_code == 200
    assert Order.objects.get(pk=order.pk).version == before, "asking changes nothing"
    data = {"reason": "Клиент передумал", "master": scene.masters[1].pk, "way": "direct", "confirmed": "yes",
            "slot": "tomorrow:16-19"}  # fmt: skip
    assert post(client, order, name, **data).status_code == 302
    wanted = {"assign": "ASSIGNED", "search": "SEARCHING", "activate": "SEARCHING", "return": "SEARCHING",
              "cancel": "CANCELED", "guarantee": "CLOSED", "reschedule": "DEFERRED"}  # fmt: skip
    assert Order.objects.get(pk=order.pk).status == wanted[name]


@pytest.mark.parametrize("name", [name for name in ACTS if name != "guarantee"])
def test_an_old_page_is_refused_with_a_sentence(client: Client, scene: Scene, name: str) -> None:
    order = scene.orders[FITTING[name]]
    data = {"reason": "Клиент передумал", "master": scene.masters[1].pk, "confirmed": "yes", "search": 0,
            "slot": "tomorrow:16-19"}  # fmt: skip
    Order.objects.filter(pk=order.pk).update(version=7)
    for version in ("6", "", "x", "99999999999"):
        answer = client.post(url(order, name), data | {"version": version}, headers={"accept-language": "en"})
        assert answer.status_code == 409
        assert f"Order #{order.pk} was changed" in answer.content.decode()
    assert Order.objects.get(pk=order.pk).version == 7


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", list(ACTS))
def test_acts_follow_the_matrix_and_the_scope(client: Client, scene: Scene, name: str, role: Role) -> None:
    member = {"GLOBAL_ADMIN": "boss", "CITY_ADMIN": "chief", "LOGIST": "operator"}[role]
    client.force_login(scene.people[member])
    allowed = access.may(role, ACTS[name].right)
    assert client.get(url(scene.orders[FITTING[name]], name)).status_code == (200 if allowed else 403)
    strange = Order.objects.get(city=scene.strange)
    seen = 200 if role == Role.GLOBAL_ADMIN else 404
    assert client.get(url(strange, name)).status_code == seen
    if role != Role.GLOBAL_ADMIN:
        before = Order.objects.get(pk=strange.pk).version
        assert post(client, strange, name, reason="Чужое", master=scene.masters[0].pk).status_code == 404
        assert Order.objects.get(pk=strange.pk).version == before


def test_a_logist_offers_but_does_not_assign(client: Client, scene: Scene) -> None:
    client.force_login(scene.people["operator"])
    order = scene.orders["logist"]
    assert (
        "Assign without asking"
        not in client.get(url(order, "assign"), headers={"accept-language": "en"}).content.decode()
    )
    assert post(client, order, "assign", master=scene.masters[2].pk, way="direct", confirmed="yes").status_code == 403
    assert Order.objects.get(pk=order.pk).status == OrderStatus.SEARCHING
    assert post(client, order, "assign", master=scene.masters[2].pk, way="offer", confirmed="yes").status_code == 302
    assert Offer.objects.get(order=order, state__in=OfferState.LIVE).master == scene.masters[2]


def test_a_marked_master_needs_a_yes(client: Client, scene: Scene) -> None:
    order, off = scene.orders["logist"], scene.masters[7]
    assert off.shift_status == ShiftStatus.SHIFT_OFF
    answer = post(client, order, "assign", master=off.pk, way="offer")
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "off shift" in shown
    assert 'name="confirmed"' in shown
    assert f'value="{off.pk}" required checked' in shown, "the choice stays"
    assert post(client, order, "assign", master=off.pk, way="offer", confirmed="yes").status_code == 302


def test_a_master_of_another_city_cannot_be_chosen(client: Client, scene: Scene) -> None:
    strange = Master.objects.filter(pk=scene.masters[0].pk).update(city=scene.strange)
    assert strange
    answer = post(client, scene.orders["logist"], "assign", master=scene.masters[0].pk, confirmed="yes")
    assert answer.status_code == 409
    assert not Offer.objects.filter(order=scene.orders["logist"]).exists()


def test_a_short_reason_is_refused_and_stays(client: Client, scene: Scene) -> None:
    answer = post(client, scene.orders["fresh"], "cancel", reason="ой")
    assert answer.status_code == 409
    assert ">ой</textarea>" in answer.content.decode()
    assert Order.objects.get(pk=scene.orders["fresh"].pk).status == OrderStatus.SEARCHING


def test_in_the_dialog_the_answer_is_a_part_or_a_redirect(client: Client, scene: Scene) -> None:
    order, htmx = scene.orders["fresh"], {"HX-Request": "true", "accept-language": "en"}
    shown = client.get(url(order, "cancel"), {"next": "/admin/desk/board/"}, headers=htmx).content.decode()
    assert "<html" not in shown
    assert 'value="/admin/desk/board/"' in shown
    data = {"version": order.version, "reason": "Передумал", "next": "/admin/desk/board/"}
    done = client.post(url(order, "cancel"), data, headers=htmx)
    assert (done.status_code, done.headers["HX-Redirect"]) == (204, "/admin/desk/board/")
    again = client.post(url(order, "cancel"), data, headers=htmx)
    assert again.status_code == 200
    assert 'role="alert"' in again.content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_nobody_is_sent_elsewhere(client: Client, scene: Scene, target: str) -> None:
    order = scene.orders["fresh"]
    answer = post(client, order, "cancel", reason="Передумал", next=target)
    assert answer.headers["Location"] == reverse("admin:orders_order_change", args=[order.pk])


def test_an_unknown_act_is_nowhere(client: Client, scene: Scene) -> None:
    assert client.get(url(scene.orders["fresh"], "delete")).status_code == 404


def test_the_masters_to_drop_a_card_on(client: Client, scene: Scene) -> None:
    order = scene.orders["logist"]
    strip = reverse("admin:order_masters", args=[order.pk])
    shown = client.get(strip, headers={"accept-language": "en"}).content.decode()
    assert all(f'data-master="{master.pk}"' in shown for master in scene.masters)
    assert shown.index("Абрамов Илья") < shown.index("off shift"), "as dispatch would rank them"
    strange = reverse("admin:order_masters", args=[Order.objects.get(city=scene.strange).pk])
    assert client.get(strange).status_code == 404
    assert client.post(strip).status_code == 405
    chosen = client.get(url(order, "assign"), {"master": scene.masters[2].pk}).content.decode()
    assert f'value="{scene.masters[2].pk}" required checked' in chosen


def test_the_times_of_a_visit(client: Client, scene: Scene) -> None:
    order = scene.orders["deferred"]
    shown = client.get(url(order, "reschedule"), headers={"accept-language": "en"}).content.decode()
    assert shown.count("<optgroup") in {6, 7}, "a week, without what is left of today late in the evening"
    tomorrow = (timezone.now().astimezone(zone("Europe/Moscow")) + timedelta(days=1)).date().isoformat()
    assert f'value="{tomorrow}:10-13" disabled' in shown, "as it is now"
    assert 'value="tomorrow' not in shown, "after midnight it would be another day than the one it stood under"
    assert "in Москва now" in shown
    for wrong, sentence in (("", "Choose the time"), ("yesterday:10-13", "must be asap"), ("2020-01-01:10-13", "over")):
        answer = post(client, order, "reschedule", slot=wrong)
        assert answer.status_code == 409
        assert sentence in answer.content.decode()
    day = (timezone.now() + timedelta(days=4)).astimezone(zone("Europe/Moscow")).date().isoformat()
    assert post(client, order, "reschedule", slot=f"{day}:16-19").status_code == 302
    assert OrderStatusHistory.objects.get(order=order, reason="rescheduled").changed_by_staff == scene.people["chief"]


def test_who_is_too_late_for_today_may_choose_another_time(
    client: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    tz = zone("Europe/Moscow")
    evening = datetime.combine(timezone.now().astimezone(tz).date(), time(19, 45), tz)
    monkeypatch.setattr(timezone, "now", lambda: evening)
    client.force_login(scene.people["chief"])  # a session of this morning is over in the evening
    order = scene.orders["deferred"]
    answer = post(client, order, "reschedule", slot="asap")
    assert (answer.status_code, order.version) == (409, Order.objects.get(pk=order.pk).version)
    assert '<input type="checkbox" name="confirmed" value="yes">' in answer.content.decode(), "not required"
    day = (evening + timedelta(days=3)).date().isoformat()
    assert post(client, order, "reschedule", slot=f"{day}:16-19").status_code == 302
