"""Role × action × city, generated from `staff.access`: what is closed is closed, in the bot and in the services."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiogram.types import User
from django.utils import translation

from bots.admin.bot import SPEC
from bots.callbacks import ROUTES, Route
from bots.handlers import Desk, Facts
from bots.visit import Dialog, Reply
from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import DomainError, ForbiddenError, NotFoundError
from finance import scope as finance_scope
from finance.models import Commission
from finance.services import commissions
from finance.tests.factories import CommissionFactory
from orders import scope
from orders.enums import OrderStatus
from orders.models import Offer, Order
from orders.services import guarantee, intake, lifecycle, manual, rating
from orders.services.intake import NewOrder
from orders.tests.factories import AttachmentFactory, OfferFactory, OrderFactory
from staff import access
from staff import scope as staff_scope
from staff.enums import Role
from staff.models import Master, StaffUser
from staff.services import moderation
from staff.tests.factories import InviteFactory, MasterFactory, StaffUserFactory

pytestmark = pytest.mark.django_db
SECRET = "SECRET-OF-ANOTHER-CITY"
DENIED = "Your role does not allow this."
#: texts an address may carry
WORDS = ("ok", "any", "LOGIST", "GLOBAL_ADMIN", "q1", "yes", "rude", "client", "csv", "distribution_rounds")


def office(role: str, *cities: Any) -> StaffUser:
    return StaffUserFactory(role=role, cities=cities)


def tap(member: StaffUser, data: str, dialog: Dialog | None = None) -> Reply:
    """What the bot answers to a tap, without Telegram in between."""
    user = User(id=member.tg_user_id or 0, is_bot=False, first_name="x", language_code="en")
    with translation.override("en"):
        return Desk(SPEC).tapped(Facts(user, dialog, message_id=1), data)


def closed_routes() -> list[Route]:
    return sorted((r for r in ROUTES.routes.values() if r.path.startswith("adm:") and r.needs in access.ACTIONS),
                  key=lambda route: route.path)  # fmt: skip


def filled(route: Route, numbers: Iterator[int] | None = None) -> str:
    numbers = numbers or itertools.repeat(1)
    words = [str(next(numbers)) if kind is int else WORDS[0] for kind in route.types[: route.required]]
    return ":".join([route.path, *words])


@pytest.mark.parametrize("role", Role.values)
def test_every_button_asks_the_matrix(role: str) -> None:
    member = office(role)
    wrong = [
        (route.path, route.needs)
        for route in closed_routes()
        if (tap(member, filled(route)).toast == DENIED) is access.may(role, route.needs)
    ]
    assert wrong == []
    assert len(closed_routes()) > 60


def test_every_way_back_takes_what_its_button_carries() -> None:
    """A refused tap shows what is true now: that handler gets the same arguments."""
    wrong = []
    for route in ROUTES.routes.values():
        if route.back is None:
            continue
        for count in range(route.required, len(route.types) + 1):
            try:
                inspect.signature(route.back).bind(None, *route.types[:count])
            except TypeError:
                wrong.append((route.path, count))
    assert wrong == []


def test_only_these_buttons_need_no_right() -> None:
    """Everybody of the office may look at orders of their cities, their own filters, the log, the way to the web."""
    free = {path for path, r in ROUTES.routes.items() if path.startswith("adm:") and not r.needs}
    assert {path for path in free if not path.startswith("adm:q")} == {"adm:menu", "adm:log", "adm:web"}


@pytest.fixture
def abroad() -> SimpleNamespace:
    """A city with one row of everything, full of secrets."""
    order = OrderFactory(description=SECRET, client_name=SECRET, cancel_reason=SECRET)
    city, closed = order.city, OrderFactory(closed=True, client_name=SECRET)
    working = OrderFactory(city=city, assigned=True, client_name=SECRET, status=OrderStatus.WORKING)
    deferred = OrderFactory(city=city, status=OrderStatus.DEFERRED, client_name=SECRET)
    Order.objects.filter(pk=closed.pk).update(city=city, district=order.district)
    master = MasterFactory(city=city, districts=[order.district], full_name=SECRET)
    offer = OfferFactory(order=order, master=master)
    commission = CommissionFactory(order__city=city, order__client_name=SECRET, master__full_name=SECRET)
    AttachmentFactory(entity_id=order.pk, caption=SECRET)
    InviteFactory(city=city)
    return SimpleNamespace(
        city=city, order=order, working=working, deferred=deferred, closed=closed, master=master, offer=offer,
        commission=commission,
    )  # fmt: skip


def state() -> list[Any]:
    """All that a tap may not change."""
    return [list(model._default_manager.order_by("pk").values()) for model in (Order, Offer, Commission, Master)]


@pytest.mark.parametrize("role", [Role.CITY_ADMIN, Role.LOGIST])
def test_no_button_reaches_into_another_city(role: str, abroad: SimpleNamespace) -> None:
    own = OrderFactory()
    member, before = office(role, own.city), state()
    rows = (abroad.order, abroad.working, abroad.deferred, abroad.closed, abroad.master, abroad.commission, abroad.city)
    routes = [route for route in ROUTES.routes.values() if route.path.startswith("adm:") and int in route.types]
    for route, row in itertools.product(routes, rows):
        for length in range(route.required, len(route.types) + 1):
            words = [str(row.pk) if kind is int else WORDS[0] for kind in route.types[:length]]
            reply = tap(member, ":".join([route.path, *words])[:64])
            shown = (reply.screen.text if reply.screen else "") + reply.toast
            assert SECRET not in shown, route.path
            assert not any(SECRET in file.caption for file in reply.files), route.path
    assert state() == before


@pytest.mark.parametrize("role", [Role.CITY_ADMIN, Role.LOGIST])
def test_no_list_shows_another_city(role: str, abroad: SimpleNamespace) -> None:
    member = office(role, OrderFactory().city)
    for path in ("adm:menu", "adm:q", "adm:q:list", "adm:q:esc", "adm:q:war", "adm:q:cls", "adm:q:flt", "adm:log",
                 "adm:m:list", "adm:mod", "adm:f:aw", "adm:stat", "adm:inv", "adm:q:flt:city", "adm:new"):  # fmt: skip
        reply = tap(member, path)
        assert reply.screen is not None
        assert SECRET not in reply.screen.text, path
        assert abroad.city.name not in str(reply.screen), path


Case = Callable[[SimpleNamespace, Actor], Any]
#: right → what needs it, tried on the rows of a city
SERVICES: dict[str, Case] = {
    "order.create": lambda c, a: intake.create(
        new=NewOrder(city_id=c.city.pk, client_phone="+79990001122", category="ELECTRICS", confirm_late=True), actor=a
    ),
    "order.offer": lambda c, a: manual.search_again(order_id=c.order.pk, actor=a),
    "order.assign": lambda c, a: manual.assign(order_id=c.order.pk, master_id=c.master.pk, actor=a, confirmed=True),
    "order.return": lambda c, a: lifecycle.return_to_search(order_id=c.working.pk, actor=a, reason="because"),
    "order.cancel": lambda c, a: lifecycle.cancel(order_id=c.order.pk, actor=a, reason="because"),
    "order.cancel_working": lambda c, a: lifecycle.cancel(order_id=c.working.pk, actor=a, reason="because"),
    "order.activate": lambda c, a: lifecycle.activate(order_id=c.deferred.pk, actor=a),
    "order.guarantee": lambda c, a: guarantee.create(source_order_id=c.closed.pk, actor=a),
    "order.rate": lambda c, a: rating.rate(order_id=c.closed.pk, stars=5, actor=a),
    "master.moderate": lambda c, a: moderation.set_limit(master_id=c.master.pk, limit=3, actor=a),
    "finance.approve": lambda c, a: commissions.approve(commission_id=c.commission.pk, actor=a),
}


def outcome(case: Case, rows: SimpleNamespace, actor: Actor) -> str:
    try:
        case(rows, actor)
    except DomainError as error:
        return type(error).__name__
    return "done"


@pytest.mark.parametrize(("right", "role"), list(itertools.product(SERVICES, Role.values)))
def test_services_ask_the_matrix_and_the_city(right: str, role: str, abroad: SimpleNamespace) -> None:
    allowed = access.may(role, right)
    stranger = Actor.of_staff(office(role, OrderFactory().city))
    local = Actor.of_staff(office(role, abroad.city))
    sees_all = role == Role.GLOBAL_ADMIN
    strange = outcome(SERVICES[right], abroad, stranger) if not sees_all else NotFoundError.__name__
    assert strange in ({NotFoundError.__name__} if allowed else {NotFoundError.__name__, ForbiddenError.__name__})
    assert outcome(SERVICES[right], abroad, local) == ("done" if allowed else ForbiddenError.__name__)


def test_the_services_of_every_right_on_orders_are_tried() -> None:
    assert {right for right in access.ACTIONS if right.startswith("order.")} <= set(SERVICES)


@pytest.mark.parametrize("role", Role.values)
def test_reading_is_bound_to_cities(role: str, abroad: SimpleNamespace) -> None:
    stranger, local = office(role, OrderFactory().city), office(role, abroad.city)
    everything, money = role == Role.GLOBAL_ADMIN, access.may(role, "finance.see")
    for member, may in ((stranger, everything), (local, True)):
        assert scope.visible_to(member).filter(pk=abroad.order.pk).exists() is may
        assert staff_scope.masters(member).filter(pk=abroad.master.pk).exists() is may
        assert finance_scope.visible_to(member).filter(pk=abroad.commission.pk).exists() is (may and money)
    StaffUser.objects.filter(pk=local.pk).update(is_active=False)
    local.refresh_from_db()
    assert not scope.visible_to(local).exists()


def test_the_world_of_these_tests_is_real(abroad: SimpleNamespace) -> None:
    """The rows abroad can be seen and changed by their own admin: the tests above prove something."""
    admin = office(Role.CITY_ADMIN, abroad.city)
    reply = tap(admin, f"adm:q:card:{abroad.order.pk}")
    assert reply.screen is not None
    assert SECRET in reply.screen.text
    assert SECRET in str(tap(admin, f"adm:m:card:{abroad.master.pk}").screen)
