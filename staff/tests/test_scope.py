"""Which cities a member sees."""

from __future__ import annotations

import pytest

from fieldservice.lib.actor import COMMAND_LINE, SYSTEM, Actor
from fieldservice.lib.errors import NotFoundError
from geo.tests.factories import CityFactory
from staff import scope
from staff.enums import Role
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def cities():
    return CityFactory.create_batch(3)


@pytest.mark.parametrize("role", Role.values)
def test_everybody_sees_their_cities_and_a_global_admin_all(role, cities):
    member = StaffUserFactory(role=role, cities=cities[:2])
    masters = [MasterFactory(city=city) for city in cities]
    count = 3 if role == Role.GLOBAL_ADMIN else 2
    assert set(scope.cities(member)) == set(cities[:count])
    assert set(scope.masters(member)) == set(masters[:count])
    assert set(scope.city_ids(member)) == {city.pk for city in cities[:2]}


@pytest.mark.parametrize("role", Role.values)
def test_an_inactive_member_sees_nothing(role, cities):
    member = StaffUserFactory(role=role, cities=cities, is_active=False)
    MasterFactory(city=cities[0])
    assert not scope.sees_all(member)
    assert not scope.cities(member).exists()
    assert not scope.masters(member).exists()


def test_no_cities_mean_nothing(cities):
    assert not scope.cities(StaffUserFactory(role=Role.CITY_ADMIN)).exists()


class TestRequireCity:
    def test_their_own_city_is_fine(self, cities):
        member = StaffUserFactory(role=Role.LOGIST, cities=cities[:1])
        scope.require_city(Actor.of_staff(member), cities[0].pk)
        scope.require_city(Actor.of_staff(StaffUserFactory(role=Role.GLOBAL_ADMIN)), cities[2].pk)

    @pytest.mark.parametrize("number", [None, 0, 4242])
    def test_another_or_none_does_not_exist(self, cities, number):
        member = StaffUserFactory(role=Role.LOGIST, cities=cities[:1])
        with pytest.raises(NotFoundError, match=r"There is nothing like that in your cities\."):
            scope.require_city(Actor.of_staff(member), cities[1].pk if number is None else number)
        with pytest.raises(NotFoundError, match="no such thing"):
            scope.require_city(Actor.of_staff(member), None, missing="no such thing")

    def test_rights_are_read_anew_each_time(self, cities):
        member = StaffUserFactory(role=Role.LOGIST, cities=cities[:1])
        actor = Actor.of_staff(member)
        member.is_active = False
        member.save()
        with pytest.raises(NotFoundError):
            scope.require_city(actor, cities[0].pk)

    def test_a_deleted_member_is_nobody(self, cities):
        member = StaffUserFactory(role=Role.GLOBAL_ADMIN)
        actor = Actor.of_staff(member)
        member.delete()
        with pytest.raises(NotFoundError):
            scope.require_city(actor, cities[0].pk)

    def test_masters_and_the_system_have_no_cities_to_check(self, cities):
        for actor in (SYSTEM, COMMAND_LINE, Actor.of_master(MasterFactory())):
            scope.require_city(actor, cities[0].pk)
            scope.require_city(actor, None)
