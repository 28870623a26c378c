"""A small company in the middle of its day: for the tests of the desk and for its pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fieldservice.lib.localtime import zone
from finance.enums import CommissionStatus
from finance.tests.factories import CommissionFactory
from geo.models import City, District, Street
from orders.enums import Category, OfferState, OrderStatus, OrderType
from orders.models import DispatchDecision, DistributionMetric, Order
from orders.tests.factories import HistoryFactory, OfferFactory, OrderFactory
from staff.enums import ModerationStatus, Role, ShiftStatus
from staff.models import Master, StaffUser
from staff.tests.factories import MasterFactory, StaffUserFactory

CENTRES = [(55.76, 37.62), (55.83, 37.52), (55.80, 37.78), (55.66, 37.48), (55.65, 37.70)]


@dataclass
class Scene:
    """What stands on the stage."""

    city: City
    districts: list[District]
    strange: City
    people: dict[str, StaffUser] = field(default_factory=dict)
    masters: list[Master] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)


def set_up(now: datetime | None = None) -> Scene:
    """Москва with five districts and eight masters, orders in every state; Казань, which is another's."""
    now = now or timezone.now()
    city, _new = City.objects.get_or_create(name="Москва", defaults={"timezone": "Europe/Moscow"})
    strange, _new = City.objects.get_or_create(name="Казань", defaults={"timezone": "Europe/Moscow"})
    City.objects.filter(pk=city.pk).update(centroid_lat=55.75, centroid_lon=37.62)
    names = ("ЦАО", "САО", "ВАО", "ЗАО", "ЮАО")
    districts = [District.objects.update_or_create(
        city=city, name=name, defaults={"centroid_lat": lat, "centroid_lon": lon})[0]
        for name, (lat, lon) in zip(names, CENTRES, strict=True)]  # fmt: skip
    for name in ("улица Мира", "Лесная улица", "проспект Вернадского"):
        Street.objects.get_or_create(city=city, district=districts[0], name=name)
    scene = Scene(city, districts, strange)
    for login, role, cities in (("boss", Role.GLOBAL_ADMIN, []), ("chief", Role.CITY_ADMIN, [city]),
                                ("operator", Role.LOGIST, [city])):  # fmt: skip
        scene.people[login] = StaffUserFactory(username=login, role=role, cities=cities, full_name=None,
                                               password="desk-Test-77")  # fmt: skip
    scene.masters = [_master(scene, number) for number in range(8)]
    _open_orders(scene, now)
    _past(scene, now)
    OrderFactory(city=strange, district=None, client_name="Чужой клиент", dispatch_at=None)
    return scene


def _master(scene: Scene, number: int) -> Master:
    names = ("Абрамов Илья", "Белов Сергей", "Власов Павел", "Громов Антон", "Дёмин Олег", "Егоров Кирилл",
             "Жуков Роман", "Зимин Артём")  # fmt: skip
    shift = ShiftStatus.SHIFT_OFF if number == 7 else ShiftStatus.BREAK if number == 6 else ShiftStatus.SHIFT_ON
    return MasterFactory(
        full_name=names[number], city=scene.city, districts=list({scene.districts[number % 5], scene.districts[0]}),
        skills=list(Category.values)[: 2 + number % 5], shift_status=shift, rating=4 + number / 10,
        break_until=timezone.now() + timedelta(minutes=25) if number == 6 else None, has_vehicle=number % 2 == 0,
        moderation_status=ModerationStatus.APPROVED,
    )  # fmt: skip


def _slot(now: datetime, city: City, hour: int, days: int = 0) -> dict[str, Any]:
    here = now.astimezone(zone(city.timezone)).replace(hour=hour, minute=0, second=0, microsecond=0)
    start = here + timedelta(days=days)
    return {"timeslot_start_utc": start, "timeslot_end_utc": start + timedelta(hours=3)}


