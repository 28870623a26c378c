"""The admin bot: a new order, quick and full, as the client is on the phone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bots.admin.create import answers, form, questions
from bots.sandbox import SandboxClient
from bots.sandbox.chat_client import ChatClient
from bots.tests.e2e.scene import master, member
from bots.throttle import Throttle
from fieldservice.runtime.models import Setting
from geo.models import City
from geo.tests.factories import CityFactory, DistrictFactory, StreetFactory
from orders.enums import OrderStatus
from orders.models import Attachment, Order
from orders.services import intake
from orders.tests.factories import OrderFactory
from staff.enums import Role

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]
#: 13:00 in Moscow, of a day that is over: what is due then is due for dispatch, which keeps the real time
NOON = (datetime.now(UTC) - timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)


class Clock:
    """A `timezone` whose now stands still."""

    def __init__(self, now: datetime) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Noon for the form and the intake; dispatch keeps the real time."""
    clock = Clock(NOON)
    monkeypatch.setattr(Throttle, "allows", lambda *args: True)  # a form is filled in here in a second
    for module in (answers, form, questions, intake):
        monkeypatch.setattr(module, "timezone", clock)
    return clock


@pytest.fixture
def city() -> City:
    city = CityFactory(name="Казань")
    for name in ("Вахитовский", "Советский"):
        StreetFactory(city=city, district=DistrictFactory(city=city, name=name), name=f"улица {name[:-2]}ая")
    return city


def quick(chat: ChatClient, phone: str = "8 999 000-12-34") -> None:
    """Up to the summary; one city, so it is not asked."""
    chat.presses("New order")
    chat.sees("The client's phone?")
    chat.sends(phone)
    chat.sees("Which district?")
    chat.presses("Вахитовский")
    chat.sees("What is it about?")
    chat.presses("Electrics")
    chat.sees("When?")
    chat.presses("As soon as possible")
    chat.sees("Is everything right?")


def test_quick_and_the_first_offer_is_on_the_screen(telegram: SandboxClient, city: City) -> None:
    worker = master(telegram, city=city, districts=list(city.district_set.all()))
    clerk = member(telegram, Role.LOGIST, cities=[city])
    quick(clerk.chat)
    assert Order.objects.count() == 0
    summary = clerk.chat.sees("Is everything right?")
    assert clerk.chat.presses("✅ Create").text.startswith("Order #")
    card = clerk.chat.sees("left, until")
    assert worker.row.full_name in card.text
    order = Order.objects.get()
    assert (order.client_phone, order.category, order.status) == ("+79990001234", "ELECTRICS", OrderStatus.SEARCHING)
    assert order.created_by_staff_id == clerk.row.pk
    worker.chat.sees(f"New order #{order.pk}")
    data = next(b["value"] for row in summary.data["buttons"] for b in row if "Create" in b["text"])
    clerk.chat.presses_data(data, message=summary)  # a second tap
    clerk.chat.sees(f"Order #{order.pk}")
    assert Order.objects.count() == 1


