"""The admin bot: the category, the district and the street of an order that was taken down wrongly."""

from __future__ import annotations

import pytest
from django.db.models import F

from bots.sandbox import SandboxClient
from bots.tests.e2e.scene import Member, eventually, master, member
from bots.tests.e2e.test_office_orders import opens
from fieldservice.outbox.models import Notification
from geo.models import City
from geo.tests.factories import CityFactory, DistrictFactory, StreetFactory
from orders.enums import OfferState, OrderStatus
from orders.models import Offer, Order, OrderStatusHistory
from orders.tests.factories import OfferFactory, OrderFactory
from staff.enums import Role
from staff.tests.factories import MasterFactory

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]


def logist(telegram: SandboxClient, *orders: Order) -> Member:
    return member(telegram, Role.LOGIST, cities=[order.city for order in orders])


def asks(clerk: Member, order: Order, what: str) -> None:
    """The question, from the card."""
    opens(clerk, order)
    clerk.chat.presses("✏️ Correct")
    clerk.chat.presses(what)


@pytest.fixture
def city() -> City:
    made = CityFactory(name="Казань")
    for name in ("Северный", "Южный"):
        DistrictFactory(city=made, name=name)
    return made


def north(city: City, **values: object) -> Order:
    return OrderFactory(city=city, district=city.district_set.get(name="Северный"), **values)


def test_another_category_finds_another_master_at_once(telegram: SandboxClient) -> None:
    order = OrderFactory(category="ELECTRICS")
    old = master(telegram, order, skills=["ELECTRICS"], full_name="Электрик Пётр")
    new = master(telegram, order, skills=["PLUMBING"], full_name="Сантехник Иван")
    clerk = logist(telegram, order)
    opens(clerk, order)
    clerk.chat.presses("🔁 Search again")
    old.chat.sees(f"New order #{order.pk}")
    clerk.chat.presses("✏️ Correct")
    assert "Category: Electrics" in clerk.chat.sees("What is to be corrected?").text
    clerk.chat.presses("Category")
    shown = clerk.chat.sees("What is it about?")
    assert "Электрик Пётр has an offer of this order until" in shown.text
    assert "Electrics" not in str(clerk.chat.buttons())
    clerk.chat.sends("сантехника")
    clerk.chat.sees("Use the buttons")
    assert clerk.chat.presses("Plumbing").text == "Saved: the search begins anew."
    assert "Category: Plumbing" in clerk.chat.sees("What is to be corrected?").text
    old.chat.sees("withdrawn")
    assert "Plumbing" in new.chat.sees(f"New order #{order.pk}").text
    clerk.chat.presses("Back")
    card = clerk.chat.sees("Сантехник Иван")
    assert "category «Electrics» → «Plumbing»" in card.text
    assert list(Offer.objects.filter(order=order).order_by("pk").values_list("master", "state")) == [
        (old.row.pk, "CANCELED"), (new.row.pk, "SENT")
    ]  # fmt: skip


def test_a_street_is_found_by_its_name_and_brings_its_district(telegram: SandboxClient, city: City) -> None:
    order = north(city, street_text="Мирра", house="5")
    south = city.district_set.get(name="Южный")
    for district in (order.district, south):
        StreetFactory(city=city, district=district, name="улица Мира")
    StreetFactory(name="улица Мира")  # of another city
    clerk = logist(telegram, order)
    asks(clerk, order, "Street")
    assert "Now: Мирра" in clerk.chat.sees("Which street?").text
    clerk.chat.sends_sticker()
    clerk.chat.sees("Which street?")
    clerk.chat.sends("ъъъ")
    clerk.chat.sees("The catalogue has no street «ъъъ»: take it as typed")
    clerk.chat.sends("мира")
    clerk.chat.sees("«мира»: choose, or type it otherwise")
    assert clerk.chat.buttons()[:3] == [["улица Мира (Северный)"], ["улица Мира (Южный)"], ["✍️ As typed: мира"]]
    clerk.chat.presses("улица Мира (Южный)")
    clerk.chat.sees("«улица Мира» lies in Южный, not in Северный")
    clerk.chat.presses("Another street")
    clerk.chat.sends("мира")
    clerk.chat.presses("улица Мира (Южный)")
    assert clerk.chat.presses("Yes, Южный").text == "Saved: the search begins anew."
    shown = clerk.chat.sees("What is to be corrected?")
    assert "Street: улица Мира (Южный)" in shown.text
    assert "District: Южный" in shown.text
    order.refresh_from_db()
    assert (order.district, order.street_text, order.house) == (south, None, "5")
    assert order.street is not None
    row = OrderStatusHistory.objects.get(order=order, reason="corrected", changed_by_staff=clerk.row)
    assert row.context["changes"] == {
        "district": ["Северный", "Южный"], "street": ["Мирра", "улица Мира (Южный)"]
    }  # fmt: skip


