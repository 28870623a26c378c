"""The recorded defects of the engine before this one (prior-engine §10), each turned into the promise it broke.

The number in a name is the number on that list; `docs/acceptance-dispatch.md` says where the others are held.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from random import Random

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldservice.lib.errors import ConflictError, NotFoundError
from fieldservice.outbox.models import Notification
from fieldservice.runtime.models import Setting
from fieldservice.tests.racing import racers, winners
from geo.tests.factories import CityFactory, DistrictFactory
from orders.dispatch import engine
from orders.models import Offer, Order
from orders.services import guarantee, lifecycle, manual, offers
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import admin_of, as_master, logist_of, staff
from orders.tests.proof.model import ZONE
from staff.enums import Role
from staff.tests.factories import MasterFactory, SkillFactory

LIVE = ("SENT", "VIEWED")
SLA = timedelta(seconds=120)
NOON = datetime(2026, 3, 10, 12, tzinfo=ZONE)


def offered(order: Order) -> list[int]:
    """The masters asked now."""
    return list(Offer.objects.filter(order=order, state__in=LIVE).values_list("master_id", flat=True))


def decisions(report: engine.Report) -> dict[int, str]:
    return {decision.order.id: str(decision.outcome) for decision in report.decisions}


def stuck(count: int) -> None:
    """Orders of a city without masters."""
    OrderFactory.create_batch(count, district=DistrictFactory())


@pytest.mark.django_db(transaction=True)
class TestTogether:
    """What needs connections of their own."""

    def test_10_01_every_tick_works_whatever_connection_it_runs_on(self):
        district = DistrictFactory()
        MasterFactory(districts=[district], max_active_orders_override=50)
        with racers(4) as crew:
            for _round in range(3):
                orders = OrderFactory.create_batch(2, district=district)
                crew.run(*[engine.tick] * 4)  # four connections stay open from round to round
                assert all(offered(order) for order in orders)
                order = OrderFactory(district=district)
                engine.tick()  # a fifth one
                assert offered(order)

    def test_10_04_an_order_that_is_being_cancelled_or_assigned_during_a_tick_gets_no_offer(self):
        district = DistrictFactory()
        master, other = MasterFactory.create_batch(2, districts=[district])
        for verb, values in ((lifecycle.cancel, {"reason": "not needed"}), (manual.assign, {"master_id": master.pk})):
            order = OrderFactory(district=district)
            actor = admin_of(order)
            with racers(1) as crew:
                with transaction.atomic():
                    verb(order_id=order.pk, actor=actor, **values)
                    (report,) = crew.run(engine.tick)  # before this transaction is committed
                    assert decisions(report) == {}
                (report,) = crew.run(engine.tick)
            assert decisions(report) == {}
            assert not Offer.objects.filter(order=order).exists()
        assert other.offers.count() == 0

    def test_10_04_a_tick_and_an_offer_by_hand_open_one_offer(self):
        for _round in range(10):
            order = OrderFactory()
            chosen, _other = MasterFactory.create_batch(2, districts=[order.district])
            actor = logist_of(order)
            with racers(3) as crew:
                crew.run(
                    engine.tick, engine.nudge,
                    partial(manual.offer, order_id=order.pk, master_id=chosen.pk, actor=actor),
                )  # fmt: skip
            asked = offered(order)
            # by hand after the tick: staff may ask a second master; the engine never adds one to an offer by hand
            assert len(asked) == len(set(asked)) <= 2
            assert Offer.objects.filter(order=order, is_manual=False).count() <= 1

    def test_10_05_a_tap_while_the_engine_holds_the_order_waits_and_wins(self):
        offer = OfferFactory()
        with racers(1) as crew:
            with transaction.atomic():
                lifecycle.lock(offer.order_id)
                future = crew.pool.submit(offers.accept, offer_id=offer.pk, actor=as_master(offer.master))
                time.sleep(0.3)
                assert not future.done()
            assert future.result(30).assigned_master_id == offer.master_id

    def test_10_10_of_two_taps_for_the_last_place_one_is_refused(self):
        master = MasterFactory(max_active_orders_override=1)
        both = [OfferFactory(order__city=master.city, order__district=None, master=master) for _ in range(2)]
        with racers(2) as crew:
            taps = [partial(offers.accept, offer_id=offer.pk, actor=as_master(master)) for offer in both]
            assert len(winners(crew.run(*taps))) == 1

    def test_10_18_a_notice_is_lost_or_kept_together_with_its_mark(self):
        order = OrderFactory()
        logist_of(order)
        with transaction.atomic():
            engine.tick()
            transaction.set_rollback(True)
        order.refresh_from_db()
        assert (order.dist_escalated_logist_at, Notification.objects.count()) == (None, 0)
        engine.tick()
        order.refresh_from_db()
        assert order.dist_escalated_logist_at
        assert Notification.objects.filter(event="escalation_logist").count() == 1


@pytest.mark.django_db
class TestServed:
    """Nobody is starved, nothing poisons the rest."""

    def test_10_02_the_newest_order_behind_a_hundred_stuck_ones_is_offered_in_the_next_tick(self):
        stuck(120)
        engine.tick()
        order = OrderFactory()
        master = MasterFactory(districts=[order.district])
        engine.tick(now=timezone.now() + timedelta(seconds=31))
        assert offered(order) == [master.pk]
        assert Order.objects.filter(dist_escalated_logist_at__isnull=False).count() == 120

    def test_10_03_a_setting_that_is_no_number_stops_nothing(self):
        for key in ("max_active_orders", "distribution_rounds", "distribution_sla_seconds", "offers_per_round"):
            Setting.objects.create(key=key, value="пять", value_type="STR")
        order, lapsed = OrderFactory(), OfferFactory()
        MasterFactory(districts=[order.district])
        report = engine.tick(now=timezone.now() + SLA)
        assert (report.expired, report.set_aside) == (1, [])
        assert offered(order)
        lapsed.refresh_from_db()
        assert lapsed.state == "EXPIRED"

    def test_10_07_an_order_without_candidates_at_first_still_gets_all_its_rounds(self):
        order, now = OrderFactory(), NOON
        SkillFactory()  # tests that empty the tables take the seeded skills with them
        Order.objects.update(dispatch_at=now, created_at=now)
        assert decisions(engine.tick(now=now)) == {order.pk: "no_candidates"}
        MasterFactory.create_batch(3, districts=[order.district])
        found = []
        for step in range(1, 4):
            found.append(decisions(engine.tick(now=now + step * (SLA + timedelta(seconds=1))))[order.pk])
        assert found == ["offered", "offered", "rounds_exhausted"]
        assert Offer.objects.values("master").distinct().count() == 2

    def test_10_10_one_master_is_not_flooded_with_offers(self):
        district = DistrictFactory()
        OrderFactory.create_batch(8, district=district)
        MasterFactory(districts=[district], max_active_orders_override=3)
        for step in range(3):
            engine.tick(now=timezone.now() + step * timedelta(seconds=31))
            assert Offer.objects.filter(state__in=LIVE).count() == 3

    def test_10_26_whoever_serves_five_districts_is_one_candidate_in_the_whole_city(self):
        order = OrderFactory()
        MasterFactory(districts=DistrictFactory.create_batch(5, city=order.city), city=order.city)
        (decision,) = engine.tick().decisions
        assert (decision.citywide, decision.candidates) == (True, 1)

    def test_10_27_orders_that_wait_for_staff_or_for_their_morning_cost_nothing(self):
        def cost() -> int:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                report = engine.tick(now=timezone.now())
            assert report.decisions == []
            return len(queries)

        idle = cost()
        OrderFactory.create_batch(50, dispatch_at=None, escalation_reason="rounds_exhausted", dispatch_round=2,
                                  dist_escalated_logist_at=timezone.now())  # fmt: skip
        OrderFactory.create_batch(50, status="DEFERRED", dispatch_at=timezone.now() + timedelta(hours=9))
        assert cost() == idle

    def test_10_28_all_due_orders_are_served_in_one_tick(self):
        district = DistrictFactory()
        OrderFactory.create_batch(250, district=district)
        MasterFactory.create_batch(6, districts=[district], max_active_orders_override=50)
        assert Counter(decisions(engine.tick()).values()) == {"offered": 250}

    def test_10_29_a_tick_talks_to_nobody_but_the_database(self, monkeypatch: pytest.MonkeyPatch):
        order = OrderFactory()
        logist_of(order)
        MasterFactory(districts=[OrderFactory().district])
        engine.tick(now=timezone.now() - timedelta(hours=1))  # connections are open from here on

        def forbidden(*_args: object) -> None:
            raise AssertionError("the tick opened a connection")

        with monkeypatch.context() as alone:
            alone.setattr("socket.socket.connect", forbidden)
            found = sorted(decisions(engine.tick()).values())
        assert found == ["no_candidates", "offered"]


@pytest.mark.django_db
class TestFair:
    """Who is asked, and who may ask."""

    def test_10_06_declining_an_accepted_order_changes_nothing(self):
        offer = OfferFactory()
        offers.accept(offer_id=offer.pk, actor=as_master(offer.master))
        with pytest.raises(ConflictError) as caught:
            offers.decline(offer_id=offer.pk, actor=as_master(offer.master))
        offer.refresh_from_db()
        assert (caught.value.code, offer.state) == ("already_yours", "ACCEPTED")
        assert Order.objects.get().status == "ASSIGNED"

    def test_10_06_declining_leaves_the_same_master_s_earlier_offers_as_they_were(self):
        old = OfferFactory(state="EXPIRED", close_reason="expired")
        new = OfferFactory(order=old.order, master=old.master)
        offers.decline(offer_id=new.pk, actor=as_master(new.master))
        old.refresh_from_db()
        assert old.state == "EXPIRED"

    def test_10_08_after_a_refusal_the_guarantee_visit_goes_on_and_its_master_is_blocked(self):
        own = MasterFactory()
        order = OrderFactory(city=own.city, type="GUARANTEE", status="GUARANTEE", preferred_master=own)
        other = MasterFactory(districts=[order.district], has_vehicle=True)
        now = timezone.now()
        engine.tick(now=now)
        assert offered(order) == [own.pk]
        offer = Offer.objects.get()
        offers.mark_delivered(offer_id=offer.pk, now=now)
        offers.decline(offer_id=offer.pk, actor=as_master(own), now=now)
        engine.nudge(now=now)
        assert offered(order) == [other.pk]
        own.refresh_from_db()
        assert (own.is_blocked, own.blocked_reason) == (True, "guarantee_refusal")

    def test_10_08_a_master_who_cannot_come_again_is_passed_over_without_a_block(self):
        own = MasterFactory(shift_status="SHIFT_OFF")
        order = OrderFactory(city=own.city, type="GUARANTEE", status="GUARANTEE", preferred_master=own)
        other = MasterFactory(districts=[order.district])
        engine.tick()
        own.refresh_from_db()
        assert (offered(order), own.is_blocked) == ([other.pk], False)

    def test_10_08_a_guarantee_visit_without_a_master_of_its_own_lapses_like_any_other(self):
        offer = OfferFactory(order__type="GUARANTEE", order__status="GUARANTEE", order__preferred_master=None)
        assert [o.pk for o in offers.expire_due(now=offer.expires_at)] == [offer.pk]

    def test_10_09_a_deleted_master_is_never_asked(self):
        order = OrderFactory()
        MasterFactory(districts=[order.district], is_deleted=True, is_active=True)
        assert decisions(engine.tick()) == {order.pk: "no_candidates"}

    def test_10_12_one_clock_decides_about_time(self):
        """At one and the same moment an offer can be accepted or has expired, never both, never neither."""
        for moment, in_time in ((-timedelta(microseconds=1), True), (timedelta(0), False)):
            offer = OfferFactory()
            now = offer.expires_at + moment
            assert (offer.pk not in [o.pk for o in offers.expire_due(now=now)]) == in_time
            tap = partial(offers.accept, offer_id=offer.pk, actor=as_master(offer.master), now=now)
            if in_time:
                assert tap().status == "ASSIGNED"
            else:
                with pytest.raises(ConflictError, match="Time is up"):
                    tap()

    @pytest.mark.parametrize("verb", ["cancel", "return", "activate", "offer", "assign", "again", "guarantee"])
    def test_10_13_who_has_left_the_office_can_do_nothing(self, verb: str):
        order = OrderFactory(closed=verb == "guarantee", assigned=verb == "return")
        if verb == "activate":
            Order.objects.update(status="DEFERRED")
        gone = staff(Role.GLOBAL_ADMIN, order.city, is_active=False)
        master = MasterFactory(districts=[order.district])
        who = {"order_id": order.pk, "actor": gone}
        works = {
            "cancel": partial(lifecycle.cancel, **who, reason="because I can"),
            "return": partial(lifecycle.return_to_search, **who, reason="because I can"),
            "activate": partial(lifecycle.activate, **who),
            "offer": partial(manual.offer, **who, master_id=master.pk),
            "assign": partial(manual.assign, **who, master_id=master.pk),
            "again": partial(manual.search_again, **who),
            "guarantee": partial(guarantee.create, source_order_id=order.pk, actor=gone),
        }
        with pytest.raises(NotFoundError):
            works[verb]()

    @pytest.mark.parametrize("state", ["assigned", "in_payment", "closed"])
    def test_10_14_an_order_that_needs_no_master_is_never_offered(self, state: str):
        order = OrderFactory(**{state: True}, dispatch_at=timezone.now())
        MasterFactory(districts=[order.district])
        assert decisions(engine.tick()) == {}
        for verb in (manual.offer, manual.assign):
            with pytest.raises(ConflictError):
                verb(order_id=order.pk, master_id=MasterFactory(city=order.city).pk, actor=admin_of(order))
        with pytest.raises(ConflictError):
            manual.search_again(order_id=order.pk, actor=admin_of(order))
        assert not Offer.objects.exists()


@pytest.mark.django_db
class TestTold:
    """Notices and times."""

    def test_10_17_an_escalation_is_told_once_to_each_however_many_ticks_follow(self):
        order = OrderFactory()
        actors = [logist_of(order), admin_of(order)]
        for step in range(40):
            engine.tick(now=timezone.now() + step * timedelta(seconds=30), rng=Random(0))
        told = Counter(Notification.objects.filter(event__startswith="escalation").values_list("event", "staff_id"))
        assert told == {("escalation_logist", actors[0].staff_id): 1, ("escalation_admin", actors[1].staff_id): 1}

    @pytest.mark.parametrize("act", ["offer", "again"])
    def test_10_19_after_staff_acted_a_second_escalation_is_told_again(self, act: str):
        order, now = OrderFactory(), timezone.now()
        actor, master = logist_of(order), MasterFactory(city=order.city, skills=[])
        engine.tick(now=now)
        if act == "offer":
            manual.offer(order_id=order.pk, master_id=master.pk, actor=actor, confirmed=True, now=now)
        else:
            manual.search_again(order_id=order.pk, actor=actor, now=now)
        engine.tick(now=now + SLA)
        assert Notification.objects.filter(event="escalation_logist", staff_id=actor.staff_id).count() == 2

    def test_10_20_an_order_of_the_evening_without_a_slot_sleeps_until_the_morning(self):
        evening = NOON.replace(hour=21, minute=30)
        order = OrderFactory(status="DEFERRED", dispatch_at=evening)
        Order.objects.update(created_at=evening)
        for hours, status in ((0, "DEFERRED"), (2, "DEFERRED"), (12, "DEFERRED"), (12.5, "SEARCHING")):
            engine.tick(now=evening + timedelta(hours=hours))
            assert Order.objects.get(pk=order.pk).status == status

    def test_10_20_an_afternoon_slot_is_searched_for_from_the_opening_on(self):
        morning = NOON.replace(hour=10)
        slot = {"timeslot_start_utc": NOON.replace(hour=16), "timeslot_end_utc": NOON.replace(hour=19)}
        order = OrderFactory(status="DEFERRED", dispatch_at=morning, **slot)
        engine.tick(now=morning)
        assert Order.objects.get(pk=order.pk).status == "SEARCHING"

    def test_10_21_a_guarantee_visit_made_at_three_in_the_night_waits_for_ten(self):
        source, night = OrderFactory(closed=True), NOON.replace(hour=3)
        order = guarantee.create(source_order_id=source.pk, actor=staff(Role.GLOBAL_ADMIN), now=night)
        assert (order.status, order.dispatch_at) == ("DEFERRED", NOON.replace(hour=10))

    def test_10_22_the_clock_of_the_city_decides_not_the_server_s(self):
        far = CityFactory(timezone="Asia/Vladivostok")
        source = OrderFactory(closed=True, city=far, district=DistrictFactory(city=far))
        two_in_moscow = NOON.replace(hour=2)  # nine there
        order = guarantee.create(source_order_id=source.pk, actor=staff(Role.GLOBAL_ADMIN), now=two_in_moscow)
        assert order.dispatch_at == two_in_moscow + timedelta(hours=1)

    def test_10_24_masters_are_told_by_their_own_bot(self):
        order = OrderFactory(assigned=True)
        lifecycle.return_to_search(order_id=order.pk, actor=admin_of(order), reason="the client waits")
        MasterFactory(districts=[order.district])
        engine.tick()
        told = Notification.objects.filter(master__isnull=False)
        assert {(row.event, row.bot) for row in told} == {("order_withdrawn", "master"), ("offer", "master")}
