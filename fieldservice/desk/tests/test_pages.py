"""The screens of the desk: what they show to whom, how many queries they cost, that they lead somewhere."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fieldservice.desk import figures
from fieldservice.desk.sight import Sight
from fieldservice.desk.tests import scene as stage
from fieldservice.desk.tests.scene import Scene
from fieldservice.lib.money import show_money
from finance.models import Commission
from orders.enums import OrderStatus
from orders.models import Order
from orders.tests.factories import OfferFactory, OrderFactory
from staff.enums import Role
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
ENGLISH = {"accept-language": "en"}
PAGES = ("index", "desk_board", "desk_calendar", "desk_map", "desk_crew")


@pytest.fixture
def scene() -> Scene:
    return stage.set_up()


def look(client: Client, page: str, who: Any, **query: Any) -> str:
    client.force_login(who)
    response = client.get(reverse(f"admin:{page}"), query, headers={"accept-language": "en"})
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("login", ["boss", "chief", "operator"])
def test_every_page_opens_for_every_role_in_few_queries(
    client: Client, scene: Scene, page: str, login: str, django_assert_max_num_queries: Any
) -> None:
    stage.enter(client, scene.people[login])
    with django_assert_max_num_queries(15):
        assert client.get(reverse(f"admin:{page}")).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_page_costs_the_same_with_more_orders(
    client: Client, scene: Scene, page: str, django_assert_max_num_queries: Any
) -> None:
    for _number in range(20):
        order = OrderFactory(city=scene.city, district=scene.districts[0], dispatch_at=None)
        OfferFactory(order=order, master=scene.masters[0])
        OrderFactory(city=scene.city, in_payment=True, dispatch_at=None)
    stage.enter(client, scene.people["boss"])
    with django_assert_max_num_queries(15):
        client.get(reverse(f"admin:{page}"))


@pytest.mark.parametrize("page", PAGES)
def test_nobody_comes_in_without_a_login(client: Client, page: str) -> None:
    assert client.get(reverse(f"admin:{page}")).status_code == 302


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("login", ["chief", "operator"])
def test_a_stranger_city_is_on_no_page(client: Client, scene: Scene, page: str, login: str) -> None:
    strange = OrderFactory(
        city=scene.strange, district=None, assigned=True, timeslot_start_utc=timezone.now(),
        timeslot_end_utc=timezone.now() + timedelta(hours=3), assigned_master__full_name="Чужой Мастер",
    )  # fmt: skip
    MasterFactory(city=scene.strange, full_name="Чужой Свободный")
    for query in ({}, {"city": scene.strange.pk}, {"city": "0"}, {"city": "x"}, {"city": scene.strange.pk, "part": 1}):
        client.force_login(scene.people[login])
        shown = client.get(reverse(f"admin:{page}"), query).content.decode()
        assert "Казань" not in shown
        assert "Чужой" not in shown
        assert f"/order/{strange.pk}/" not in shown


def test_who_has_no_city_sees_nothing(client: Client, scene: Scene) -> None:
    nobody = StaffUserFactory(role=Role.LOGIST)
    for page in PAGES:
        shown = look(client, page, nobody)
        assert not re.search(r"/orders/order/\d", shown)
        assert "Абрамов" not in shown


def test_money_is_for_who_may_see_it(client: Client, scene: Scene) -> None:
    for login, sees in (("boss", True), ("chief", True), ("operator", False)):
        shown = look(client, "index", scene.people[login])
        assert ("Unpaid commissions" in shown) is sees
        assert ("2 700" in shown.replace("\u00a0", " ")) is sees
        assert ("commission due in" in look(client, "desk_board", scene.people[login])) is sees


def test_the_figures_count_what_is_there(client: Client, scene: Scene) -> None:
    client.force_login(scene.people["chief"])
    page = client.get(reverse("admin:index"), headers=ENGLISH).context
    urgent = {figure.title: figure.value for figure in page["urgent"]}
    assert urgent["Waiting for a master"] == "4"
    assert (urgent["Escalated to logists"], urgent["Escalated to admins"]) == ("1", "1")
    assert urgent["Offers waiting for an answer"] == "1"
    counts = {figure.title: int(figure.value) for figure in page["stages"]}
    assert sum(counts.values()) == Order.objects.filter(city=scene.city).exclude(status__in=OrderStatus.FINAL).count()
    assert [row["accepted"] + row["declined"] + row["expired"] for row in page["rounds"]] == [12, 12]


def test_every_figure_leads_to_a_list_that_opens(client: Client, scene: Scene) -> None:
    for login in ("boss", "chief", "operator"):
        for query in ({}, {"city": scene.city.pk}):
            shown = look(client, "index", scene.people[login], **query)
            links = re.findall(r'class="desk-(?:figure|stage)[^"]*"\s+href="([^"]+)"', shown)
            links += re.findall(r'href="([^"]+)" class="desk-(?:stage|count)"', shown)
            assert len(links) > 10
            for link in links:
                response = client.get(link.replace("&amp;", "&"))
                assert response.status_code == 200, link


def test_the_list_behind_a_figure_shows_as_many(client: Client, scene: Scene) -> None:
    client.force_login(scene.people["chief"])
    page = client.get(reverse("admin:index"), headers=ENGLISH).context
    for figure in [*page["urgent"][:3], *page["stages"]]:
        assert len(client.get(figure.link).context["cl"].result_list) == int(figure.value), figure.title


def test_a_payment_reported_late_is_one_to_check(client: Client, scene: Scene) -> None:
    Commission.objects.filter(status="OVERDUE").update(paid_reported_at=timezone.now())
    client.force_login(scene.people["chief"])
    money = client.get(reverse("admin:index"), headers=ENGLISH).context["money"]
    assert [figure.note.split()[0] for figure in money] == ["1", "2", "1"]
    for figure in money:
        rows = client.get(figure.link).context["cl"].result_list
        assert len(rows) == int(figure.note.split()[0]), figure.title
        assert show_money(sum(row.amount for row in rows)) == figure.value


def test_the_board_is_silent_while_nothing_changes(client: Client, scene: Scene) -> None:
    shown = look(client, "desk_board", scene.people["chief"])
    mark = re.search(r"mark=([0-9a-f]{16})", shown)
    assert mark
    query = {"part": "1", "mark": mark[1]}
    assert client.get(reverse("admin:desk_board"), query, headers={"accept-language": "en"}).status_code == 204
    Order.objects.filter(pk=scene.orders["fresh"].pk).update(dist_escalated_logist_at=timezone.now())
    changed = client.get(reverse("admin:desk_board"), query, headers={"accept-language": "en"})
    assert changed.status_code == 200
    assert "<html" not in changed.content.decode()


def test_the_board_has_each_order_once_with_what_is_urgent_on_top(client: Client, scene: Scene) -> None:
    client.force_login(scene.people["chief"])
    shown = look(client, "desk_board", scene.people["chief"])
    for name in ("fresh", "logist", "admin", "guarantee", "deferred", "assigned", "road", "work", "pay1"):
        assert shown.count(f'id="card-{scene.orders[name].pk}"') == 1, name
    order = [shown.index(f'id="card-{scene.orders[name].pk}"') for name in ("admin", "logist", "guarantee", "fresh")]
    assert order == sorted(order)
    assert "offered to Абрамов Илья" in shown


def test_the_chosen_city_is_remembered(client: Client, scene: Scene) -> None:
    boss = scene.people["boss"]
    assert "Казань" in look(client, "desk_board", boss)
    assert "<b>Казань" not in look(client, "desk_board", boss, city=scene.city.pk)
    assert client.get(reverse("admin:index"), headers=ENGLISH).context["sight"].city == scene.city
    client.get(reverse("admin:index"), {"city": "0"})
    assert client.get(reverse("admin:desk_board")).context["sight"].city is None


def test_the_calendar_shows_a_week_and_a_day(client: Client, scene: Scene) -> None:
    chief = scene.people["chief"]
    week = look(client, "desk_calendar", chief)
    assert f"/order/{scene.orders['deferred'].pk}/" in week
    day = look(client, "desk_calendar", chief, days="1")
    assert "10:00–13:00" in day
    assert f"/order/{scene.orders['deferred'].pk}/" not in day
    for wrong in ("nonsense", "9999-12-31", "0001-01-01", "2026-02-30"):
        assert look(client, "desk_calendar", chief, **{"from": wrong})


def test_the_map_knows_where_things_are(client: Client, scene: Scene) -> None:
    Order.objects.filter(pk=scene.orders["work"].pk).update(lat=55.7, lon=37.6)
    client.force_login(scene.people["chief"])
    points = client.get(reverse("admin:desk_map"), {"part": "1"}).json()
    assert {point["title"] for point in points["masters"]} == {m.full_name for m in scene.masters[:7]}
    exact = [point for point in points["orders"] if point["exact"]]
    assert [point["at"] for point in exact] == [[55.7, 37.6]]
    assert len(points["orders"]) == 13


def test_masters_at_work_by_load(client: Client, scene: Scene) -> None:
    client.force_login(scene.people["chief"])
    rows = {which: client.get(reverse("admin:desk_crew"), {"load": which}).context["rows"]
            for which in ("", "free", "limit", "break", "nonsense")}  # fmt: skip
    assert len(rows[""]) == len(rows["nonsense"]) == 7
    assert [row["full_name"] for row in rows["break"]] == ["Жуков Роман"]
    assert rows["free"] == rows["limit"] == []
    assert rows[""][0]["load"] == 2


def test_the_dashboard_lives_without_redis(client: Client, scene: Scene, settings: Any) -> None:
    client.force_login(scene.people["chief"])
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "unix:///nowhere/redis.sock"}}
    assert client.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("query", ["created_at_from=2026-13-45", "created_at_to=9999-12-31", "city=x", "stage=%00"])
def test_nonsense_in_a_filter_harms_nobody(client: Client, scene: Scene, query: str) -> None:
    client.force_login(scene.people["chief"])
    assert client.get(f"{reverse('admin:orders_order_changelist')}?{query}").status_code in {200, 302, 400}


def test_a_search_of_a_later_day_waits_for_nobody_yet(scene: Scene) -> None:
    sight = Sight(scene.people["boss"], [scene.city], scene.city)
    Order.objects.filter(status__in=OrderStatus.SEARCH).exclude(pk=scene.orders["fresh"].pk).delete()
    assert figures.longest_waiting(sight) == [scene.orders["fresh"]]
    Order.objects.filter(pk=scene.orders["fresh"].pk).update(search_started_at=timezone.now() + timedelta(days=1))
    assert figures.longest_waiting(sight) == []
    assert (figures.open_and_waiting(sight)[1]["count"], figures.open_and_waiting(sight)[1]["since"]) == (1, None)
