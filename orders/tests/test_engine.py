"""The engine on the database: what a tick and a nudge do, whatever they meet."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from random import Random

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldservice.outbox.models import Lane, Notification
from fieldservice.runtime.models import Heartbeat, Setting
from geo.tests.factories import CityFactory, DistrictFactory
from orders.dispatch import engine, trace
from orders.models import DispatchDecision, Offer, Order, OrderStatusHistory
from orders.services import manual, offers
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import as_master, logist_of
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db
SLA = timedelta(seconds=120)


def tick(after: timedelta = timedelta(0)) -> engine.Report:
    return engine.tick(now=timezone.now() + after, rng=Random(0))


def outcomes(report: engine.Report) -> dict[int, str]:
    return {decision.order.id: str(decision.outcome) for decision in report.decisions}


class TestOffer:
    def test_an_offer_is_written_with_its_message_and_the_decision(self):
        order = OrderFactory()
        master = MasterFactory(districts=[order.district], has_vehicle=True)
        now = timezone.now()
        engine.tick(now=now)
        offer = Offer.objects.get()
        assert (offer.order, offer.master, offer.state, offer.round_number, offer.search_number) == (
            order, master, "SENT", 1, 1
        )  # fmt: skip
        assert (offer.sent_at, offer.expires_at, offer.sla_seconds) == (now, now + SLA, 120)
        assert (offer.is_manual, offer.staff_confirmed) == (False, False)
        order.refresh_from_db()
        assert (order.status, order.dispatch_at, order.dispatch_round, order.rounds_limit, order.version) == (
            "SEARCHING", now + SLA, 1, 2, 1
        )  # fmt: skip
        row = Notification.objects.get()
        assert (row.event, row.master, row.bot, row.lane, row.payload) == (
            "offer", master, "master", Lane.OFFER, {"offer_id": offer.pk}
        )  # fmt: skip
        assert (row.edits_key, row.expires_at) == (f"offer:{offer.pk}", offer.expires_at)
        decision = DispatchDecision.objects.get()
        assert (decision.outcome, decision.master, decision.round_number, decision.candidates_count) == (
            "offered", master, 1, 1
        )  # fmt: skip
        assert decision.details == {
            "top": [master.pk], "citywide": False, "masters": [master.pk], "rounds": 2,
            "city": order.city_id, "district": order.district_id, "category": "ELECTRICS",
        }  # fmt: skip
        assert trace.top(decision) == [[master.pk, True, 0, 5.0]]

    def test_a_second_tick_waits(self):
        order = OrderFactory()
        MasterFactory.create_batch(2, districts=[order.district])
        tick()
        assert outcomes(tick(timedelta(seconds=60))) == {}
        assert Offer.objects.count() == 1

    def test_the_whole_search_ends_with_staff(self):
        order = OrderFactory()
        MasterFactory.create_batch(3, districts=[order.district])
        asked = []
        for number in range(2):
            report = tick(number * (SLA + timedelta(seconds=1)))
            assert outcomes(report) == {order.pk: "offered"}
            asked.append(report.decisions[0].masters[0].id)
        assert len(set(asked)) == 2
        report = tick(2 * (SLA + timedelta(seconds=1)))
        assert (outcomes(report), report.expired) == ({order.pk: "rounds_exhausted"}, 1)
        order.refresh_from_db()
        assert (order.dispatch_at, order.escalation_reason, order.dispatch_round) == (None, "rounds_exhausted", 2)
        assert outcomes(tick(timedelta(hours=1))) == {}
        assert set(Offer.objects.values_list("state", flat=True)) == {"EXPIRED"}

    def test_a_decline_asks_the_next_one_at_once(self):
        order = OrderFactory()
        MasterFactory.create_batch(2, districts=[order.district])
        tick()
        first = Offer.objects.get()
        offers.decline(offer_id=first.pk, actor=as_master(first.master))
        assert outcomes(engine.nudge()) == {order.pk: "offered"}
        assert Offer.objects.exclude(pk=first.pk).get().round_number == 2

    def test_two_offers_a_round(self):
        Setting.objects.create(key="offers_per_round", value="2")
        order = OrderFactory()
        MasterFactory.create_batch(5, districts=[order.district])
        tick()
        assert Offer.objects.filter(state="SENT", round_number=1).count() == 2
        assert Notification.objects.filter(event="offer").count() == 2
        first, second = Offer.objects.order_by("pk")
        offers.decline(offer_id=first.pk, actor=as_master(first.master))
        assert outcomes(engine.nudge()) == {order.pk: "waiting"}
        offers.accept(offer_id=second.pk, actor=as_master(second.master))
        assert outcomes(engine.nudge()) == {}

    def test_settings_are_read_at_every_tick_and_frozen_in_the_offer(self):
        order = OrderFactory()
        MasterFactory(districts=[order.district])
        tick()
        Setting.objects.create(key="distribution_sla_seconds", value="30")
        Setting.objects.create(key="distribution_rounds", value="1")
        other = OrderFactory()
        MasterFactory(districts=[other.district])
        tick()
        slas = dict(Offer.objects.values_list("order_id", "sla_seconds"))
        assert slas == {order.pk: 120, other.pk: 30}
        assert list(Order.objects.order_by("pk").values_list("rounds_limit", flat=True)) == [2, 1]

    def test_values_out_of_range_fall_back(self):
        for key, value in (("offers_per_round", "0"), ("distribution_sla_seconds", "1"), ("max_active_orders", "x")):
            Setting.objects.create(key=key, value=value)
        order = OrderFactory()
        MasterFactory.create_batch(2, districts=[order.district])
        tick()
        assert Offer.objects.get().sla_seconds == 120

    def test_an_offer_by_hand_in_between_is_respected(self):
        order = OrderFactory()
        master = MasterFactory(districts=[order.district])
        MasterFactory(districts=[order.district], has_vehicle=True)
        manual.offer(order_id=order.pk, master_id=master.pk, actor=logist_of(order))
        assert outcomes(tick()) == {}
        Order.objects.update(dispatch_at=timezone.now())
        assert outcomes(tick()) == {order.pk: "waiting"}
        assert Offer.objects.count() == 1

    def test_a_stray_accepted_offer_does_not_stop_the_search(self):
        """Imports have them: the order searches, an old offer says ACCEPTED."""
        order = OrderFactory()
        stray = OfferFactory(
            order=order, state="ACCEPTED", master=MasterFactory(districts=[order.district], has_vehicle=True)
        )
        other = MasterFactory(districts=[order.district])
        assert outcomes(tick()) == {order.pk: "offered"}
        assert Offer.objects.exclude(pk=stray.pk).get().master == other


class TestPlainSql:
    """Rows that came from an import, with the columns of v1.2 only."""

    def insert(self, sql: str, *params) -> int:
        with connection.cursor() as cursor:
            cursor.execute(sql + " RETURNING id", params)
            return cursor.fetchone()[0]

    def master(self, district) -> int:
        number = self.insert(
            "INSERT INTO masters (tg_user_id, full_name, phone, city_id, moderation_status, shift_status) "
            "VALUES (7009000001, 'Мастер', '+79990009999', %s, 'APPROVED', 'SHIFT_ON')",
            district.city_id,
        )
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO skills (code, name) VALUES ('WINDOWS', 'Окна') ON CONFLICT DO NOTHING")
            cursor.execute(
                "INSERT INTO master_skills (master_id, skill_id) SELECT %s, id FROM skills WHERE code = 'WINDOWS'",
                [number],
            )
            cursor.execute(
                "INSERT INTO master_districts (master_id, district_id) VALUES (%s, %s)", [number, district.pk]
            )
        return number

    def order(self, district, status: str) -> int:
        return self.insert(
            "INSERT INTO orders (city_id, district_id, house, client_name, client_phone, status, category, type, "
            "created_at) VALUES (%s, %s, '5', 'Клиент', '+79990000001', %s, 'WINDOWS', 'NORMAL', "
            "now() - interval '1 day')",
            district.city_id,
            district.pk,
            status,
        )

    @pytest.mark.parametrize("status", ["SEARCHING", "CREATED", "DEFERRED"])
    def test_an_order_is_offered_to_a_master(self, status):
        district = DistrictFactory()
        master, order = self.master(district), self.order(district, status)
        assert outcomes(tick()) == {order: "offered"}
        offer = Offer.objects.get()
        assert (offer.order_id, offer.master_id) == (order, master)
        assert offers.accept(offer_id=offer.pk, actor=as_master(offer.master)).status == "ASSIGNED"


class TestNudge:
    def test_it_serves_what_is_due(self):
        order = OrderFactory()
        MasterFactory(districts=[order.district])
        assert outcomes(engine.nudge()) == {order.pk: "offered"}

    def test_a_city_s_stuck_orders_are_looked_at_again(self):
        order, elsewhere = OrderFactory(), OrderFactory()
        tick()
        MasterFactory(districts=[order.district])
        MasterFactory(districts=[elsewhere.district])
        assert outcomes(engine.nudge()) == {}
        assert outcomes(engine.nudge(city_id=order.city_id)) == {order.pk: "offered"}

    def test_orders_that_wait_for_staff_go_on_waiting(self):
        order = OrderFactory(dispatch_round=2)
        tick()
        MasterFactory(districts=[order.district])
        assert outcomes(engine.nudge(city_id=order.city_id)) == {}

    def test_overdue_offers_are_ended_too(self):
        OfferFactory()
        assert engine.nudge(now=timezone.now() + SLA + timedelta(seconds=1)).expired == 1


class TestManyOrders:
    def world(self, orders: int) -> None:
        district = DistrictFactory()
        OrderFactory.create_batch(orders, district=district)
        MasterFactory.create_batch(orders, districts=[district])
        OrderFactory.create_batch(orders, city=district.city, district=None)

    def test_the_number_of_queries_does_not_grow(self):
        counted = []
        for orders in (3, 30):
            self.world(orders)
            with CaptureQueriesContext(connection) as queries:
                report = engine.nudge()
            assert len(report.decisions) == 2 * orders
            counted.append(len(queries))
        assert counted[0] == counted[1]

    def test_more_than_a_batch_is_served_in_one_tick(self, monkeypatch):
        monkeypatch.setattr(engine, "BATCH", 4)
        self.world(6)
        report = tick()
        assert len(report.decisions) == 12
        assert Offer.objects.count() == 6

    def test_a_master_s_last_place_goes_to_the_most_urgent(self):
        district = DistrictFactory()
        plain = OrderFactory(district=district)
        urgent = OrderFactory(district=district, type="GUARANTEE", status="GUARANTEE")
        MasterFactory(districts=[district], max_active_orders_override=1)
        assert outcomes(tick()) == {urgent.pk: "offered", plain.pk: "no_candidates"}


class Poison:
    """A trigger that raises whenever the row of one order (or any row that names it) is written."""

    def __init__(self, table: str, condition: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE OR REPLACE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'poison'; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER poison BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW WHEN ({condition}) "
                "EXECUTE FUNCTION poison()"
            )


class TestPoison:
    """A bad order is set aside, the others go on."""

    def orders(self) -> list[Order]:
        district = DistrictFactory()
        MasterFactory.create_batch(4, districts=[district])
        return OrderFactory.create_batch(4, district=district)

    def test_the_guilty_one_is_set_aside_with_its_error_and_an_alert(self):
        Setting.objects.create(key="alerts_channel_id", value="-1001")
        bad, *good = self.orders()
        Poison("offers", f"NEW.order_id = {bad.pk}")
        now = timezone.now()
        report = engine.tick(now=now)
        assert outcomes(report) == {order.pk: "offered" for order in good}
        assert report.set_aside == [bad.pk]
        bad.refresh_from_db()
        assert "poison" in bad.dispatch_error
        assert (bad.dispatch_at, bad.status) == (now + timedelta(minutes=5), "SEARCHING")
        alert = Notification.objects.get(event="dispatch_error")
        assert (alert.chat_id, alert.payload) == (-1001, {"order_id": bad.pk})

    def test_an_alert_is_sent_once_an_hour(self):
        Setting.objects.create(key="alerts_channel_id", value="-1001")
        bad = self.orders()[0]
        Poison("offers", f"NEW.order_id = {bad.pk}")
        start = timezone.now().replace(minute=0)
        Order.objects.update(dispatch_at=start)
        for minute in (0, 6, 12, 61):
            engine.tick(now=start + timedelta(minutes=minute))
        assert Notification.objects.filter(event="dispatch_error").count() == 2

    def test_a_healed_order_goes_on(self):
        bad = self.orders()[0]
        Poison("offers", f"NEW.order_id = {bad.pk}")
        tick()
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER poison ON offers")
        assert outcomes(tick(timedelta(minutes=6)))[bad.pk] == "offered"
        bad.refresh_from_db()
        assert bad.dispatch_error is None

    def test_an_order_that_cannot_even_be_marked_stops_nobody(self):
        bad, *good = self.orders()
        Poison("orders", f"NEW.id = {bad.pk}")
        report = tick()
        assert (set(outcomes(report)), report.set_aside) == ({order.pk for order in good}, [bad.pk])
        assert tick().set_aside == [bad.pk]

    def test_a_batch_of_bad_ones_does_not_hide_the_good_ones(self, monkeypatch):
        monkeypatch.setattr(engine, "BATCH", 2)
        *bad, good = self.orders()
        Order.objects.filter(pk__in=[order.pk for order in bad]).update(type="GUARANTEE", status="GUARANTEE")
        Poison("offers", f"NEW.order_id <> {good.pk}")
        report = tick()
        assert (outcomes(report), sorted(report.set_aside)) == ({good.pk: "offered"}, [order.pk for order in bad])

    def test_a_bad_deferred_order_stops_no_tick(self):
        bad, *good = self.orders()
        slot = timezone.now() - timedelta(days=1)  # its day has begun, whatever the hour of this test
        Order.objects.filter(pk=bad.pk).update(
            status="DEFERRED", timeslot_start_utc=slot, timeslot_end_utc=slot + timedelta(hours=1)
        )
        Poison("order_status_history", f"NEW.order_id = {bad.pk}")
        report = tick()
        assert (set(outcomes(report)), report.set_aside) == ({order.pk for order in good}, [bad.pk])

    def test_a_bad_escalation_stops_no_tick(self):
        long_ago = timezone.now() - timedelta(hours=1)
        stuck = OrderFactory.create_batch(3, dist_escalated_logist_at=long_ago, dispatch_at=None)
        Poison("order_status_history", f"NEW.order_id = {stuck[0].pk}")
        good = self.orders()
        report = tick()
        assert sorted(report.escalated_to_admins) == [order.pk for order in stuck[1:]]
        assert report.set_aside == [stuck[0].pk]
        assert set(outcomes(report)) == {order.pk for order in good}


class TestTick:
    def test_it_leaves_a_sign_of_life(self):
        now = timezone.now()
        engine.tick(now=now)
        beat = Heartbeat.objects.get()
        assert beat.details.pop("ms") > 0
        assert (beat.name, beat.beat_at, beat.details) == ("dispatch_tick", now, {"decisions": 0, "expired": 0})

    def test_idle_it_is_cheap(self):
        OfferFactory.create_batch(5, order__dispatch_at=timezone.now() + timedelta(hours=1))
        tick()
        with CaptureQueriesContext(connection) as queries:
            tick()
        statements = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
        assert len(statements) == 3  # the parameters, what there is to do, the sign of life

    def test_the_command_prints_what_was_decided(self):
        order = OrderFactory()
        output = StringIO()
        call_command("dispatch_tick", "--json", stdout=output)
        (decision,) = json.loads(output.getvalue())["decisions"]
        assert (decision["order"], decision["outcome"], decision["left_out"]) == (order.pk, "no_candidates", {})
        output = StringIO()
        call_command("dispatch_tick", stdout=output)
        assert output.getvalue() == "0 decision(s), 0 expired, 0 woken, 0 escalated to admins, 0 set aside\n"

    def test_history_is_written_for_events_only(self):
        order = OrderFactory()
        MasterFactory(districts=[order.district])
        tick()
        assert not OrderStatusHistory.objects.exists()


def test_cities_do_not_mix():
    orders = [OrderFactory(district=DistrictFactory(city=CityFactory())) for _ in range(3)]
    masters = {order.pk: MasterFactory(districts=[order.district]).pk for order in orders}
    tick()
    assert dict(Offer.objects.values_list("order_id", "master_id")) == masters
