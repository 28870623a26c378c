"""The admin bot: an order is corrected from its card, a master's skills and districts from his."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from bots.sandbox import SandboxClient
from bots.tests.e2e.scene import clerk as somebody
from bots.tests.e2e.scene import eventually, master, member
from bots.tests.e2e.test_office_orders import opens
from fieldservice.lib.localtime import zone
from fieldservice.outbox.models import Notification
from geo.tests.factories import CityFactory, DistrictFactory
from orders.enums import OfferState, OrderStatus
from orders.models import Order, OrderStatusHistory
from orders.services import correction
from orders.tests.factories import OfferFactory, OrderFactory
from staff.enums import Role
from staff.models import AuditLog, Skill
from staff.services import abilities
from staff.tests.factories import MasterFactory

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]


def test_one_field_at_a_time_and_the_master_is_told(telegram: SandboxClient) -> None:
    order = OrderFactory(house="5", apartment="12", client_phone="+79990001122", description="Искрит розетка на кухне")
    worker = master(telegram, order)
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.ASSIGNED, assigned_master=worker.row, dispatch_at=None)
    logist = member(telegram, Role.LOGIST, cities=[order.city])
    opens(logist, order)
    logist.chat.presses("✏️ Correct")
    assert "Flat: 12" in logist.chat.sees("What is to be corrected?").text
    logist.chat.presses("Flat")
    assert "Now: 12" in logist.chat.sees("Which flat or office?").text
    logist.chat.sends("x" * 11)
    logist.chat.sees("up to 10 letters or digits")
    logist.chat.sends_sticker()
    logist.chat.sees("Type the answer as text")
    logist.chat.sends("21 <б>")
    shown = logist.chat.sees("Saved: the master is told.")
    assert "Flat: 21 <б>" in shown.text
    worker.chat.sees(f"#{order.pk}")
    logist.chat.presses("Phone")
    logist.chat.sees("Now: +7 999 000-11-22")
    logist.chat.sends("911")
    logist.chat.sees("Now: +7 999 000-11-22")
    logist.chat.sends("8 (999) 000-11-33")
    logist.chat.sees("Phone: +7 999 000-11-33")
    logist.chat.presses("Flat")
    logist.chat.presses("Leave empty")
    logist.chat.sees("Flat: —")
    logist.chat.presses("Back")
    card = logist.chat.sees(f"Order #{order.pk}")
    assert "+7 999 000-11-33" in card.text
    assert "«12» → «21 <б>»" in card.text
    order.refresh_from_db()
    assert (order.apartment, order.client_phone, order.house) == (None, "+79990001133", "5")
    rows = OrderStatusHistory.objects.filter(order=order, reason="corrected", changed_by_staff=logist.row)
    assert [row.context["changes"] for row in rows.order_by("pk")] == [
        {"apartment": ["12", "21 <б>"]},
        {"client_phone": ["+79990001122", "+79990001133"]},
        {"apartment": ["21 <б>", None]},
    ]
    assert Notification.objects.filter(event="order_changed", master=worker.row).count() == 3


def test_what_somebody_else_corrected_meanwhile_is_not_overwritten(telegram: SandboxClient) -> None:
    order = OrderFactory(house="5", client_name="Анна")
    logist = member(telegram, Role.LOGIST, cities=[order.city])
    opens(logist, order)
    logist.chat.presses("Correct")
    logist.chat.presses("House")
    logist.chat.sees("Now: 5")
    chief = somebody()
    correction.correct(order_id=order.pk, changes={"house": "7"}, actor=chief, now=timezone.now())
    Order.objects.filter(pk=order.pk).update(version=9)  # what dispatch does meanwhile is no obstacle
    logist.chat.sends("6")
    told = logist.chat.sees(f"Order #{order.pk} was changed by")
    assert "Now: 7" in told.text
    assert Order.objects.get(pk=order.pk).house == "7"
    logist.chat.sends("6")
    logist.chat.sees("House: 6")
    eventually(lambda: Order.objects.get(pk=order.pk).house == "6")


def test_what_may_not_be_corrected(telegram: SandboxClient) -> None:
    order, canceled = OrderFactory(street_text="Садовая"), OrderFactory(status=OrderStatus.CANCELED)
    strange = OrderFactory(house="99")
    logist = member(telegram, Role.LOGIST, cities=[order.city, canceled.city])
    opens(logist, order)
    for address in (f"adm:q:fix:f:{order.pk}:city", f"adm:q:fix:f:{order.pk}:total_sum"):
        assert "out of date" in logist.chat.presses_data(address, message=logist.chat.last()).text
    answer = logist.chat.presses_data(f"adm:q:fix:{canceled.pk}", message=logist.chat.last())
    assert "no longer possible" in answer.text
    answer = logist.chat.presses_data(f"adm:q:fix:f:{strange.pk}:house", message=logist.chat.last())
    assert answer.text == f"There is no order #{strange.pk}."


def test_skills_and_districts_are_ticked(telegram: SandboxClient) -> None:
    city = CityFactory(name="Казань")
    north, south = DistrictFactory(city=city, name="Северный"), DistrictFactory(city=city, name="Южный")
    for code, name in (("ELECTRICS", "Электрика"), ("PLUMBING", "Сантехника")):
        Skill.objects.update_or_create(code=code, defaults={"name": name, "is_active": True})
    worker = master(telegram, city=city, districts=[north], skills=["ELECTRICS"], full_name="Белов Иван")
    chief = member(telegram, Role.CITY_ADMIN, cities=[city])
    chief.chat.presses("Masters")
    chief.chat.presses("Белов Иван")
    chief.chat.presses("🔧 Skills")
    chief.chat.presses("▫️ Сантехника")
    assert chief.chat.presses("Save (2)").text == "Saved: the master is told."
    chief.chat.sees("🔧 Сантехника, Электрика")
    assert "Сантехника" in worker.chat.sees("changed your skills").text
    chief.chat.presses("🏙 Districts")
    chief.chat.sends("юж")
    chief.chat.presses("▫️ Южный")
    chief.chat.presses("All districts")
    chief.chat.presses("✅ Северный")
    chief.chat.sends("нету")
    chief.chat.sees("There is no such district")
    chief.chat.sends_sticker()
    chief.chat.sees("Use the buttons")
    abilities.set_districts(master_id=worker.row.pk, district_ids=[south.pk], actor=somebody())
    assert "meanwhile" in chief.chat.presses("Save").text
    chief.chat.presses("▫️ Северный")
    chief.chat.presses("Save (2)")
    chief.chat.sees("Северный, Южный")
    rows = AuditLog.objects.filter(master=worker.row, action__in=["skills_set", "districts_set"]).order_by("pk")
    assert [row.payload_json["changes"] for row in rows] == [
        {"skills": ["Электрика", "Сантехника, Электрика"]},
        {"districts": ["Северный", "Южный"]},
        {"districts": ["Южный", "Северный, Южный"]},
    ]
    chief.chat.presses("History")
    assert "skills set: Электрика → Сантехника, Электрика" in chief.chat.sees("skills set").text


def test_a_master_keeps_at_least_one_skill(telegram: SandboxClient) -> None:
    row = MasterFactory(skills=["ELECTRICS"])
    chief = member(telegram, Role.CITY_ADMIN, cities=[row.city])
    chief.chat.presses("Masters")
    chief.chat.presses(row.full_name)
    chief.chat.presses("🔧 Skills")
    chief.chat.presses(f"✅ {row.skills.get().name}")
    assert chief.chat.presses("Save (0)").text == "Choose at least one."
    assert row.skills.count() == 1


def test_a_logist_does_not_set_what_a_master_can_do(telegram: SandboxClient) -> None:
    row = MasterFactory(skills=["ELECTRICS"])
    logist = member(telegram, Role.LOGIST, cities=[row.city])
    logist.chat.presses("Masters")
    logist.chat.presses(row.full_name)
    assert "Skills" not in str(logist.chat.buttons())
    answer = logist.chat.presses_data(f"adm:m:has:{row.pk}:skills", message=logist.chat.last())
    assert "role does not allow" in answer.text


def test_another_time_begins_the_search_anew(telegram: SandboxClient) -> None:
    order = OrderFactory()
    OfferFactory(order=order, master=MasterFactory(city=order.city, full_name="Живой Мастер"))
    logist = member(telegram, Role.LOGIST, cities=[order.city])
    opens(logist, order)
    logist.chat.presses("Correct")
    logist.chat.presses("Time")
    logist.chat.sees("Живой Мастер has an offer of this order")
    logist.chat.sends("скоро")
    logist.chat.sees("Type the day and the hours")
    day = timezone.now().astimezone(zone(order.city.timezone)).date() + timedelta(days=3)
    logist.chat.sends(f"{day} 10-13")
    card = logist.chat.sees("The visit of order")
    assert f"🕒 {day:%d.%m} 10:00–13:00" in card.text
    assert "visit moved to another time" in card.text
    order.refresh_from_db()
    assert order.timeslot_start_utc is not None
    assert not order.offers.filter(state__in=OfferState.LIVE).exists()
    logist.chat.presses("Correct")
    logist.chat.presses("Time")
    logist.chat.presses("tomorrow 13:00–16:00")
    logist.chat.sees("🕒 tomorrow 13:00–16:00")
    logist.chat.presses("Correct")
    logist.chat.presses("Time")
    Order.objects.filter(pk=order.pk).update(version=F("version") + 1)
    assert "was changed" in logist.chat.presses("tomorrow 10:00–13:00").text


def test_the_time_of_a_visit_under_way_is_not_moved(telegram: SandboxClient) -> None:
    order = OrderFactory(assigned=True, status=OrderStatus.WORKING)
    logist = member(telegram, Role.LOGIST, cities=[order.city])
    opens(logist, order)
    logist.chat.presses("Correct")
    assert "Time" not in str(logist.chat.buttons())
    answer = logist.chat.presses_data(f"adm:q:time:{order.pk}", message=logist.chat.last())
    assert "can no longer be changed" in answer.text


def test_a_day_that_has_just_passed_is_not_taken_for_next_years(telegram: SandboxClient) -> None:
    order = OrderFactory(status=OrderStatus.SEARCHING)
    logist = member(telegram, Role.LOGIST, cities=[order.city])
    opens(logist, order)
    logist.chat.presses("✏️ Correct")
    logist.chat.presses("Time")
    today = timezone.now().astimezone(zone(order.city.timezone)).date()
    logist.chat.sends("/help")  # ends no question
    logist.chat.sees("How it works", fresh=True)
    logist.chat.sends(f"{today - timedelta(days=3):%d.%m} 10-13")
    logist.chat.sees("This slot is over already; choose a later one.")
    logist.chat.sends(f"{today + timedelta(days=3):%d.%m} 10-13")
    logist.chat.sees(f"The visit of order #{order.pk}:")