def test_full_with_everything(telegram: SandboxClient, city: City) -> None:
    clerk = member(telegram, Role.LOGIST, cities=[city, CityFactory(name="Пермь")])
    chat = clerk.chat
    chat.presses("New order")
    chat.presses("Full form")
    chat.sends("12")
    chat.sees("11 digits")
    chat.sends("+7 999 000 55 66")
    chat.sees("Which city?")
    chat.sends("Ростов")
    chat.sees("no such city among yours")
    chat.sends("каз")
    chat.sees("Which district?")
    chat.sends("вахит")
    chat.sees("Which street?")
    chat.sends("Советская")
    chat.presses("улица Советская")
    chat.sees("lies in Советский, not in Вахитовский")
    chat.presses("Another street")
    chat.sends("вахитовская")
    chat.presses("улица Вахитовская")
    chat.sees("Which house?")
    chat.sends("двенадцатый дом")
    chat.sees("1 to 10 letters or digits")
    chat.sends("12А")
    chat.sees("Which flat")
    chat.presses("Back")
    chat.sends("12А")
    chat.sees("Which flat")
    chat.sends("5")
    chat.sends("код <12>")
    chat.sees("The client's name?")
    chat.sends("О'Нил И. П.")
    chat.presses("Plumbing")
    chat.sends("коротко")
    chat.sees("10 to 500 characters: what happened")
    chat.sends("Течёт кран <в ванной>")
    chat.sees("Photos or documents?")
    chat.sends_video()
    chat.sees("A photo, a picture or a PDF")
    chat.sends_album(3)
    chat.sends_document(b"%PDF-1.4", "act.pdf", mime="application/pdf")
    chat.sees("4 files so far")
    chat.presses("Done")
    chat.presses("tomorrow 10:00")
    summary = chat.sees("Is everything right?")
    for text in ("12А, flat 5", "код <12>", "О'Нил И. П.", "Течёт кран <в ванной>", "tomorrow 10:00–13:00", "4 files",
                 "The order waits: the search begins tomorrow 10:00"):  # fmt: skip
        assert text in summary.text, text
    chat.presses("Change")
    chat.presses("Description")
    chat.sends("Течёт кран на кухне")
    assert "на кухне" in chat.sees("Is everything right?").text
    chat.presses("✅ Create")
    order = Order.objects.get()
    assert (order.status, order.house, order.street.name if order.street else "") == (
        OrderStatus.DEFERRED, "12А", "улица Вахитовская",
    )  # fmt: skip
    assert order.timeslot_start_utc == NOON + timedelta(hours=21)
    assert Attachment.objects.filter(entity_id=order.pk, bot="admin").count() == 4


def test_an_earlier_order_of_the_phone_is_a_template_and_an_open_one_a_warning(
    telegram: SandboxClient, city: City
) -> None:
    district = city.district_set.first()
    known = OrderFactory(
        city=city, district=district, client_phone="+79990001234", client_name="Анна", house="7", apartment="3"
    )
    OrderFactory(client_phone="+79990001234", client_name="Чужая")  # of another city
    clerk = member(telegram, Role.LOGIST, cities=[city])
    clerk.chat.presses("New order")
    clerk.chat.sends("89990001234")
    asked = clerk.chat.sees("This phone has called before")
    assert f"Open order #{known.pk}" in asked.text
    assert "Чужая" not in asked.text
    clerk.chat.presses("flat 3")
    clerk.chat.sees("What is it about?")
    clerk.chat.presses("Plumbing")
    clerk.chat.presses("As soon as possible")
    summary = clerk.chat.sees("an open order at this address")
    assert "Анна" in summary.text
    clerk.chat.presses("Create all the same")
    made = Order.objects.exclude(pk=known.pk).get(city=city)
    assert (made.house, made.apartment, made.client_name) == ("7", "3", "Анна")


def test_late_in_the_evening_tomorrow_is_proposed(telegram: SandboxClient, city: City, clock: Clock) -> None:
    clock.moment = NOON + timedelta(hours=6, minutes=40)  # 19:40
    clerk = member(telegram, Role.LOGIST, cities=[city])
    clerk.chat.presses("New order")
    clerk.chat.sends("89990001234")
    clerk.chat.presses("Вахитовский")
    clerk.chat.presses("Electrics")
    clerk.chat.presses("As soon as possible")
    clerk.chat.sees("Confirm tomorrow 10:00–13:00")
    clerk.chat.presses("Another time")
    clerk.chat.presses("As soon as possible")
    clerk.chat.presses("Yes, tomorrow")
    assert "tomorrow 10:00–13:00" in clerk.chat.sees("Is everything right?").text
    clerk.chat.presses("✅ Create")
    assert Order.objects.get().status == OrderStatus.DEFERRED