def test_a_district_is_chosen_and_the_street_of_the_other_one_is_asked_about(
    telegram: SandboxClient, city: City
) -> None:
    order = north(city)
    street = StreetFactory(city=city, district=order.district, name="улица Мира")
    Order.objects.filter(pk=order.pk).update(street=street)
    clerk = logist(telegram, order)
    asks(clerk, order, "District")
    assert "Now: Северный" in clerk.chat.sees("Which district?").text
    clerk.chat.sends("нету такого")
    clerk.chat.sees("There is no such district")
    clerk.chat.sends("юж")
    clerk.chat.sees("«улица Мира» lies in Северный, not in Южный. Is Южный right?")
    clerk.chat.presses("Back")
    clerk.chat.presses("Южный")
    assert clerk.chat.presses("Yes, Южный").text == "Saved: the search begins anew."
    order.refresh_from_db()
    assert (order.district and order.district.name, order.street, order.street_text) == ("Южный", None, "улица Мира")
    clerk.chat.presses("District")
    clerk.chat.presses("No district")
    clerk.chat.sees("District: —")
    order.refresh_from_db()
    assert (order.district, order.no_district, order.street_text) == (None, True, "улица Мира")
    clerk.chat.presses("Street")
    clerk.chat.presses("Leave empty")
    clerk.chat.sees("Street: —")
    clerk.chat.presses("Street")
    clerk.chat.sends("Новая улица")
    clerk.chat.presses("As typed")
    clerk.chat.sees("Street: Новая улица")
    clerk.chat.presses("Street")
    clerk.chat.sends("Новая улица")
    assert clerk.chat.presses("As typed").text == "It stays as it is."


def test_a_city_without_districts_has_no_question_about_them(telegram: SandboxClient) -> None:
    order = OrderFactory(city=CityFactory(), district=None)
    clerk = logist(telegram, order)
    opens(clerk, order)
    clerk.chat.presses("✏️ Correct")
    assert "District" not in clerk.chat.sees("What is to be corrected?").text
    assert "District" not in str(clerk.chat.buttons())


def test_the_street_of_the_same_name_in_the_right_district_is_taken(telegram: SandboxClient, city: City) -> None:
    order, south = north(city), city.district_set.get(name="Южный")
    here, there = (StreetFactory(city=city, district=one, name="улица Мира") for one in (order.district, south))
    Order.objects.filter(pk=order.pk).update(street=here)
    clerk = logist(telegram, order)
    asks(clerk, order, "District")
    clerk.chat.presses("Южный")
    assert "Street: улица Мира (Южный)" in clerk.chat.sees("What is to be corrected?").text
    order.refresh_from_db()
    assert (order.district, order.street) == (south, there)
    clerk.chat.presses("District")
    clerk.chat.presses("No district")
    clerk.chat.sees("«улица Мира» lies in Южный. Without a district all the same?")
    clerk.chat.presses("Yes, no district")
    order.refresh_from_db()
    assert (order.district, order.street, order.street_text) == (None, None, "улица Мира")


def test_the_master_at_work_is_told_and_a_category_he_has_no_skill_for_is_refused(telegram: SandboxClient) -> None:
    order = OrderFactory(category="ELECTRICS")
    worker = master(telegram, order, skills=["ELECTRICS", "WINDOWS"], full_name="Белов Иван")
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.ASSIGNED, assigned_master=worker.row, dispatch_at=None)
    clerk = logist(telegram, order)
    asks(clerk, order, "Category")
    clerk.chat.sees("Another category must be one of his skills")
    assert "Белов Иван has no skill «Plumbing»" in clerk.chat.presses("Plumbing").text
    assert "↩️ Return to search" in str(clerk.chat.buttons()), "the card, which can take the order from him"
    clerk.chat.presses("✏️ Correct")
    clerk.chat.presses("Category")
    assert clerk.chat.presses("Windows").text == "Saved: the master is told."
    assert "Windows" in worker.chat.sees(f"The office has changed order #{order.pk}").text
    assert Notification.objects.filter(event="order_changed", master=worker.row).count() == 1


def test_old_buttons_stale_orders_and_strangers(telegram: SandboxClient) -> None:
    order, done, strange = OrderFactory(), OrderFactory(in_payment=True), OrderFactory()
    offer = OfferFactory(order=order, master=MasterFactory(city=order.city))
    clerk = logist(telegram, order, done)
    asks(clerk, order, "Category")
    Order.objects.filter(pk=order.pk).update(version=F("version") + 1)
    answer = clerk.chat.presses("Plumbing")
    assert f"Order #{order.pk} was changed" in answer.text
    assert "🔁 Search again" in str(clerk.chat.buttons()), "the card as it is now"
    last = clerk.chat.last()
    # the question is over: it is asked again, nothing is written
    clerk.chat.presses_data(f"adm:q:way:to:{order.pk}:category:1", message=last)
    clerk.chat.sees("What is it about?")
    for address, sentence in (
        (f"adm:q:way:to:{order.pk}:category:77", "out of date"), (f"adm:q:way:{order.pk}:total_sum", "out of date"),
        (f"adm:q:way:{done.pk}:category", "can no longer be changed"),
        (f"adm:q:way:{strange.pk}:street", f"There is no order #{strange.pk}."),
    ):  # fmt: skip
        assert sentence in clerk.chat.presses_data(address, message=clerk.chat.last()).text, address
    offer.refresh_from_db()
    assert offer.state == OfferState.SENT
    opens(clerk, order)
    clerk.chat.presses_data(f"adm:q:fix:{done.pk}", message=clerk.chat.last())
    clerk.chat.sees("What is to be corrected?")
    assert "Category" not in str(clerk.chat.buttons())
    eventually(lambda: not OrderStatusHistory.objects.filter(reason="corrected").exists())


def test_many_districts_have_pages(telegram: SandboxClient) -> None:
    order = OrderFactory()
    for number in range(12):
        DistrictFactory(city=order.city, name=f"Округ {number:02d}")
    clerk = logist(telegram, order)
    asks(clerk, order, "District")
    clerk.chat.presses("▶")
    clerk.chat.presses("Округ 11")
    assert "District: Округ 11" in clerk.chat.sees("What is to be corrected?").text
