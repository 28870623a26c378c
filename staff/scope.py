"""Which cities a staff member sees: the one gate for lists, lookups, actions and exports (spec §1)."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ForbiddenError, NotFoundError
from geo.models import City
from staff import access
from staff.enums import Role
from staff.models import Master, StaffCity, StaffUser


def sees_all(member: StaffUser) -> bool:
    """GLOBAL_ADMIN sees every city; everybody else their own; an inactive member none."""
    return member.is_active and member.role == Role.GLOBAL_ADMIN


def city_ids(member: StaffUser) -> QuerySet[StaffCity, int]:
    """The ids of a city-bound member's cities, as a subquery. No cities means nothing, never everything."""
    rows = StaffCity.objects.filter(staff_user_id=member.pk, staff_user__is_active=True)
    return rows.values_list("city_id", flat=True)


def cities(member: StaffUser) -> QuerySet[City]:
    """The cities the member sees."""
    return City.objects.all() if sees_all(member) else City.objects.filter(pk__in=city_ids(member))


def masters(member: StaffUser) -> QuerySet[Master]:
    """The masters the member sees."""
    return Master.objects.all() if sees_all(member) else Master.objects.filter(city_id__in=city_ids(member))


def may(actor: Actor, action: str) -> bool:
    """Whether the actor's role allows a staff action. The system (command line, ticks) may; masters may not."""
    return actor.kind == "system" or (actor.kind == "staff" and access.may(actor.role, action))


def require(actor: Actor, action: str) -> None:
    """Raises ForbiddenError unless the actor may do the action."""
    if not may(actor, action):
        raise ForbiddenError(_("Your role does not allow this."))


def require_city(actor: Actor, city_id: int | None, *, missing: str = "") -> None:
    """Raises NotFoundError when a staff actor has no right to the city: from outside it does not exist.

    A row without a city is a GLOBAL_ADMIN's, as in the lists.

    `missing`: the sentence for a row that does not exist at all, so that nobody can tell the two apart.
    """
    if actor.kind != "staff":
        return
    member = StaffUser.objects.filter(pk=actor.staff_id or 0, is_active=True).first()
    if member is not None and city_id is None and sees_all(member):
        return
    if member is None or not cities(member).filter(pk=city_id or 0).exists():
        raise NotFoundError(missing or _("There is nothing like that in your cities."))
