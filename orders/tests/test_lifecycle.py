"""The table of transitions: the legal ones are written with history, all others are refused and write nothing."""

from __future__ import annotations

from itertools import product

import pytest
from django.utils import timezone

from fieldservice.lib.errors import ConflictError, ForbiddenError, NotFoundError
from orders.enums import OrderStatus, OrderType
from orders.models import Order, OrderStatusHistory
from orders.services import lifecycle
from orders.tests.factories import OrderFactory
from orders.tests.people import of_kind, staff
from staff.enums import Role

pytestmark = pytest.mark.django_db

#: the specification's table, §3: (from, to) → who may
LEGAL = {
    ("CREATED", "SEARCHING"): {"staff", "system"},
    ("CREATED", "DEFERRED"): {"staff", "system"},
    ("CREATED", "GUARANTEE"): {"staff", "system"},
    ("DEFERRED", "SEARCHING"): {"staff", "system"},
    ("DEFERRED", "GUARANTEE"): {"staff", "system"},
    ("SEARCHING", "ASSIGNED"): {"staff", "master"},
    ("GUARANTEE", "ASSIGNED"): {"staff", "master"},
    ("ASSIGNED", "EN_ROUTE"): {"master"},
    ("EN_ROUTE", "WORKING"): {"master"},
    ("WORKING", "PAYMENT"): {"master"},
    ("WORKING", "CLOSED"): {"master"},
    ("PAYMENT", "CLOSED"): {"staff"},
    ("ASSIGNED", "SEARCHING"): {"staff"},
    ("ASSIGNED", "GUARANTEE"): {"staff"},
    ("EN_ROUTE", "SEARCHING"): {"staff"},
    ("EN_ROUTE", "GUARANTEE"): {"staff"},
    ("WORKING", "SEARCHING"): {"staff"},
    ("WORKING", "GUARANTEE"): {"staff"},
    ("CREATED", "CANCELED"): {"staff"},
    ("SEARCHING", "CANCELED"): {"staff"},
    ("GUARANTEE", "CANCELED"): {"staff"},
    ("DEFERRED", "CANCELED"): {"staff"},
    ("ASSIGNED", "CANCELED"): {"staff"},
    ("EN_ROUTE", "CANCELED"): {"staff"},
    ("WORKING", "CANCELED"): {"staff"},
}
KINDS = ("staff", "master", "system")


def move(order: Order, to: str, kind: str) -> Order:
    actor = of_kind(kind, order)
    return lifecycle.move(order, OrderStatus(to), actor=actor, reason="why", now=timezone.now(), context={"n": 1})


@pytest.mark.parametrize(
    ("source", "target", "kind"), [(s, t, k) for (s, t), kinds in LEGAL.items() for k in sorted(kinds)]
)
def test_a_legal_transition_is_written_with_its_history(source, target, kind):
    order = OrderFactory(assigned=True, status=source, version=4)
    move(order, target, kind)
    order.refresh_from_db()
    assert (order.status, order.version) == (target, 5)
    row = OrderStatusHistory.objects.get()
    assert (row.from_status, row.to_status, row.reason) == (source, target, "why")
    assert row.actor_type == {"staff": "ADMIN", "master": "MASTER", "system": "SYSTEM"}[kind]
    assert (row.changed_by_staff_id is not None, row.changed_by_master_id is not None) == (
        kind == "staff",
        kind == "master",
    )
    assert row.context["n"] == 1


@pytest.mark.parametrize("source", OrderStatus.values)
def test_every_other_transition_is_refused_and_writes_nothing(source):
    order = OrderFactory(assigned=True, status=source)
    before = Order.objects.values().get()
    refused = [
        (target, kind)
        for target, kind in product(OrderStatus.values, KINDS)
        if kind not in LEGAL.get((source, target), ())
    ]
    for target, kind in refused:
        order.refresh_from_db()
        wrong = ForbiddenError if (source, target) in LEGAL else ConflictError
        with pytest.raises(wrong):
            move(order, target, kind)
    assert len(refused) == 30 - sum(len(kinds) for (s, _t), kinds in LEGAL.items() if s == source)
    assert Order.objects.values().get() == before
    assert not OrderStatusHistory.objects.exists()


def test_the_table_is_the_specification_s():
    assert {(str(s), str(t)): set(kinds) for (s, t), kinds in lifecycle.TRANSITIONS.items()} == LEGAL


def test_final_states_lead_nowhere():
    assert not [pair for pair in lifecycle.TRANSITIONS if pair[0] in OrderStatus.FINAL]


def test_a_refusal_says_what_the_order_is_now():
    order = OrderFactory(closed=True)
    with pytest.raises(ConflictError, match=rf"Order #{order.pk} is «Closed» now: this is no longer possible\."):
        move(order, "SEARCHING", "staff")


def test_a_missing_order_is_not_found():
    with pytest.raises(NotFoundError, match=r"There is no order #4242\."):
        lifecycle.lock(4242)
    with pytest.raises(NotFoundError):
        lifecycle.lock(10**30)


class TestBeginSearch:
    @pytest.mark.parametrize(("kind", "status"), [("NORMAL", "SEARCHING"), ("GUARANTEE", "GUARANTEE")])
    def test_the_type_decides_the_status(self, kind, status):
        order = OrderFactory(status="DEFERRED", type=kind)
        lifecycle.begin_search(order, actor=staff(Role.GLOBAL_ADMIN), reason="go", now=timezone.now())
        assert Order.objects.get().status == status

    def test_it_starts_afresh(self):
        now = timezone.now()
        marks = dict.fromkeys(
            ("dist_escalated_logist_at", "dist_escalated_admin_at", "escalation_logist_notified_at"), now
        )
        order = OrderFactory(
            status="DEFERRED", dispatch_round=2, rounds_limit=2, dispatch_error="x", escalation_reason="y", **marks
        )
        lifecycle.begin_search(order, actor=staff(Role.GLOBAL_ADMIN), reason="go", now=now)
        order = Order.objects.get()
        assert (order.dispatch_at, order.search_started_at) == (now, now)
        assert (order.dispatch_round, order.rounds_limit, order.dispatch_error) == (0, None, None)
        assert {getattr(order, mark) for mark in marks} | {order.escalation_reason} == {None}


@pytest.mark.parametrize(
    ("values", "guarantee"),
    [({}, False), ({"type": OrderType.GUARANTEE}, True), ({"guarantee_source_order_id": 1}, True)],
)
def test_a_guarantee_visit_is_known_by_its_type_or_its_source(values, guarantee):
    assert lifecycle.is_guarantee(OrderFactory.build(city=None, district=None, **values)) is guarantee