def test_a_slot_that_is_over_meanwhile_keeps_the_answers(telegram: SandboxClient, city: City, clock: Clock) -> None:
    clerk = member(telegram, Role.LOGIST, cities=[city])
    quick(clerk.chat)
    clerk.chat.presses("Change")
    clerk.chat.presses("Time")
    clerk.chat.presses("today 16:00")
    clerk.chat.sees("today 16:00–19:00")
    clock.moment = NOON + timedelta(hours=7)
    clerk.chat.presses("✅ Create")
    assert "over already" in clerk.chat.sees("Is everything right?").text
    assert Order.objects.count() == 0
    clerk.chat.presses("Change")
    clerk.chat.presses("Time")
    day = NOON + timedelta(days=2)
    clerk.chat.sends(f"{day:%Y-%m-%d} 13-16")
    clerk.chat.sees(f"{day:%d.%m} 13:00–16:00")


def test_a_button_of_a_list_that_is_old_means_what_it_says(telegram: SandboxClient, city: City, clock: Clock) -> None:
    clerk = member(telegram, Role.LOGIST, cities=[city])
    quick(clerk.chat)
    clerk.chat.presses("Change")
    clerk.chat.presses("Time")
    clerk.chat.sees("When?")
    clock.moment = NOON + timedelta(hours=4)  # 16:00 has begun: a new list would not have it
    clerk.chat.presses("today 16:00")
    assert "today 16:00–19:00" in clerk.chat.sees("Is everything right?").text
    clerk.chat.presses("Change")
    clerk.chat.presses("Time")
    question = clerk.chat.sees("When?")
    for wrong in ("2020-01-01.10-13", "2026-99-99.10-13", "yesterday.10-13", "x" * 40, "tomorrow.03-05"):
        clerk.chat.presses_data(f"adm:new:at:{wrong}", message=question)
        clerk.chat.sees("When?")
    clerk.chat.presses("Back")
    assert "today 16:00–19:00" in clerk.chat.sees("Is everything right?").text


def test_strange_cities_are_neither_shown_nor_taken(telegram: SandboxClient, city: City) -> None:
    strange, other = CityFactory(name="Чужой"), CityFactory(name="Уфа")
    clerk = member(telegram, Role.CITY_ADMIN, cities=[city, other])
    clerk.chat.presses("New order")
    clerk.chat.sends("89990001234")
    question = clerk.chat.sees("Which city?")
    assert [text for row in question.buttons for text in row][:2] == ["Казань", "Уфа"]
    clerk.chat.presses_data(f"adm:new:set:{strange.pk}", message=question)
    clerk.chat.sees("Which city?")
    nobody = member(telegram, Role.LOGIST)
    nobody.chat.presses("New order")
    nobody.chat.sends("89990001234")
    nobody.chat.sees("Which city?")


def test_stop_asks_first_and_another_section_ends_the_form(telegram: SandboxClient, city: City) -> None:
    clerk = member(telegram, Role.LOGIST, cities=[city])
    quick(clerk.chat)
    clerk.chat.presses("Stop")
    clerk.chat.sees("Throw this order away?")
    clerk.chat.presses("No, go on")
    summary = clerk.chat.sees("Is everything right?")
    clerk.chat.presses("Stop")
    clerk.chat.presses("Yes, throw it away")
    clerk.chat.sees("Field Service: office")
    answer = clerk.chat.presses_data("adm:new:change", message=summary)
    assert "This form is over" in answer.text


def test_hours_of_another_window(telegram: SandboxClient, city: City) -> None:
    Setting.objects.create(key="working_hours_end", value="16:00")
    clerk = member(telegram, Role.LOGIST, cities=[city])
    clerk.chat.presses("New order")
    clerk.chat.sends("89990001234")
    clerk.chat.presses("No district")
    clerk.chat.presses("Electrics")
    shown = str(clerk.chat.sees("When?").buttons)
    assert "16:00–19:00" not in shown
    clerk.chat.presses("As soon as possible")
    assert "a logist has to choose the master" in clerk.chat.sees("Is everything right?").text