def _open_orders(scene: Scene, now: datetime) -> None:
    place = lambda n: {"city": scene.city, "district": scene.districts[n % 5], "house": str(n + 1), "apartment": "12",  # noqa: E731
                       "street": Street.objects.filter(city=scene.city)[n % 3]}  # fmt: skip
    wait = {"dispatch_at": None, "dispatch_round": 1}
    made = scene.orders
    made["fresh"] = OrderFactory(**place(0), **_slot(now, scene.city, 13), category="PLUMBING",
                                 search_started_at=now - timedelta(seconds=70), **wait)  # fmt: skip
    OfferFactory(order=made["fresh"], master=scene.masters[0], sent_at=now - timedelta(seconds=40))
    made["logist"] = OrderFactory(**place(1), search_started_at=now - timedelta(minutes=14), **wait,
                                  dist_escalated_logist_at=now - timedelta(minutes=9),
                                  escalation_reason="rounds_exhausted")  # fmt: skip
    made["admin"] = OrderFactory(**place(2) | {"district": None}, search_started_at=now - timedelta(minutes=51), **wait,
                                 dist_escalated_logist_at=now - timedelta(minutes=50), escalation_reason="no_district",
                                 dist_escalated_admin_at=now - timedelta(minutes=40))  # fmt: skip
    made["guarantee"] = OrderFactory(**place(3), status=OrderStatus.GUARANTEE, type=OrderType.GUARANTEE, **wait,
                                     search_started_at=now - timedelta(minutes=3), company_payment=2500)  # fmt: skip
    made["deferred"] = OrderFactory(**place(4), status=OrderStatus.DEFERRED, **_slot(now, scene.city, 10, 1),
                                    dispatch_at=now + timedelta(hours=15))  # fmt: skip
    for number, (name, status) in enumerate((("assigned", "ASSIGNED"), ("late", "ASSIGNED"), ("road", "EN_ROUTE"),
                                             ("work", "WORKING"), ("work2", "WORKING"))):  # fmt: skip
        slot = _slot(now, scene.city, (16, 10, 13, 13, 10)[number], -1 if name == "late" else 0)
        made[name] = OrderFactory(**place(number), **slot, status=status, assigned_master=scene.masters[number % 3],
                                  category=list(Category.values)[number], dispatch_at=None)  # fmt: skip
    for number, status in enumerate((CommissionStatus.WAIT_PAY, CommissionStatus.REPORTED, CommissionStatus.OVERDUE)):
        order = made[f"pay{number}"] = OrderFactory(**place(number), in_payment=True, dispatch_at=None,
                                                    assigned_master=scene.masters[3 + number])  # fmt: skip
        CommissionFactory(order=order, master=order.assigned_master, status=status, amount=2500 + 100 * number,
                          deadline_at=now + timedelta(minutes=(90, 30, -200)[number]))  # fmt: skip
    for name in ("fresh", "logist", "admin"):
        HistoryFactory(order=made[name], from_status=None, to_status="CREATED", reason="created_by_staff",
                       actor_type="ADMIN", changed_by_staff=scene.people["operator"])  # fmt: skip
        HistoryFactory(order=made[name], from_status="CREATED", to_status="SEARCHING", reason="search_started")
    DispatchDecision.objects.create(
        order=made["fresh"], search_number=1, round_number=1, outcome="offered", master=scene.masters[0],
        candidates_count=3, details={"top": [m.pk for m in scene.masters[:3]], "city": scene.city.pk},
    )  # fmt: skip


def _past(scene: Scene, now: datetime) -> None:
    for number in range(24):
        at = now - timedelta(days=number % 14, hours=number % 5)
        order = OrderFactory(city=scene.city, district=scene.districts[number % 5], closed=number % 6 > 0,
                             assigned_master=scene.masters[number % 8], dispatch_at=None,
                             total_sum=3000 + 400 * (number % 7), **_slot(at, scene.city, 13))  # fmt: skip
        Order.objects.filter(pk=order.pk).update(
            created_at=at, closed_at=at, status="CLOSED" if number % 6 else "CANCELED")  # fmt: skip
        if number % 6:
            commission = CommissionFactory(order=order, master=order.assigned_master, status="APPROVED", is_paid=True,
                                           amount=order.total_sum / 2, paid_amount=order.total_sum / 2)  # fmt: skip
            type(commission).objects.filter(pk=commission.pk).update(created_at=at)
            DistributionMetric.objects.create(
                order=order, master=order.assigned_master, city=scene.city, round_number=1 + number % 2,
                candidates_count=3, time_to_assign_seconds=30 + 17 * number,
                assigned_at=now - timedelta(hours=number % 20), was_escalated_to_logist=number % 7 == 0)  # fmt: skip
        state = (OfferState.ACCEPTED, OfferState.DECLINED, OfferState.EXPIRED)[number % 3]
        OfferFactory(order=order, master=scene.masters[number % 8], state=state, round_number=1 + number % 2,
                     sent_at=now - timedelta(hours=1 + number % 20))  # fmt: skip


def enter(client: Client, member: StaffUser) -> None:
    """A browser that was here a moment ago: the session's own notes are written."""
    client.force_login(member)
    client.get(reverse("admin:account"))
