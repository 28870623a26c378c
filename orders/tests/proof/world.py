"""The city in which the reference model and the engine live: two districts, five masters, two people in the office."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fieldservice.lib.actor import Actor
from geo.models import City, District
from geo.tests.factories import DistrictFactory
from orders.services import intake, lifecycle, manual
from orders.tests.people import as_master, staff
from orders.tests.proof.model import ZONE, Master, Order
from staff import models as staff_models
from staff.enums import Role
from staff.tests.factories import MasterFactory

YESTERDAY = datetime(2026, 3, 9, 12, tzinfo=ZONE)
#: vehicle, rating, skills, districts by number; no two rank equal, so the model knows who is next
PEOPLE = (
    (True, 4.1, ("ELECTRICS", "PLUMBING"), (0,)),
    (True, 4.0, ("ELECTRICS",), (0, 1)),
    (False, 4.9, ("ELECTRICS", "PLUMBING"), (0,)),
    (False, 4.5, ("PLUMBING",), (1,)),
    (False, 3.7, ("ELECTRICS", "PLUMBING"), ()),
)


@dataclass(frozen=True)
class World:
    city: City
    districts: tuple[int, ...]
    masters: tuple[int, ...]
    admin: Actor
    logist: Actor
    closed: int  # an order the first master has done, yesterday

    def people(self) -> list[Master]:
        """The masters as the model knows them."""
        return [
            Master(pk, vehicle, rating, set(skills), {self.districts[n] for n in where}, None)
            for pk, (vehicle, rating, skills, where) in zip(self.masters, PEOPLE, strict=True)
        ]

    def done(self, masters: list[Master]) -> Order:
        """The closed order as the model knows it."""
        order = Order(self.closed, self.districts[0], "ELECTRICS", YESTERDAY, "CLOSED", YESTERDAY)
        order.master, order.total, order.moves = masters[0], 5000, 7
        return order


def build() -> World:
    places = [DistrictFactory()]
    places.append(DistrictFactory(city=places[0].city))
    city = places[0].city
    masters = [
        MasterFactory(
            city=city, has_vehicle=vehicle, rating=rating, skills=skills, districts=[places[n] for n in where]
        )
        for vehicle, rating, skills, where in PEOPLE
    ]
    admin = staff(Role.CITY_ADMIN, city)
    return World(
        city=city,
        districts=tuple(place.pk for place in places),
        masters=tuple(master.pk for master in masters),
        admin=admin,
        logist=staff(Role.LOGIST, city),
        closed=close_one(places[0], masters[0], admin),
    )


def close_one(district: District, master: staff_models.Master, admin: Actor) -> int:
    """An order from creation to CLOSED, through the real doors."""
    new = intake.NewOrder(
        city_id=district.city_id, district_id=district.pk, client_phone="+79990001122", category="ELECTRICS"
    )
    order, mine = intake.create(new=new, actor=admin, now=YESTERDAY), as_master(master)
    manual.assign(order_id=order.pk, master_id=master.pk, actor=admin, now=YESTERDAY)
    lifecycle.depart(order_id=order.pk, actor=mine, now=YESTERDAY)
    order = lifecycle.start_work(order_id=order.pk, actor=mine, now=YESTERDAY)
    lifecycle.finish(order, actor=mine, total_sum=Decimal(5000), now=YESTERDAY)
    return lifecycle.close_paid(order, actor=admin, now=YESTERDAY).pk
