"""What a screen looks at: the member's cities, and the one chosen among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest

from fieldservice.lib.clean import read_number
from fieldservice.lib.localtime import zone
from geo.models import City
from geo.names import russian
from orders.models import Order
from staff import access, scope
from staff.models import StaffUser

KEY = "desk_city"
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Sight:
    """The member, the cities in their sight, and the chosen one (None: all of them)."""

    member: StaffUser
    cities: list[City]
    city: City | None

    @property
    def ids(self) -> list[int] | None:
        """The numbers of the cities to show; None: every city, without naming them."""
        if self.city is not None:
            return [self.city.pk]
        return None if scope.sees_all(self.member) else [city.pk for city in self.cities]

    @property
    def tz(self) -> ZoneInfo:
        """Whose midnight begins the day."""
        return zone(self.city.timezone if self.city else None)

    def within(self, rows: QuerySet[Row], path: str = "city_id") -> QuerySet[Row]:
        """The rows of these cities. Numbers, not a subquery: the planner must see how few they are."""
        return rows if self.ids is None else rows.filter(**{f"{path}__in": self.ids})

    def may(self, action: str) -> bool:
        """Whether the member's role allows the action."""
        return self.member.is_active and access.may(self.member.role, action)

    def query(self, **filters: Any) -> dict[str, Any]:
        """Filters of a list that shows the same cities."""
        return ({"city": self.city.pk} if self.city else {}) | filters


def of(request: HttpRequest, *, one: bool = False) -> Sight:
    """What this request looks at; `?city=7` chooses and is remembered, `?city=0` means all again.

    `one`: the screen shows a single city: without a choice it is the one with most open orders.
    """
    member: StaffUser = request.user  # type: ignore[assignment]
    cities = list(scope.cities(member).filter(is_active=True).order_by(russian("name")))
    if "city" in request.GET:
        chosen = read_number(request.GET["city"]) or 0
        if request.session.get(KEY) != chosen:
            request.session[KEY] = chosen
    wanted = request.session.get(KEY)
    city = next((city for city in cities if city.pk == wanted), None)
    if city is None and (one or len(cities) == 1) and cities:
        city = cities[0] if len(cities) == 1 else _busiest(member, cities)
    return Sight(member, cities, city)


def _busiest(member: StaffUser, cities: list[City]) -> City:
    by_id = {city.pk: city for city in cities}
    rows = Order.objects.filter(status__in=("SEARCHING", "GUARANTEE", "ASSIGNED", "EN_ROUTE", "WORKING", "DEFERRED"))
    if not scope.sees_all(member):
        rows = rows.filter(city_id__in=list(by_id))
    counted = rows.order_by().values_list("city_id").annotate(n=Count("*")).order_by("-n", "city_id")
    return next((by_id[pk] for pk, _count in counted if pk in by_id), cities[0])
