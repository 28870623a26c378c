"""The factories keep their promises; every other test leans on them."""

from __future__ import annotations

import pytest

from finance.tests.factories import (
    CommissionFactory,
    OwnerRequisitesFactory,
    ReferralFactory,
    ReferralRewardFactory,
)
from geo.tests.factories import CityFactory, DistrictFactory, StreetFactory
from orders.tests.factories import AttachmentFactory, HistoryFactory, OfferFactory, OrderFactory
from staff.enums import Role
from staff.models import Skill
from staff.tests.factories import MasterFactory, SkillFactory, StaffUserFactory

pytestmark = pytest.mark.django_db


def test_a_district_brings_its_city():
    district = DistrictFactory()
    assert StreetFactory(district=district).city == district.city
    assert OrderFactory(district=district).city == district.city
    assert MasterFactory(districts=[district]).city == district.city
    order = OrderFactory()
    assert order.district.city == order.city
    bare = OrderFactory(city=district.city, district=None)
    assert (bare.city, bare.no_district) == (district.city, True)


def test_a_master_is_ready_to_work():
    district = DistrictFactory()
    master = MasterFactory(districts=[district], skills=["PLUMBING", SkillFactory(code="WINDOWS")])
    master.full_clean()
    assert master.is_on_shift
    assert master.verified
    assert sorted(master.skills.values_list("code", flat=True)) == ["PLUMBING", "WINDOWS"]
    assert list(master.districts.all()) == [district]
    assert [skill.code for skill in MasterFactory().skills.all()] == ["ELECTRICS"]
    assert not MasterFactory(skills=[]).skills.exists()
    assert Skill.objects.filter(code="ELECTRICS").count() == 1


def test_a_staff_member_has_role_and_cities():
    cities = CityFactory.create_batch(2)
    member = StaffUserFactory(role=Role.CITY_ADMIN, cities=cities, password="let me in")
    assert member.check_password("let me in")
    assert set(member.cities.all()) == set(cities)
    assert not StaffUserFactory().has_usable_password()


def test_orders_offers_and_money_match():
    assert OrderFactory().status == "SEARCHING"
    assert OrderFactory(assigned=True).assigned_master.is_on_shift
    master = MasterFactory()
    assert OrderFactory(closed=True, assigned_master=master, city=master.city, district=None).assigned_master == master
    assert OrderFactory(closed=True).closed_at
    offer = OfferFactory()
    assert offer.master.city == offer.order.city
    assert (offer.expires_at - offer.sent_at).total_seconds() == 120
    commission = CommissionFactory()
    assert (commission.amount, commission.master) == (2500, commission.order.assigned_master)
    assert ReferralRewardFactory().amount == 250
    for made in (offer, commission, OwnerRequisitesFactory(), ReferralFactory(), HistoryFactory(), AttachmentFactory()):
        made.full_clean()
