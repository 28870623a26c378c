"""What people see of orders: the one gate for lists, lookups and exports."""

from __future__ import annotations

import pytest

from fieldservice.lib.errors import NotFoundError
from orders import scope
from orders.tests.factories import OrderFactory
from staff.enums import Role
from staff.tests.factories import StaffUserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", Role.values)
def test_everybody_sees_their_cities_and_a_global_admin_all(role):
    mine, also_mine, other = OrderFactory.create_batch(3)
    member = StaffUserFactory(role=role, cities=[mine.city, also_mine.city])
    seen = {mine, also_mine} | ({other} if role == Role.GLOBAL_ADMIN else set())
    assert set(scope.visible_to(member)) == seen
    assert scope.get_for(member, mine.pk) == mine


@pytest.mark.parametrize("role", Role.values)
def test_an_inactive_member_sees_nothing(role):
    order = OrderFactory()
    member = StaffUserFactory(role=role, cities=[order.city], is_active=False)
    assert not scope.visible_to(member).exists()


@pytest.mark.parametrize("role", [Role.LOGIST, Role.CITY_ADMIN])
def test_a_stranger_s_order_is_like_none(role):
    order = OrderFactory()
    member = StaffUserFactory(role=role, cities=[OrderFactory().city])
    for number in (order.pk, 4242, 10**30):
        with pytest.raises(NotFoundError, match=rf"There is no order #{number}\."):
            scope.get_for(member, number)


def test_no_cities_mean_nothing():
    OrderFactory()
    assert not scope.visible_to(StaffUserFactory(role=Role.CITY_ADMIN)).exists()


def test_a_list_costs_one_query(django_assert_num_queries):
    order = OrderFactory(assigned=True)
    OrderFactory.create_batch(3, city=order.city)
    member = StaffUserFactory(role=Role.LOGIST, cities=[order.city])
    with django_assert_num_queries(1):
        assert len([(o.city.name, o.district, o.assigned_master) for o in scope.visible_to(member)]) == 4
