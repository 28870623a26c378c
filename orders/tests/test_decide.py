"""What is decided: tables for every outcome, and properties over invented worlds. No database."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.dispatch.decide import decide
from orders.dispatch.values import Config, Decision, DueOrder, LeftOut, Outcome
from orders.tests.worlds import CITY, Man, World

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
NEAR, FAR, OTHER_CITY = 11, 12, 2
ELECTRICS = "ELECTRICS"
USUAL = Config()


def order(number: int = 1, **values) -> DueOrder:
    return DueOrder(
        **{"id": number, "city_id": CITY, "district_id": NEAR, "category": ELECTRICS, "status": "SEARCHING"} | values
    )


def master(number: int, **values) -> Man:
    return Man(number, **values)


def world(orders, masters, *, skilled=None, near=None, far=()) -> World:
    """By default everybody knows electrics and serves the near district."""
    everybody = frozenset(m.id for m in masters)
    return World(
        tuple(orders),
        tuple(masters),
        {ELECTRICS: everybody if skilled is None else frozenset(skilled)},
        {NEAR: everybody if near is None else frozenset(near), FAR: frozenset(far)},
    )


def one(order_: DueOrder, masters, config: Config = USUAL, seed: int = 0, **sets) -> Decision:
    (decision,) = decide(world([order_], masters, **sets).snapshot(), config, NOW, Random(seed))
    return decision


def chosen(decision: Decision) -> list[int]:
    return [m.id for m in decision.masters]


class TestOutcomes:
    def test_an_offer(self):
        found = one(order(), [master(5)])
        assert (found.outcome, chosen(found), found.round, found.rounds_limit, found.candidates) == (
            "offered",
            [5],
            1,
            2,
            1,
        )
        assert found.look_at == NOW + timedelta(seconds=120)

    def test_a_live_offer_is_waited_for(self):
        found = one(order(live_until=NOW + timedelta(seconds=40), round=1), [master(5)])
        assert (found.outcome, chosen(found), found.round) == ("waiting", [], 1)
        assert found.look_at == NOW + timedelta(seconds=40)

    @pytest.mark.parametrize("late", [0, 1, 500])
    def test_an_overdue_offer_that_is_still_there_is_looked_at_in_a_second(self, late):
        found = one(order(live_until=NOW - timedelta(seconds=late)), [master(5)])
        assert (found.outcome, found.look_at) == ("waiting", NOW + timedelta(seconds=1))

    def test_no_district(self):
        found = one(order(district_id=None), [master(5)])
        assert (found.outcome, chosen(found), found.look_at) == ("no_district", [], None)

    def test_no_active_skill_for_the_category(self):
        found = one(order(category="ROADSIDE"), [master(5)])
        assert (found.outcome, found.look_at) == ("no_category", None)

    @pytest.mark.parametrize(("used", "frozen"), [(2, None), (3, None), (1, 1)])
    def test_all_rounds_are_used(self, used, frozen):
        found = one(order(round=used, rounds_limit=frozen), [master(5)])
        assert (found.outcome, chosen(found), found.look_at) == ("rounds_exhausted", [], None)

    def test_a_search_keeps_the_rounds_it_began_with(self):
        found = one(order(round=2, rounds_limit=3), [master(5)], Config(rounds=2))
        assert (found.outcome, found.round, found.rounds_limit) == ("offered", 3, 3)

    def test_nobody_is_able(self):
        found = one(order(), [])
        assert (found.outcome, found.candidates, found.citywide) == ("no_candidates", 0, True)
        assert found.look_at == NOW + timedelta(seconds=30)

    def test_which_outcomes_staff_must_hear_of(self):
        assert {outcome for outcome in Outcome if outcome.escalates} == {
            "no_candidates", "rounds_exhausted", "no_district", "no_category"
        }  # fmt: skip

    def test_the_parameters_count(self):
        config = Config(sla_seconds=60, rounds=3, tick_seconds=5)
        assert one(order(), [master(5)], config).look_at == NOW + timedelta(seconds=60)
        assert one(order(), [master(5)], config).rounds_limit == 3
        assert one(order(), [], config).look_at == NOW + timedelta(seconds=5)


class TestRanking:
    @pytest.mark.parametrize(
        ("better", "worse"),
        [
            ({"vehicle": True}, {"average": 900_000, "rating": 5.0}),
            ({"average": 500_001}, {"average": 500_000, "rating": 5.0}),
            ({"average": 500_000, "rating": 4.9}, {"average": 500_000, "rating": 4.8}),
        ],
    )
    @pytest.mark.parametrize("seed", range(3))
    def test_vehicle_then_average_check_then_rating(self, better, worse, seed):
        found = one(order(), [master(1, **{"rating": 4.0} | worse), master(2, **{"rating": 4.0} | better)], seed=seed)
        assert [m.id for m in found.top] == [2, 1]

    def test_equals_are_drawn_by_lot(self):
        firsts = {
            chosen(one(order(), [master(1, rating=4.71), master(2, rating=4.69)], seed=seed))[0] for seed in range(20)
        }
        assert firsts == {1, 2}

    def test_the_log_holds_the_best_ones(self):
        found = one(order(), [master(n, average=n) for n in range(1, 21)], Config(log_topn=3))
        assert ([m.id for m in found.top], found.candidates) == ([20, 19, 18], 20)


class TestDistrict:
    def test_the_district_comes_first(self):
        found = one(order(), [master(1), master(2, vehicle=True)], near=[1])
        assert (chosen(found), found.citywide, found.candidates) == ([1], False, 1)
        assert found.left_out_ids == {LeftOut.DISTRICT: (2,)}

    def test_nobody_there_means_the_whole_city_in_the_same_step(self):
        found = one(order(), [master(1)], near=[])
        assert (chosen(found), found.citywide) == ([1], True)

    @pytest.mark.parametrize("values", [{"free": 0}, {"bar": LeftOut.OFF_SHIFT}])
    def test_somebody_who_cannot_is_nobody(self, values):
        found = one(order(), [master(1, **values), master(2)], near=[1])
        assert (chosen(found), found.citywide) == ([2], True)

    def test_the_setting_may_forbid_it(self):
        found = one(order(), [master(1)], Config(citywide_fallback=False), near=[])
        assert (found.outcome, found.citywide, found.left_out_ids) == ("no_candidates", False, {LeftOut.DISTRICT: (1,)})

    def test_another_city_is_never_asked(self):
        assert one(order(), [master(1, city_id=OTHER_CITY)]).outcome == "no_candidates"


class TestLeftOut:
    @pytest.mark.parametrize("bar", [bar for bar in LeftOut if bar not in {LeftOut.LIMIT, LeftOut.ASKED}])
    def test_a_bar_is_named(self, bar):
        assert one(order(), [master(1, bar=bar)]).left_out_ids == {bar: (1,)}

    def test_the_skill_is_named_before_the_district(self):
        assert one(order(), [master(1)], skilled=[], near=[]).left_out_ids == {LeftOut.SKILL: (1,)}

    def test_asked_and_full_masters_are_named(self):
        found = one(order(asked=[1, 2]), [master(1), master(2), master(3, free=0), master(4, free=-1)])
        assert {reason: sorted(ids) for reason, ids in found.left_out_ids.items()} == {
            LeftOut.ASKED: [1, 2],
            LeftOut.LIMIT: [3, 4],
        }

    def test_a_place_given_away_a_moment_ago_counts(self):
        first, second = decide(world([order(1), order(2)], [master(5, free=1)]).snapshot(), Config(), NOW, Random(0))
        assert (chosen(first), second.outcome, second.left_out_ids) == ([5], "no_candidates", {LeftOut.LIMIT: (5,)})

    def test_full_ones_of_before_and_of_now_are_named_together(self):
        _first, second = decide(
            world([order(1), order(2)], [master(5, free=1), master(6, free=0)]).snapshot(), Config(), NOW, Random(0)
        )
        assert {reason: sorted(ids) for reason, ids in second.left_out_ids.items()} == {LeftOut.LIMIT: [5, 6]}


class TestGuarantee:
    def visit(self, **values) -> DueOrder:
        return order(**{"guarantee": True, "preferred_master_id": 1, "status": "GUARANTEE"} | values)

    def test_the_master_whose_work_it_is_is_asked_first_and_alone(self):
        found = one(self.visit(), [master(1), master(2, vehicle=True)], Config(offers_per_round=3))
        assert chosen(found) == [1]

    def test_he_is_asked_although_he_serves_another_district(self):
        found = one(self.visit(), [master(1), master(2, vehicle=True)], near=[2])
        assert (chosen(found), found.citywide, found.left_out_ids) == ([1], False, {})

    @pytest.mark.parametrize("values", [{"bar": LeftOut.OFF_SHIFT}, {"free": 0}, {"bar": LeftOut.BLOCKED}])
    def test_if_he_cannot_the_others_are_asked(self, values):
        assert chosen(one(self.visit(), [master(1, **values), master(2)])) == [2]

    def test_if_he_lacks_the_skill_the_others_are_asked(self):
        assert chosen(one(self.visit(), [master(1), master(2)], skilled=[2])) == [2]

    def test_he_is_not_asked_twice(self):
        found = one(self.visit(asked=frozenset({1}), round=1), [master(1), master(2)])
        assert (chosen(found), found.round) == ([2], 2)

    def test_an_ordinary_order_has_no_favourite(self):
        assert chosen(one(order(preferred_master_id=1), [master(1), master(2, vehicle=True)])) == [2]


def test_two_offers_a_round_go_to_the_two_best():
    masters = [master(n, average=n) for n in (1, 2, 3)]
    found = one(order(), masters, Config(offers_per_round=2))
    assert (chosen(found), found.round) == ([3, 2], 1)
    assert chosen(one(order(), [master(1)], Config(offers_per_round=2))) == [1]


def test_orders_are_served_in_the_order_given():
    decisions = decide(world([order(3), order(1), order(2)], [master(5, free=2)]).snapshot(), Config(), NOW, Random(0))
    assert [(d.order.id, chosen(d)) for d in decisions] == [(3, [5]), (1, [5]), (2, [])]


# --- properties ------------------------------------------------------------------------------------------------------
CITIES, DISTRICTS, CATEGORIES, IDS = [1, 2], [11, 12, 21], ["ELECTRICS", "WINDOWS", "ROADSIDE"], range(1, 13)
BARS = [None] * 6 + [bar for bar in LeftOut if bar not in {LeftOut.LIMIT, LeftOut.ASKED}]
candidates = st.builds(
    Man, id=st.sampled_from(IDS), city_id=st.sampled_from(CITIES), vehicle=st.booleans(),
    average=st.integers(0, 3), rating=st.sampled_from([4.0, 4.5, 5.0]), free=st.integers(-1, 3),
    bar=st.sampled_from(BARS),
)  # fmt: skip
due_orders = st.builds(
    DueOrder, id=st.integers(1, 10**6), city_id=st.sampled_from(CITIES),
    district_id=st.sampled_from([None, *DISTRICTS]), category=st.sampled_from(CATEGORIES),
    status=st.just("SEARCHING"), round=st.integers(0, 3),
    rounds_limit=st.sampled_from([None, 1, 2, 3]), guarantee=st.booleans(),
    preferred_master_id=st.sampled_from([None, *IDS]), asked=st.frozensets(st.sampled_from(IDS), max_size=4),
    live_until=st.sampled_from([None, None, None, NOW - timedelta(1), NOW, NOW + timedelta(seconds=50)]),
    escalated=st.booleans(),
)  # fmt: skip
some_masters = st.frozensets(st.sampled_from(IDS))
worlds = st.builds(
    World,
    orders=st.lists(due_orders, max_size=12, unique_by=lambda o: o.id).map(tuple),
    masters=st.lists(candidates, max_size=12, unique_by=lambda m: m.id).map(tuple),
    with_skill=st.dictionaries(st.sampled_from(CATEGORIES), some_masters),
    in_district=st.dictionaries(st.sampled_from(DISTRICTS), some_masters),
)
configs = st.builds(
    Config, sla_seconds=st.integers(5, 300), rounds=st.integers(1, 4), offers_per_round=st.integers(1, 3),
    citywide_fallback=st.booleans(), tick_seconds=st.integers(1, 60), log_topn=st.integers(0, 5),
)  # fmt: skip


def able(world: World, asked: DueOrder, free: Counter, *, district: bool) -> set[int]:
    """Written from the specification, apart from the code: who could take this order now."""
    near = world.in_district.get(asked.district_id, frozenset())
    return {
        m.id for m in world.masters
        if m.city_id == asked.city_id and m.bar is None and m.id in world.with_skill.get(asked.category, ())
        and free[m.id] > 0 and m.id not in asked.asked and (not district or m.id in near)
    }  # fmt: skip


@settings(max_examples=250)
@given(worlds, configs, st.integers(0, 5))
def test_whatever_the_world_the_rules_hold(world, config, seed):
    decisions = decide(world.snapshot(), config, NOW, Random(seed))
    assert [d.order for d in decisions] == list(world.orders)  # each order once, in its turn
    free = Counter({m.id: m.free for m in world.masters})
    rank = {m.id: (m.vehicle, m.average, m.rating) for m in world.masters}
    for d in decisions:
        assert d.look_at is None or d.look_at > NOW
        assert (d.look_at is None) == (d.outcome in {"no_district", "no_category", "rounds_exhausted"})
        assert bool(d.masters) == (d.outcome == "offered")
        ids = [m.id for m in d.masters]
        assert len(set(ids)) == len(ids) <= config.offers_per_round
        limit = config.rounds if d.order.rounds_limit is None else d.order.rounds_limit
        assert d.rounds_limit == limit
        if d.outcome in {"offered", "no_candidates"}:
            near, city = able(world, d.order, free, district=True), able(world, d.order, free, district=False)
            owner = d.order.preferred_master_id if d.order.guarantee else None
            assert d.order.round < limit
            if d.outcome == "no_candidates":
                assert not near
                assert not city or (not config.citywide_fallback and owner not in city)
            else:
                assert set(ids) <= city  # able, not asked before in this search, never above his limit
                assert set(ids) <= near or ids == [owner] or (not near and d.citywide and config.citywide_fallback)
                assert owner not in city or ids == [owner]  # the master whose work it is goes first, alone
                rest = (near or city) - set(ids)
                if ids != [owner]:
                    assert [rank[i] for i in ids] == sorted((rank[i] for i in ids), reverse=True)
                    assert all(rank[ids[-1]] >= rank[other] for other in rest)
                    assert len(ids) == config.offers_per_round or not rest
                assert d.round == d.order.round + 1
            named = [i for group in d.left_out_ids.values() for i in group]
            assert len(named) == len(set(named))
            assert not set(named) & set(ids)
        free.subtract(ids)
    assert all(free[m.id] >= min(0, m.free) for m in world.masters)


@given(worlds, configs)
def test_the_same_chance_decides_the_same(world, config):
    assert decide(world.snapshot(), config, NOW, Random(1)) == decide(world.snapshot(), config, NOW, Random(1))
