"""Another trade, district or street: offers for the old job end, the search begins anew, the master at work is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, StaleError
from fieldservice.outbox.models import Notification
from geo.models import Street
from geo.tests.factories import CityFactory, DistrictFactory, StreetFactory
from orders.dispatch import engine, explain
from orders.enums import OfferState, OrderStatus
from orders.models import Offer, Order, OrderStatusHistory
from orders.services import correction, lifecycle, rerouting
from orders.services.options import options
from orders.services.place import StreetElsewhere
from orders.services.rerouting import Route
from orders.services.schedule import Slot
from orders.tests.counting import nothing_written
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import as_master, logist_of, staff
from staff.enums import Role
from staff.models import Skill
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Europe/Moscow"))


def order_in(city: Any = None, **values: Any) -> Order:
    city = city or CityFactory(timezone="Europe/Moscow", centroid_lat=55.75, centroid_lon=37.62)
    return OrderFactory(**{"city": city, "category": "ELECTRICS", "dispatch_at": None} | values)


def mend(order: Order, actor: Actor | None = None, *, confirm_district: bool = False, **route: Any) -> Order:
    given = {name: route.pop(name) for name in ("version", "seen", "now") if name in route}
    rerouting.reroute(
        order_id=order.pk, to=replace(Route.of(order), **route), actor=actor or logist_of(order),
        confirm_district=confirm_district, **{"now": NOON} | given,
    )  # fmt: skip
    return Order.objects.get(pk=order.pk)


def mended() -> dict[str, Any]:
    return OrderStatusHistory.objects.get(reason="corrected").context["changes"]


class TestSearching:
    def test_who_was_asked_was_asked_for_another_trade(self):
        order = order_in(dispatch_round=2, rounds_limit=2, dist_escalated_logist_at=NOON, search_number=3,
                         escalation_reason="rounds_exhausted")  # fmt: skip
        offer = OfferFactory(order=order)
        order = mend(order, category="PLUMBING")
        offer.refresh_from_db()
        assert (offer.state, offer.close_reason) == (OfferState.CANCELED, "withdrawn")
        assert Notification.objects.filter(master=offer.master, edits_key=f"offer:{offer.pk}").count() == 1
        assert (order.status, order.category, order.version) == ("SEARCHING", "PLUMBING", 2)
        assert (order.search_number, order.dispatch_round, order.rounds_limit) == (4, 0, None)
        assert (order.dispatch_at, order.search_started_at) == (NOON, NOON)
        assert (order.dist_escalated_logist_at, order.escalation_reason) == (None, None)
        assert mended() == {"category": ["ELECTRICS", "PLUMBING"]}

    def test_the_next_one_asked_knows_the_new_trade_and_the_new_district(self):
        order = order_in()
        south = DistrictFactory(city=order.city)
        wrong, right = (MasterFactory(city=order.city, districts=[district], skills=skills) for district, skills in (
            (order.district, ["ELECTRICS"]), (south, ["PLUMBING"])))  # fmt: skip
        Order.objects.filter(pk=order.pk).update(dispatch_at=NOON)
        engine.tick(now=NOON, rng=Random(1))
        assert Offer.objects.get(order=order).master == wrong
        mend(order, category="PLUMBING", district_id=south.pk, now=NOON + timedelta(seconds=5))
        engine.nudge(now=NOON + timedelta(seconds=5), rng=Random(1))
        assert list(Offer.objects.filter(order=order).order_by("pk").values_list("master", "state")) == [
            (wrong.pk, "CANCELED"), (right.pk, "SENT")
        ]  # fmt: skip

    def test_an_order_without_a_district_gets_one_and_the_search_goes_on(self):
        order = order_in(district=None)
        engine_sees = Order.objects.filter(pk=order.pk)
        engine_sees.update(dispatch_at=NOON)
        engine.tick(now=NOON, rng=Random(1))
        assert engine_sees.get().escalation_reason == "no_district"
        district = DistrictFactory(city=order.city)
        master = MasterFactory(city=order.city, districts=[district], skills=["ELECTRICS"])
        order = mend(order, district_id=district.pk)
        assert (order.district, order.no_district, order.escalation_reason) == (district, False, None)
        engine.tick(now=NOON, rng=Random(1))
        assert Offer.objects.get(order=order).master == master

    def test_another_street_brings_its_district_and_its_place(self):
        order = order_in(street_text="Мирра")
        street = StreetFactory(district=order.district, name="улица Мира", centroid_lat=55.7, centroid_lon=37.6)
        offer = OfferFactory(order=order)
        order = mend(order, street_id=street.pk, street_text="")
        offer.refresh_from_db()
        assert (order.street, order.street_text, order.district) == (street, None, street.district)
        assert (order.lat, order.lon, order.geocode_provider) == (55.7, 37.6, "street_centroid")
        assert (offer.state, order.search_number) == ("CANCELED", 2)
        assert mended() == {"street": ["Мирра", street.label]}

    def test_the_same_street_found_in_the_catalogue_disturbs_nobody(self):
        order = order_in(street_text="улица Мира", dispatch_round=1)
        street = StreetFactory(district=order.district, name="улица Мира")
        offer = OfferFactory(order=order)
        order = mend(order, street_id=street.pk, street_text="")
        offer.refresh_from_db()
        assert (order.street, order.street_text, order.version) == (street, None, 2)
        assert (offer.state, order.search_number, order.dispatch_round) == ("SENT", 1, 1)

    def test_a_search_of_a_later_day_begins_on_that_day(self):
        order = order_in()
        day = NOON + timedelta(days=1)
        correction.reschedule(order_id=order.pk, slot=Slot(day.replace(hour=13), day.replace(hour=16)),
                              actor=logist_of(order), now=NOON)  # fmt: skip
        order = mend(Order.objects.get(pk=order.pk), category="WINDOWS")
        assert (order.dispatch_at, order.search_started_at) == (day.replace(hour=10), day.replace(hour=10))

    def test_a_guarantee_visit_blocks_nobody_and_asks_its_master_again(self):
        order = order_in(status="GUARANTEE", type="GUARANTEE")
        own = MasterFactory(city=order.city, districts=[order.district], skills=["ELECTRICS", "PLUMBING"])
        Order.objects.filter(pk=order.pk).update(preferred_master=own, dispatch_at=NOON)
        engine.tick(now=NOON, rng=Random(1))
        order = mend(order, category="PLUMBING")
        engine.tick(now=NOON, rng=Random(1))
        own.refresh_from_db()
        assert (order.status, own.is_blocked) == ("GUARANTEE", False)
        assert list(Offer.objects.filter(order=order, master=own).order_by("pk").values_list("state", flat=True)) == [
            "CANCELED", "SENT"
        ]  # fmt: skip


@pytest.mark.parametrize("status", ["CREATED", "DEFERRED"])
def test_before_the_search_nothing_but_the_route_changes(status):
    order = order_in(status=status, dispatch_at=NOON + timedelta(hours=9))
    street = StreetFactory(city=order.city, district=None)
    changed = mend(order, category="WINDOWS", street_id=street.pk)
    assert (changed.status, changed.dispatch_at, changed.search_number) == (status, order.dispatch_at, 1)
    assert (changed.category, changed.street, changed.district) == ("WINDOWS", street, order.district)


class TestAtWork:
    @pytest.mark.parametrize("status", ["ASSIGNED", "EN_ROUTE", "WORKING"])
    def test_the_master_keeps_the_order_and_is_told(self, status):
        order = order_in(assigned=True, status=status)
        street = StreetFactory(district=DistrictFactory(city=order.city))
        changed = mend(order, street_id=street.pk, district_id=street.district_id)
        assert (changed.status, changed.assigned_master, changed.dispatch_at) == (status, order.assigned_master, None)
        assert (changed.street, changed.district, changed.version) == (street, street.district, 2)
        told = Notification.objects.get(event="order_changed")
        assert (told.master_id, told.payload) == (order.assigned_master_id, {"order_id": order.pk})

    def test_a_trade_he_knows(self):
        order = order_in(assigned=True, assigned_master__skills=["ELECTRICS", "PLUMBING"])
        assert mend(order, category="PLUMBING").category == "PLUMBING"
        assert Notification.objects.filter(event="order_changed").count() == 1

    def test_a_trade_he_does_not_know_is_refused_until_he_gives_the_order_back(self):
        order = order_in(assigned=True, assigned_master__skills=["ELECTRICS"], assigned_master__full_name="Белов Иван")
        actor = logist_of(order)
        with nothing_written(), pytest.raises(ConflictError, match="Белов Иван has no skill «Plumbing»") as caught:
            mend(order, actor, category="PLUMBING")
        assert caught.value.code == "skill"
        lifecycle.return_to_search(order_id=order.pk, actor=actor, reason="не тот мастер", now=NOON)
        assert mend(Order.objects.get(pk=order.pk), actor, category="PLUMBING").category == "PLUMBING"

    def test_a_skill_that_is_switched_off_is_none(self):
        order = order_in(assigned=True, assigned_master__skills=["ELECTRICS", "PLUMBING"])
        Skill.objects.filter(code="PLUMBING").update(is_active=False)
        with pytest.raises(ConflictError, match="has no skill"):
            mend(order, category="PLUMBING")


@pytest.mark.parametrize("status", [s for s in OrderStatus if s not in rerouting.OPEN])
def test_a_job_that_is_done_stays_as_it_was(status):
    order = order_in(assigned=True, status=status)
    actor = logist_of(order)
    with nothing_written(), pytest.raises(ConflictError, match="can no longer be changed"):
        mend(order, actor, category="PLUMBING")
    assert "reroute" not in options(order, actor)


@pytest.mark.parametrize("status", rerouting.OPEN)
def test_the_button_is_there_where_the_service_agrees(status):
    order = order_in(assigned=status in OrderStatus.ACTIVE, status=status,
                     **{"assigned_master__skills": ["PLUMBING"]} if status in OrderStatus.ACTIVE else {})  # fmt: skip
    assert "reroute" in options(order, logist_of(order))
    assert mend(order, category="PLUMBING").category == "PLUMBING"


class TestRefused:
    def test_places_of_other_cities_and_trades_of_no_list(self):
        order, elsewhere = order_in(), StreetFactory(district=DistrictFactory(city=CityFactory()))
        actor = logist_of(order)
        for wrong, field in (
            ({"district_id": elsewhere.district_id}, "district"), ({"street_id": elsewhere.pk}, "street"),
            ({"district_id": 2**31 - 1}, "district"), ({"street_id": 2**31 - 1}, "street"),
            ({"category": "MAGIC"}, "category"), ({"category": ""}, "category"),
            ({"street_text": "x" * 300}, "street_text"), ({"street_text": "😀"}, "street_text"),
        ):  # fmt: skip
            with nothing_written(), pytest.raises(InvalidError) as caught:
                mend(order, actor, **wrong)
            assert list(caught.value.fields) == [field], wrong

    def test_a_street_from_the_list_and_a_typed_one(self):
        order = order_in(street_text="Тихая")
        street = StreetFactory(district=order.district)
        with pytest.raises(InvalidError, match="not both"):
            mend(order, street_id=street.pk)

    def test_a_street_of_another_district_asks(self):
        order = order_in()
        street = StreetFactory(district=DistrictFactory(city=order.city, name="Южный"))
        actor = logist_of(order)
        with nothing_written(), pytest.raises(StreetElsewhere, match="lies in Южный"):
            mend(order, actor, street_id=street.pk)
        assert mend(order, actor, street_id=street.pk, confirm_district=True).district == street.district

    def test_a_stranger_sees_nothing_and_a_master_may_not(self):
        order = order_in(assigned=True)
        with pytest.raises(NotFoundError):
            mend(order, staff(Role.CITY_ADMIN, CityFactory()), category="PLUMBING")
        with pytest.raises(ForbiddenError):
            mend(order, as_master(order.assigned_master), category="PLUMBING")

    def test_a_stale_page_is_told_who_mended_it(self):
        order = order_in()
        mend(order, staff(Role.GLOBAL_ADMIN, full_name="Ольга Чёрная"), category="PLUMBING", version=1)
        with pytest.raises(StaleError, match=r"was changed by Ольга Чёрная at 12:00"):
            mend(order, category="WINDOWS", version=1)

    def test_what_somebody_corrected_without_a_new_version_is_seen(self):
        order, actor = order_in(street_text="Садовая"), staff(Role.GLOBAL_ADMIN)
        seen = Route.of(order)
        correction.correct(order_id=order.pk, changes={"street_text": "Полевая"}, actor=actor, now=NOON)
        with pytest.raises(StaleError):
            mend(order, actor, street_text="Садовая 2", seen=seen, version=1)
        assert Order.objects.get(pk=order.pk).street_text == "Полевая"


def test_the_same_again_changes_nothing():
    order = order_in(street_text="ул")  # too short for a new order; what an old one has may stay
    offer, actor = OfferFactory(order=order), logist_of(order)
    with nothing_written():
        mend(order, actor, category="ELECTRICS")
    offer.refresh_from_db()
    assert offer.state == "SENT"
    mend(order, actor, category="PLUMBING")
    assert Order.objects.get(pk=order.pk).street_text == "ул"


def test_a_long_name_of_the_catalogue_may_be_kept_as_text():
    order = order_in()
    name = "улица 50-летия Великой Октябрьской социалистической революции"
    street = StreetFactory(district=order.district, name=name)
    Order.objects.filter(pk=order.pk).update(street=street)
    order, south = Order.objects.get(pk=order.pk), DistrictFactory(city=order.city)
    changed = mend(order, district_id=south.pk, street_id=None, street_text=name)
    assert (changed.district, changed.street, changed.street_text) == (south, None, name)
    with pytest.raises(InvalidError, match="2 to 50"):
        mend(changed, street_text=name + " 2")


def test_a_street_the_catalogue_lost_is_no_obstacle():
    order = order_in()
    street = StreetFactory(district=order.district)
    Order.objects.filter(pk=order.pk).update(street=street)
    Street.objects.filter(pk=street.pk).delete()
    assert mend(Order.objects.get(pk=order.pk), category="PLUMBING").street is None


def test_the_story_tells_old_and_new():
    order = order_in()
    south = DistrictFactory(city=order.city, name="Южный")
    mend(order, category="PLUMBING", district_id=south.pk)
    lines = list(explain.explain(order_id=order.pk, now=NOON).lines())
    wanted = f"corrected by the office: district «{order.district}» → «Южный»; category «Electrics» → «Plumbing»"
    assert any(wanted in line for line in lines), lines
