"""How an order comes in: what is checked, what is written, and that a wrong one leaves no trace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fieldservice.lib.actor import COMMAND_LINE, Actor
from fieldservice.lib.errors import ForbiddenError, InvalidError, NotFoundError
from fieldservice.runtime.models import Setting
from fieldservice.tests.racing import racers, winners
from geo.models import City
from geo.tests.factories import CityFactory, DistrictFactory, StreetFactory
from orders.enums import Category
from orders.models import Order, OrderStatusHistory
from orders.services import intake
from orders.services.intake import NewOrder
from orders.services.schedule import Slot, TooLateForToday
from orders.tests.counting import nothing_written
from orders.tests.people import as_master, staff
from staff.enums import Role
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db
MOSCOW = ZoneInfo("Europe/Moscow")
NOON = datetime(2026, 11, 22, 12, tzinfo=MOSCOW)


def typed(city: City, **values) -> NewOrder:
    return NewOrder(**{"city_id": city.pk, "client_phone": "8 999 123-45-67", "category": "PLUMBING"} | values)


def create(new: NewOrder, actor: Actor = COMMAND_LINE, now: datetime = NOON) -> Order:
    order = intake.create(new=new, actor=actor, now=now)
    order.refresh_from_db()
    return order


def at(day: int, start: int, end: int) -> Slot:
    return Slot(datetime(2026, 11, day, start, tzinfo=MOSCOW), datetime(2026, 11, day, end, tzinfo=MOSCOW))


class TestCreate:
    def test_everything_that_was_typed_is_kept(self):
        street = StreetFactory()
        actor = staff(Role.LOGIST, street.city)
        order = create(
            typed(
                street.city, district_id=street.district_id, street_id=street.pk, house=" 5к2 ", apartment="17",
                address_comment="код 17#", client_name="  Анна ", description="Течёт\nкран 😀", slot=at(22, 13, 16),
            ),
            actor,
        )  # fmt: skip
        assert (order.city, order.district, order.street, order.no_district) == (
            street.city, street.district, street, False
        )  # fmt: skip
        assert (order.house, order.apartment, order.address_comment) == ("5к2", "17", "код 17#")
        assert (order.client_name, order.client_phone, order.description) == ("Анна", "+79991234567", "Течёт\nкран 😀")
        assert (order.category, order.type, order.created_by_staff_id) == ("PLUMBING", "NORMAL", actor.staff_id)
        assert Slot(order.timeslot_start_utc, order.timeslot_end_utc) == at(22, 13, 16)

    def test_it_searches_at_once(self):
        order = create(typed(CityFactory()))
        assert (order.status, order.dispatch_at, order.search_started_at) == ("SEARCHING", NOON, NOON)
        assert (order.created_at, order.version, order.search_number, order.dispatch_round) == (NOON, 2, 1, 0)
        rows = OrderStatusHistory.objects.order_by("pk")
        assert [(row.from_status, row.to_status, row.reason) for row in rows] == [
            (None, "CREATED", "created_by_staff"),
            ("CREATED", "SEARCHING", "search_started"),
        ]

    @pytest.mark.parametrize(
        ("now", "slot", "wakes"),
        [
            (NOON.replace(hour=3), None, NOON.replace(hour=10)),
            (NOON, at(23, 13, 16), NOON.replace(day=23, hour=10)),
            (NOON.replace(hour=22), at(23, 10, 13), NOON.replace(day=23, hour=10)),
        ],
    )
    def test_outside_the_window_it_waits(self, now, slot, wakes):
        order = create(typed(CityFactory(), slot=slot), now=now)
        assert (order.status, order.dispatch_at, order.version) == ("DEFERRED", wakes, 2)
        assert OrderStatusHistory.objects.latest("pk").reason == "outside_working_hours"

    def test_the_city_s_own_clock_counts(self):
        east = CityFactory(timezone="Asia/Vladivostok")
        assert create(typed(CityFactory())).status == "SEARCHING"
        with pytest.raises(TooLateForToday):  # noon in Moscow is seven in the evening there, half an hour on it is late
            create(typed(east), now=NOON + timedelta(minutes=30))
        assert create(typed(east), now=NOON + timedelta(minutes=29)).status == "SEARCHING"

    def test_late_asap_is_tomorrow_when_confirmed(self):
        late, new = NOON.replace(hour=19, minute=30), typed(CityFactory())
        with nothing_written(), pytest.raises(TooLateForToday) as caught:
            create(new, now=late)
        assert caught.value.slot == at(23, 10, 13)
        order = create(typed(City.objects.get(), confirm_late=True), now=late)
        assert (order.status, order.timeslot_start_utc) == ("DEFERRED", at(23, 10, 13).start)

    def test_without_a_district_it_says_so(self):
        order = create(typed(CityFactory()))
        assert (order.district, order.no_district) == (None, True)

    def test_the_street_brings_its_district(self):
        street = StreetFactory()
        order = create(typed(street.city, street_id=street.pk))
        assert (order.district, order.no_district) == (street.district, False)

    def test_nul_and_half_characters_are_dropped(self):
        order = create(typed(CityFactory(), description="Течёт\x00 кран\ud800", external_key="k\x00"))
        assert (order.description, order.external_key) == ("Течёт кран", "k")

    def test_texts_are_kept_as_they_are_up_to_the_limit(self):
        limits = {"house": 10, "apartment": 10, "address_comment": 250, "client_name": 100, "description": 500}
        order = create(typed(CityFactory(), **{name: "я" * limit for name, limit in limits.items()}))
        assert {name: len(getattr(order, name)) for name in limits} == limits

    def test_what_is_not_known_may_stay_empty_and_a_dash_is_nothing(self):
        order = create(typed(CityFactory(), house=" ", apartment="-", address_comment="—"))
        assert [order.house, order.apartment, order.address_comment, order.client_name, order.description] == [None] * 5

    @pytest.mark.parametrize("category", Category.values)
    def test_every_category_is_taken(self, category):
        assert create(typed(CityFactory(), category=category)).category == category


class TestWrongInput:
    @pytest.mark.parametrize(
        ("values", "field", "sentence"),
        [
            ({"client_phone": ""}, "client_phone", "The phone must be a Russian number of 11 digits"),
            ({"client_phone": "123"}, "client_phone", "The phone must be a Russian number of 11 digits"),
            ({"client_phone": "9" * 10_000}, "client_phone", "The phone must be a Russian number of 11 digits"),
            ({"category": ""}, "category", "The category must be one of ELECTRICS, PLUMBING, APPLIANCES, WINDOWS,"),
            ({"category": "plumbing"}, "category", "The category must be one of"),
            ({"category": "\x00"}, "category", "The category must be one of"),
            ({"district_id": 4242}, "district", "This district is not in "),
            ({"street_id": 4242}, "street", "This street is not in "),
            ({"house": "1" * 11}, "house", "The house must have 1 to 10 letters or digits"),
            ({"client_name": "Анна 2"}, "client_name", "The client's name must have 2 to 100 letters"),
            ({"description": "x" * 9}, "description", "The description must have 10 to 500 characters"),
            ({"description": "x" * 10_000}, "description", "The description must have 10 to 500 characters"),
            ({"external_key": "k" * 81}, "external_key", "The key must have up to 80 characters."),
            ({"slot": at(21, 10, 13)}, "slot", "This slot is over already"),
            ({"slot": at(23, 8, 11)}, "slot", "The slot must lie between 10:00 and 20:00, local time."),
            ({"slot": Slot(at(23, 10, 13).end, at(23, 10, 13).start)}, "slot", "The slot must begin before it ends."),
        ],
    )
    def test_one_sentence_names_the_field_and_nothing_is_written(self, values, field, sentence):
        city = CityFactory()
        with nothing_written(), pytest.raises(InvalidError) as caught:
            create(typed(city, **values))
        assert list(caught.value.fields) == [field]
        assert str(caught.value).startswith(sentence)

    def test_all_wrong_fields_are_named_at_once(self):
        with pytest.raises(InvalidError) as caught:
            create(typed(CityFactory(), client_phone="x", category="x", house="1" * 99))
        assert set(caught.value.fields) == {"client_phone", "category", "house"}

    def test_places_of_another_city_are_refused(self):
        city, street = CityFactory(), StreetFactory()
        with nothing_written(), pytest.raises(InvalidError) as caught:
            create(typed(city, district_id=street.district_id, street_id=street.pk))
        assert set(caught.value.fields) == {"district", "street"}

    @pytest.mark.parametrize("is_active", [True, False])
    def test_a_city_that_is_closed_or_unknown_is_refused(self, is_active):
        city = CityFactory(is_active=False)
        new = typed(city) if not is_active else NewOrder(city_id=4242, client_phone="x", category="x")
        with nothing_written(), pytest.raises(InvalidError, match=r"Choose a city from the list\."):
            create(new)

    def test_a_check_says_the_same_and_never_writes(self):
        city = CityFactory()
        with nothing_written():
            intake.check(new=typed(city), now=NOON)
            with pytest.raises(InvalidError, match="The category must be"):
                intake.check(new=typed(city, category="x"), now=NOON)
            with pytest.raises(TooLateForToday):
                intake.check(new=typed(city), now=NOON.replace(hour=20))


class TestRights:
    @pytest.mark.parametrize("role", Role.values)
    def test_every_role_creates_in_its_city(self, role):
        city = CityFactory()
        assert create(typed(city), staff(role, city)).city == city

    @pytest.mark.parametrize("role", [Role.LOGIST, Role.CITY_ADMIN])
    def test_a_stranger_s_city_does_not_exist(self, role):
        city = CityFactory()
        actor = staff(role, CityFactory())
        with nothing_written(), pytest.raises(NotFoundError, match="nothing like that in your cities"):
            create(typed(city), actor)

    def test_a_master_creates_nothing(self):
        master = MasterFactory()
        with nothing_written(), pytest.raises(ForbiddenError):
            create(typed(master.city), as_master(master))


class TestExternalKey:
    def test_the_same_key_returns_the_first_order(self):
        city = CityFactory()
        first = create(typed(city, external_key="crm-1"))
        with nothing_written():
            assert create(typed(city, external_key=" crm-1 ", category="WINDOWS")) == first

    def test_no_key_is_no_double(self):
        city = CityFactory()
        create(typed(city, external_key=""))
        create(typed(city))
        assert Order.objects.count() == 2

    def test_a_key_opens_no_other_city(self):
        create(typed(CityFactory(), external_key="crm-1"))
        mine = CityFactory()
        with pytest.raises(NotFoundError):
            create(typed(mine, external_key="crm-1"), staff(Role.LOGIST, mine))


@pytest.mark.django_db(transaction=True)
def test_one_key_typed_by_many_at_once_is_one_order():
    city = CityFactory()
    with racers(6) as people:
        for number in range(20):
            new = typed(city, external_key=f"crm-{number}")
            orders = winners(people.run(*[lambda new=new: intake.create(new=new, actor=COMMAND_LINE, now=NOON)] * 6))
            assert len(orders) == 6
            assert len({order.pk for order in orders}) == 1
    assert Order.objects.count() == 20
    assert OrderStatusHistory.objects.count() == 40


def test_the_window_of_the_settings_counts():
    Setting.objects.create(key="working_hours_end", value="12:00")
    with pytest.raises(TooLateForToday):
        create(typed(CityFactory()))


def test_a_district_may_have_any_city_s_time():
    district = DistrictFactory(city__timezone=None)
    assert create(typed(district.city, district_id=district.pk)).status == "SEARCHING"


def test_moments_are_stored_in_utc():
    order = create(typed(CityFactory(), slot=at(22, 13, 16)))
    assert order.timeslot_start_utc == datetime(2026, 11, 22, 10, tzinfo=UTC)
