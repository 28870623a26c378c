"""Who acts in these tests."""

from __future__ import annotations

from fieldservice.lib.actor import SYSTEM, Actor
from geo.models import City
from orders.models import Order
from staff.enums import Role
from staff.models import Master
from staff.tests.factories import StaffUserFactory


def staff(role: str = Role.LOGIST, *cities: City, **values) -> Actor:
    """A new staff member of these cities."""
    return Actor.of_staff(StaffUserFactory(role=role, cities=cities, **values), via="test")


def logist_of(order: Order) -> Actor:
    return staff(Role.LOGIST, order.city)


def admin_of(order: Order) -> Actor:
    return staff(Role.CITY_ADMIN, order.city)


def as_master(master: Master | None) -> Actor:
    assert master is not None
    return Actor.of_master(master)


def of_kind(kind: str, order: Order) -> Actor:
    """An actor of this kind who has every right his kind can have over the order."""
    if kind == "staff":
        return staff(Role.GLOBAL_ADMIN)
    return as_master(order.assigned_master) if kind == "master" else SYSTEM
