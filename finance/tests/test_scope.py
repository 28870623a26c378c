"""What people see of money: their cities, and only with the right to finance."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fieldservice.lib.errors import NotFoundError
from finance import scope, selectors
from finance.tests.factories import CommissionFactory
from orders.tests.factories import OrderFactory
from staff.enums import Role
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = pytest.mark.django_db


def test_admins_see_their_cities_and_logists_nothing():
    mine, other = CommissionFactory.create_batch(2)
    city = mine.order.city

    def seen(role: Role, **values):
        return set(scope.visible_to(StaffUserFactory(role=role, cities=[city], **values)))

    assert seen(Role.GLOBAL_ADMIN) == {mine, other}
    assert seen(Role.CITY_ADMIN) == {mine}
    assert seen(Role.LOGIST) == set()
    for role in Role:
        assert seen(role, is_active=False) == set()


def test_a_stranger_s_commission_is_like_none():
    commission = CommissionFactory()
    member = StaffUserFactory(role=Role.CITY_ADMIN, cities=[OrderFactory().city])
    for number in (commission.pk, 4242):
        with pytest.raises(NotFoundError, match=rf"There is no commission #{number}\."):
            scope.get_for(member, number)
    assert scope.get_for(StaffUserFactory(role=Role.GLOBAL_ADMIN), commission.pk) == commission


def test_a_master_sees_his_own_commissions_only():
    master = MasterFactory()

    def debt(status: str, hours: int):
        order = OrderFactory(in_payment=True, city=master.city, assigned_master=master)
        commission = CommissionFactory(order=order, status=status)
        commission.deadline_at += timedelta(hours=hours)
        commission.save()
        return commission

    later, soon, late = debt("REPORTED", 2), debt("WAIT_PAY", 1), debt("OVERDUE", -9)
    paid = debt("APPROVED", 0)
    CommissionFactory()
    assert set(selectors.commissions_of(master.pk)) == {late, soon, later, paid}
    assert selectors.commission_of(master_id=master.pk, commission_id=paid.pk) == paid
    assert selectors.commission_of(master_id=MasterFactory().pk, commission_id=paid.pk) is None
