"""The admin bot: filters that stay, search by whatever is known, many applications at once, and what it costs."""

from __future__ import annotations

from typing import Any

import pytest
from aiogram.types import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from bots.admin.bot import SPEC
from bots.handlers import Desk, Facts
from bots.sandbox import SandboxClient
from bots.tests.e2e.scene import member
from finance.tests.factories import CommissionFactory
from geo.tests.factories import CityFactory
from orders.enums import OfferState
from orders.tests.factories import AttachmentFactory, HistoryFactory, OfferFactory, OrderFactory
from staff.enums import ModerationStatus, Role
from staff.models import Master, StaffUser
from staff.tests.factories import MasterFactory, StaffUserFactory

e2e = pytest.mark.usefixtures("bots")


@e2e
@pytest.mark.e2e
def test_filters_are_remembered(telegram: SandboxClient) -> None:
    kazan, perm = CityFactory(name="Казань"), CityFactory(name="Пермь")
    wanted = OrderFactory(city=kazan, category="PLUMBING")
    others = [OrderFactory(city=kazan), OrderFactory(city=perm, category="PLUMBING")]
    clerk = member(telegram, Role.LOGIST, cities=[kazan, perm])
    clerk.chat.presses("Orders")
    clerk.chat.presses("Filters")
    clerk.chat.presses("City: any")
    clerk.chat.sends("каз")
    clerk.chat.presses("Category: any")
    clerk.chat.presses("Plumbing")
    clerk.chat.presses("Visit: any")
    clerk.chat.sends("когда-нибудь")
    clerk.chat.sees("Type the date like 25.11")
    clerk.chat.presses("Any day")
    clerk.chat.presses("Show (1)")
    listed = clerk.chat.sees("🎛 Казань, Plumbing")
    assert f"#{wanted.pk}" in listed.text
    for other in others:
        assert f"#{other.pk}" not in listed.text
    clerk.chat.sends("/start")
    clerk.chat.presses("Orders")
    clerk.chat.presses("Queue (1)")
    clerk.chat.sees("🎛 Казань, Plumbing")
    clerk.chat.presses("Filters")
    clerk.chat.presses("Reset")
    clerk.chat.presses("Show (3)")
    clerk.chat.presses_data("adm:q:flt:c:999999", message=clerk.chat.last())  # no such city: no filter
    clerk.chat.presses("Show (3)")


@e2e
@pytest.mark.e2e
def test_search_finds_opens_and_comes_back(telegram: SandboxClient) -> None:
    first = OrderFactory(client_name="Ёлкина Мария", client_phone="+79990001122")
    second = OrderFactory(city=first.city, district=first.district, client_name="Ёлкин Олег")
    OrderFactory(client_name="Ёлкина Чужая")
    clerk = member(telegram, Role.LOGIST, cities=[first.city])
    clerk.chat.presses("Orders")
    clerk.chat.presses("🔎 Search")
    clerk.chat.sends("ё")
    clerk.chat.sees("at least three letters")
    clerk.chat.sends("8 999 000 11 22")
    clerk.chat.sees(f"Order #{first.pk}")  # a single hit is opened
    clerk.chat.presses("Back")
    clerk.chat.presses("🔎 Search")
    clerk.chat.sends("ёлкин")
    found = clerk.chat.sees("Found: «ёлкин»")
    assert f"#{first.pk}" in found.text
    assert f"#{second.pk}" in found.text
    assert "Чужая" not in found.text
    clerk.chat.presses(f"Open #{second.pk}")
    clerk.chat.presses("Back")
    clerk.chat.sees("Found: «ёлкин»")
    clerk.chat.presses("🔎 Search")
    clerk.chat.presses("🕘 ёлкин")  # the last search again
    clerk.chat.sees("Found: «ёлкин»")


@e2e
@pytest.mark.e2e
def test_many_applications_at_once_each_with_its_result(telegram: SandboxClient) -> None:
    city = CityFactory()
    rows = [
        MasterFactory(city=city, moderation_status=ModerationStatus.PENDING, shift_status="SHIFT_OFF") for _ in "123"
    ]
    boss = member(telegram, Role.CITY_ADMIN, cities=[city])
    boss.chat.presses("Applications (3)")
    boss.chat.presses("Several at once")
    for row in rows[:2]:
        boss.chat.presses(f"▫️ {row.full_name}")
    boss.chat.sees("Ticked: 2")
    boss.chat.presses("Approve (2)")
    boss.chat.sees("Approve 2 applications?")
    boss.chat.sends("да")
    boss.chat.sees("Use the buttons below")
    Master.objects.filter(pk=rows[0].pk).update(version=7)  # corrected meanwhile: not decided unseen
    boss.chat.presses("Yes, approve")
    result = boss.chat.sees("Decided: 1 application.")
    assert f"⚠️ {rows[0].full_name}" in result.text
    assert f"✅ {rows[1].full_name}" in result.text
    boss.chat.presses("Applications (2)")
    boss.chat.presses("Several at once")
    for row in (rows[0], rows[2]):
        boss.chat.presses(f"▫️ {row.full_name}")
    boss.chat.presses("Reject (2)")
    boss.chat.sends("Фото <не> видно")
    boss.chat.sees("Decided: 2 applications.")
    assert set(Master.objects.values_list("moderation_status", flat=True)) == {"APPROVED", "REJECTED"}
    assert Master.objects.filter(moderation_reason="Фото <не> видно").count() == 2


@pytest.fixture
def desk() -> tuple[StaffUser, Any]:
    """A city with much of everything, and its admin."""
    order = OrderFactory()
    for _number in range(12):
        master = MasterFactory(city=order.city, districts=[order.district])
        OfferFactory(order=order, master=master, state=OfferState.EXPIRED)
        OrderFactory(city=order.city, district=order.district, assigned=True, assigned_master=master)
        HistoryFactory(order=order)
        AttachmentFactory(entity_id=order.pk)
        CommissionFactory(order__city=order.city)
    return StaffUserFactory(role=Role.CITY_ADMIN, cities=[order.city]), order


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "budget"),
    [
        ("adm:menu", 9), ("adm:q", 10), ("adm:q:list", 6), ("adm:q:cls", 6), ("adm:q:card:{order}", 16),
        ("adm:q:asg:{order}", 12), ("adm:q:his:{order}", 5), ("adm:m:list", 8), ("adm:log", 5), ("adm:stat", 10),
        ("adm:mod", 4), ("adm:mod:many", 4), ("adm:f:aw", 5), ("adm:f:aw:1:unw", 7), ("adm:f:by:pd", 6),
        ("adm:q:fix:{order}", 5), ("adm:q:time:{order}", 6), ("adm:q:way:{order}:category", 5),
        ("adm:q:way:{order}:district", 6), ("adm:q:way:{order}:street", 5),
    ],
)  # fmt: skip
def test_every_screen_has_a_budget_of_queries(desk: tuple[StaffUser, Any], path: str, budget: int) -> None:
    member, order = desk
    user = User(id=member.tg_user_id or 0, is_bot=False, first_name="x", language_code="en")
    with translation.override("en"), CaptureQueriesContext(connection) as queries:
        reply = Desk(SPEC).tapped(Facts(user, None, message_id=1), path.format(order=order.pk))
    assert reply.screen is not None
    assert len(queries) <= budget, "\n".join(query["sql"][:150] for query in queries)
