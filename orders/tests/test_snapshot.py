"""What the engine reads: due orders in their priority, and why each master is, or is not, a candidate."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from fieldservice.runtime.models import Setting
from geo.tests.factories import CityFactory, DistrictFactory
from orders.dispatch.decide import decide
from orders.dispatch.snapshot import claim, load, load_config
from orders.dispatch.values import Candidate, Config, LeftOut
from orders.models import Order
from orders.selectors import average_checks
from orders.tests.factories import OfferFactory, OrderFactory
from staff.models import Skill
from staff.tests.factories import MasterFactory, SkillFactory

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def due(**options) -> list[int]:
    """The claimed orders, in their order."""
    with transaction.atomic():
        return [order.id for order in claim(now=timezone.now(), limit=100, **options)]


def look(order: Order, config: Config | None = None):
    """(masters asked, left out by reason) for one order."""
    from random import Random

    now = timezone.now()
    with transaction.atomic():
        claimed = claim(now=now, limit=1, only=order.pk)
        config = config or load_config()
        (decision,) = decide(load(claimed, config=config, now=now), config, now, Random(0))
    return [m.id for m in decision.masters], {reason: list(ids) for reason, ids in decision.left_out_ids.items()}


class TestClaim:
    def test_the_most_urgent_come_first(self):
        now = timezone.now()
        city = CityFactory()
        slot = {"timeslot_start_utc": now - MINUTE, "timeslot_end_utc": now + MINUTE}
        later = {"timeslot_start_utc": now + MINUTE, "timeslot_end_utc": now + 2 * MINUTE}
        wanted = [
            OrderFactory(city=city, dist_escalated_logist_at=now, dist_escalated_admin_at=now),
            OrderFactory(city=city, type="GUARANTEE", status="GUARANTEE", dist_escalated_logist_at=now),
            OrderFactory(city=city, type="GUARANTEE", status="GUARANTEE"),
            OrderFactory(city=city, **slot),
            OrderFactory(city=city, dist_escalated_logist_at=now, **later),
            OrderFactory(city=city, created_at=now - 5 * MINUTE),
            OrderFactory(city=city, created_at=now - 4 * MINUTE, **later),
            OrderFactory(city=city, created_at=now - 4 * MINUTE),
        ]
        assert due() == [order.pk for order in wanted]

    def test_what_is_not_due_is_left_alone(self):
        for values in (
            {"dispatch_at": timezone.now() + MINUTE},
            {"dispatch_at": None},
            {"assigned": True, "status": "SEARCHING"},
            *({"status": status} for status in ("CREATED", "DEFERRED", "ASSIGNED", "PAYMENT", "CLOSED", "CANCELED")),
        ):
            OrderFactory(**values)
        assert due() == []

    def test_one_may_be_named_and_some_skipped(self):
        first, second, third = OrderFactory.create_batch(3)
        assert due(only=second.pk) == [second.pk]
        assert due(skip=[first.pk]) == [second.pk, third.pk]

    def test_the_limit_takes_the_most_urgent(self):
        plain, urgent = OrderFactory(), OrderFactory(type="GUARANTEE", status="GUARANTEE")
        with transaction.atomic():
            assert [order.id for order in claim(now=timezone.now(), limit=1)] == [urgent.pk]
        assert due() == [urgent.pk, plain.pk]

    def test_it_knows_the_search(self):
        order = OrderFactory(search_number=2, dispatch_round=1, rounds_limit=3, escalation_reason="no_candidates")
        now = timezone.now()
        this = OfferFactory(order=order, search_number=2, state="DECLINED")
        OfferFactory(order=order, search_number=1, state="DECLINED")
        byhand = OfferFactory(order=order, search_number=2, is_manual=True, sent_at=now)
        with transaction.atomic():
            (found,) = claim(now=now, limit=1)
        assert (found.search_number, found.round, found.rounds_limit) == (2, 1, 3)
        assert set(found.asked) == {this.master_id, byhand.master_id}
        assert found.live_until == byhand.expires_at

    def test_an_old_live_offer_is_waited_for(self):
        old = OfferFactory(order__search_number=2, search_number=1)
        with transaction.atomic():
            (found,) = claim(now=timezone.now(), limit=1)
        assert (found.asked, found.live_until) == ([], old.expires_at)

    def test_a_live_offer_without_a_deadline_has_its_sla(self):
        old = OfferFactory(expires_at=None)
        with transaction.atomic():
            (found,) = claim(now=timezone.now(), limit=1)
        assert found.live_until == old.sent_at + timedelta(seconds=120)

    def test_the_master_of_a_stray_accepted_offer_is_not_asked_again(self):
        stray = OfferFactory(state="ACCEPTED", order__search_number=2)
        with transaction.atomic():
            (found,) = claim(now=timezone.now(), limit=1)
        assert found.asked == [stray.master_id]

    @pytest.mark.parametrize(
        "values", [{"district": None}, {"no_district": True}, {"district": None, "no_district": False}]
    )
    def test_either_sign_means_no_district(self, values):
        OrderFactory(**values)
        with transaction.atomic():
            (found,) = claim(now=timezone.now(), limit=1)
        assert found.district_id is None


class TestEligibility:
    """One order; a master who is able; the same master with one thing wrong."""

    def test_an_able_master_is_asked(self):
        order = OrderFactory()
        master = MasterFactory(districts=[order.district])
        assert look(order) == ([master.pk], {})

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ({"moderation_status": "PENDING"}, LeftOut.NOT_VERIFIED),
            ({"moderation_status": "REJECTED"}, LeftOut.NOT_VERIFIED),
            ({"is_blocked": True}, LeftOut.BLOCKED),
            ({"is_active": False}, LeftOut.INACTIVE),
            ({"shift_status": "SHIFT_OFF"}, LeftOut.OFF_SHIFT),
            ({"shift_status": "BREAK"}, LeftOut.ON_BREAK),
            ({"break_until": timezone.now() + timedelta(hours=1)}, LeftOut.ON_BREAK),
            ({"tg_user_id": None}, LeftOut.UNREACHABLE),
            ({"unreachable_at": timezone.now()}, LeftOut.UNREACHABLE),
            ({"skills": []}, LeftOut.SKILL),
            ({"skills": ["PLUMBING"]}, LeftOut.SKILL),
            ({"max_active_orders_override": 0}, LeftOut.LIMIT),
        ],
    )
    def test_one_thing_is_wrong(self, values, reason):
        order = OrderFactory()
        master = MasterFactory(**{"districts": [order.district]} | values)
        assert look(order) == ([], {reason: [master.pk]})

    def test_a_break_that_is_over_does_not_bar_a_master_on_shift(self):
        order = OrderFactory()
        master = MasterFactory(districts=[order.district], break_until=timezone.now() - MINUTE)
        assert look(order)[0] == [master.pk]

    def test_a_deleted_master_is_not_even_named(self):
        order = OrderFactory()
        MasterFactory(districts=[order.district], is_deleted=True)
        assert look(order) == ([], {})

    def test_another_city_s_master_is_not_even_named(self):
        order = OrderFactory()
        MasterFactory(districts=[DistrictFactory()])
        MasterFactory(city=None)
        assert look(order) == ([], {})

    def test_another_district_comes_after_nobody_here(self):
        order = OrderFactory()
        master = MasterFactory(districts=[DistrictFactory(city=order.city)])
        assert look(order, Config(citywide_fallback=False)) == ([], {LeftOut.DISTRICT: [master.pk]})
        assert look(order) == ([master.pk], {})

    def test_a_master_of_many_districts_is_one_candidate(self):
        order = OrderFactory()
        master = MasterFactory(districts=[order.district, *DistrictFactory.create_batch(3, city=order.city)])
        assert look(order, Config(offers_per_round=5)) == ([master.pk], {})

    def test_a_switched_off_skill_is_nobody_s(self):
        order = OrderFactory()
        MasterFactory(districts=[order.district])
        SkillFactory(code="ELECTRICS")
        Skill.objects.filter(code="ELECTRICS").update(is_active=False)
        with transaction.atomic():
            snapshot = load(claim(now=timezone.now(), limit=1), config=Config(), now=timezone.now())
        assert "ELECTRICS" not in snapshot.categories

    @pytest.mark.parametrize("status", ["ASSIGNED", "EN_ROUTE", "WORKING", "PAYMENT"])
    def test_active_orders_and_live_offers_fill_the_places(self, status):
        order = OrderFactory()
        master = MasterFactory(districts=[order.district], max_active_orders_override=2)
        OrderFactory(city=order.city, status=status, assigned_master=master)
        assert look(order)[0] == [master.pk]
        OfferFactory(order__city=order.city, order__dispatch_at=None, master=master)
        assert look(order) == ([], {LeftOut.LIMIT: [master.pk]})

    def test_done_orders_and_closed_offers_do_not(self):
        order = OrderFactory()
        master = MasterFactory(districts=[order.district], max_active_orders_override=1)
        for status in ("CLOSED", "CANCELED"):
            OrderFactory(city=order.city, status=status, assigned_master=master)
        for state in ("DECLINED", "EXPIRED", "CANCELED"):
            OfferFactory(order__city=order.city, order__dispatch_at=None, master=master, state=state)
        assert look(order)[0] == [master.pk]

    @pytest.mark.parametrize(("setting", "asked"), [("1", False), ("2", True), ("0", False)])
    def test_the_common_limit_is_the_setting(self, setting, asked):
        Setting.objects.create(key="max_active_orders", value=setting)
        order = OrderFactory()
        master = MasterFactory(districts=[order.district])
        OrderFactory(city=order.city, status="WORKING", assigned_master=master)
        assert (look(order)[0] == [master.pk]) is asked

    def test_he_was_asked_already(self):
        order = OrderFactory()
        offer = OfferFactory(order=order, state="EXPIRED", master=MasterFactory(districts=[order.district]))
        assert look(order) == ([], {LeftOut.ASKED: [offer.master_id]})

    def test_a_new_search_asks_him_again(self):
        order = OrderFactory(search_number=2)
        offer = OfferFactory(order=order, state="EXPIRED", master=MasterFactory(districts=[order.district]))
        assert look(order)[0] == [offer.master_id]


class TestAverageCheck:
    """One definition for ranking, commission rate and cards."""

    def history(self, master, total: str, *, days: int = 1, **values) -> None:
        created = timezone.now() - timedelta(days=days)
        order = OrderFactory(closed=True, city=master.city, assigned_master=master, total_sum=Decimal(total), **values)
        Order.objects.filter(pk=order.pk).update(created_at=created)

    def test_the_mean_of_a_week_s_normal_orders(self):
        master = MasterFactory()
        self.history(master, "1000")
        self.history(master, "2000.01", status="PAYMENT")
        self.history(master, "9999", days=8)
        self.history(master, "9999", type="GUARANTEE")
        self.history(master, "9999", status="CANCELED")
        self.history(master, "9999", status="WORKING")
        self.history(MasterFactory(city=master.city), "9999")
        order = OrderFactory(city=master.city)
        now = timezone.now()
        with transaction.atomic():
            snapshot = load(claim(now=now, limit=1, only=order.pk), config=Config(), now=now)
        city = snapshot.cities[master.city_id]
        kopecks = Candidate.of(master.pk, city.worth[city.ids.index(master.pk)]).average
        assert average_checks([master.pk], now=now) == {master.pk: Decimal("1500.005")}
        assert kopecks in (150000, 150001)

    def test_the_higher_average_is_asked_first(self):
        order = OrderFactory()
        masters = MasterFactory.create_batch(3, districts=[order.district])
        for master, total in zip(masters, ("3000", "7000", "5000"), strict=True):
            self.history(master, total)
        assert look(order, Config(offers_per_round=3))[0] == [masters[1].pk, masters[2].pk, masters[0].pk]


class TestConfig:
    def test_the_defaults(self):
        assert load_config() == Config(120, 2, 1, 5, True, 30, 10, 10)

    def test_broken_settings_fall_back(self):
        for key in ("distribution_rounds", "distribution_sla_seconds", "max_active_orders", "offers_per_round"):
            Setting.objects.create(key=key, value="many")
        Setting.objects.create(key="citywide_fallback", value="no")
        assert load_config() == Config(citywide_fallback=False)

    def test_it_costs_one_query(self, django_assert_num_queries):
        with django_assert_num_queries(1):
            load_config()


def test_the_number_of_queries_does_not_depend_on_the_world(django_assert_num_queries):
    order = OrderFactory()
    for count in (1, 10):
        OrderFactory.create_batch(count, city=order.city, district=order.district)
        MasterFactory.create_batch(count, districts=[order.district])
        with transaction.atomic(), django_assert_num_queries(4):  # orders, changes, coverage, masters
            load(claim(now=timezone.now(), limit=100), config=Config(), now=timezone.now())


@pytest.mark.parametrize("rating", [0, 3.14, 4.86, 5])
@pytest.mark.parametrize("average", [0, Decimal("0.01"), Decimal("99999999.99")])
@pytest.mark.parametrize("vehicle", [False, True])
def test_the_database_and_the_candidate_say_the_same_worth(rating, average, vehicle):
    master = MasterFactory(rating=rating, has_vehicle=vehicle)
    OrderFactory(closed=True, city=master.city, assigned_master=master, total_sum=average)
    order = OrderFactory(city=master.city)
    now = timezone.now()
    with transaction.atomic():
        city = load(claim(now=now, limit=1, only=order.pk), config=Config(), now=now).cities[master.city_id]
    (worth,) = city.worth
    assert worth == Candidate(master.pk, vehicle, int(average * 100), rating).worth
    assert Candidate.of(master.pk, worth) == (master.pk, vehicle, average * 100, round(rating, 1))
