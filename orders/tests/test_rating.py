from __future__ import annotations

import pytest

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError
from orders.models import Order, OrderRating
from orders.services import rating
from orders.tests.factories import OrderFactory
from staff.enums import Role
from staff.models import Master
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = pytest.mark.django_db


def office(order: Order) -> Actor:
    return Actor.of_staff(StaffUserFactory(role=Role.LOGIST, cities=[order.city]))


def test_the_master_s_rating_counts_as_five_visits() -> None:
    master = MasterFactory(rating=4.0)
    for stars in (5, 2):
        order = OrderFactory(city=master.city, closed=True, assigned_master=master)
        rating.rate(order_id=order.pk, stars=stars, actor=office(order))
    assert Master.objects.get().rating == round((5 * 4.0 + 5 + 2) / 7, 2)


def test_a_second_rating_replaces_the_first() -> None:
    order = OrderFactory(closed=True)
    for stars in (1, 5):
        rating.rate(order_id=order.pk, stars=stars, comment=f"{stars}", actor=office(order))
    row = OrderRating.objects.get()
    assert (row.stars, row.comment, row.rating_before) == (5, "5", 5.0)
    assert Master.objects.get().rating == 5.0


def test_only_the_last_fifty_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rating, "LAST", 2)
    master = MasterFactory(rating=5.0)
    for stars in (1, 5, 5):
        order = OrderFactory(city=master.city, closed=True, assigned_master=master)
        rating.rate(order_id=order.pk, stars=stars, actor=office(order))
    assert Master.objects.get().rating == 5.0


def test_no_visit_no_rating() -> None:
    order = OrderFactory(assigned=True)
    with pytest.raises(ConflictError, match="no visit to rate"):
        rating.rate(order_id=order.pk, stars=5, actor=office(order))
    for stars in (0, 6, -1):
        with pytest.raises(InvalidError):
            rating.rate(order_id=order.pk, stars=stars, actor=office(order))
    with pytest.raises(NotFoundError):
        rating.rate(order_id=order.pk, stars=5, actor=Actor.of_staff(StaffUserFactory()))
    with pytest.raises(InvalidError, match="500"):
        rating.rate(order_id=order.pk, stars=5, comment="я" * 501, actor=office(order))
