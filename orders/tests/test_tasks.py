"""Events wake the engine: the first offer does not wait for the next tick."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery.app.base import Celery
from django.utils import timezone

from fieldservice.celery import app, timetable
from orders import tasks
from orders.models import Offer, Order
from orders.services import intake, lifecycle, manual, offers
from orders.tests.factories import OfferFactory, OrderFactory
from orders.tests.people import admin_of, as_master, logist_of
from staff.services import shifts
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(monkeypatch, django_capture_on_commit_callbacks):
    """What is sent to the broker after a commit runs at once, as in a worker. Called with a work, returns the tasks."""
    started: list[tuple[str, dict]] = []

    def run(self: Celery, name: str, kwargs: dict, **options: object) -> None:
        started.append((name, kwargs))
        app.tasks[name].apply(kwargs=kwargs, throw=True)

    monkeypatch.setattr(Celery, "send_task", run)

    def after(work) -> list[tuple[str, dict]]:
        with django_capture_on_commit_callbacks(execute=True):
            work()
        return started

    return after


def offered(order: Order) -> bool:
    return Offer.objects.filter(order=order, state="SENT").exists()


def test_a_new_order_is_offered_at_once(worker):
    master = MasterFactory(districts=[OrderFactory(status="CLOSED").district])
    new = intake.NewOrder(
        city_id=master.city_id,
        district_id=master.districts.get().pk,
        client_phone="+79991234567",
        category="ELECTRICS",
    )
    noon = timezone.now().replace(hour=9, minute=0)  # Moscow's noon: the window is open
    started = worker(lambda: intake.create(new=new, actor=logist_of(Order.objects.get()), now=noon))
    assert started == [("orders.tasks.nudge", {"city_id": None})]


def test_a_decline_asks_the_next_master_at_once(worker):
    offer = OfferFactory()
    MasterFactory(districts=[offer.order.district])
    worker(lambda: offers.decline(offer_id=offer.pk, actor=as_master(offer.master)))
    assert offered(offer.order)


def test_an_unreachable_master_makes_room_at_once(worker):
    offer = OfferFactory()
    MasterFactory(districts=[offer.order.district])
    worker(lambda: offers.undeliverable(offer_id=offer.pk))
    assert offered(offer.order)


def test_a_returned_order_is_offered_at_once(worker):
    order = OrderFactory(assigned=True)
    MasterFactory(districts=[order.district])
    worker(lambda: lifecycle.return_to_search(order_id=order.pk, actor=admin_of(order), reason="client moved"))
    assert offered(order)


def test_an_activated_order_is_offered_at_once(worker):
    order = OrderFactory(status="DEFERRED")
    MasterFactory(districts=[order.district])
    worker(lambda: lifecycle.activate(order_id=order.pk, actor=logist_of(order)))
    assert offered(order)


def test_search_again_offers_at_once(worker):
    order = OrderFactory(dispatch_round=2, dispatch_at=None)
    MasterFactory(districts=[order.district])
    worker(lambda: manual.search_again(order_id=order.pk, actor=logist_of(order)))
    assert offered(order)


def test_a_master_who_comes_on_shift_gets_what_was_stuck(worker):
    order = OrderFactory()
    tasks.dispatch_tick()
    assert Order.objects.get().escalation_reason == "no_candidates"
    master = MasterFactory(districts=[order.district], shift_status="SHIFT_OFF")
    started = worker(lambda: shifts.start(master_id=master.pk, actor=as_master(master)))
    assert started == [("orders.tasks.nudge", {"city_id": order.city_id})]
    assert offered(order)


@pytest.mark.parametrize("verb", [lifecycle.cancel, lifecycle.return_to_search])
def test_a_master_who_lost_an_order_gets_what_was_stuck(worker, verb):
    taken = OrderFactory(assigned=True, assigned_master__max_active_orders_override=1)
    taken.assigned_master.districts.add(taken.district)
    stuck = OrderFactory(district=taken.district)
    tasks.dispatch_tick()
    worker(lambda: verb(order_id=taken.pk, actor=admin_of(taken), reason="client refused"))
    assert Offer.objects.filter(state="SENT", master=taken.assigned_master).count() == 1
    assert offered(stuck) or offered(taken)


def test_a_finished_guarantee_visit_makes_room(worker):
    order = OrderFactory(assigned=True, type="GUARANTEE", status="WORKING")

    def finish() -> None:
        lifecycle.finish(
            lifecycle.lock(order.pk), actor=as_master(order.assigned_master), total_sum=0, now=timezone.now()
        )

    assert worker(finish) == [("orders.tasks.nudge", {"city_id": order.city_id})]


def test_the_sweep_turns_an_expired_offer_into_the_next_one():
    offer = OfferFactory(sent_at=timezone.now() - timedelta(seconds=121))
    MasterFactory(districts=[offer.order.district])
    tasks.sweep_offers()
    assert offered(offer.order)


def test_a_sweep_without_overdue_offers_wakes_nobody(django_assert_num_queries):
    offer = OfferFactory()
    Order.objects.update(dispatch_at=offer.expires_at)
    with django_assert_num_queries(2):  # the parameters; is there anything to do
        tasks.sweep_offers()


def test_every_task_of_the_timetable_exists():
    app.loader.import_default_modules()
    assert set(timetable()) <= set(app.tasks)
