"""The office itself: roles, cities, who may come in. There is always a GLOBAL_ADMIN (spec §1, §9)."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError, NotFoundError
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from staff.enums import Role
from staff.models import StaffCity, StaffUser
from staff.scope import require
from staff.services.access_codes import check_cities
from staff.services.moderation import audit


@transaction.atomic
def set_role(*, member_id: int, role: str, city_ids: Collection[int], actor: Actor) -> StaffUser:
    """Another role, with its cities; it holds from the member's next tap. The person is told."""
    require(actor, "staff")
    cities = check_cities(role, city_ids)
    member = _lock(member_id, losing=role != Role.GLOBAL_ADMIN)
    was, before = str(member.role), set(StaffCity.objects.filter(staff_user=member).values_list("city_id", flat=True))
    after = {city.pk for city in cities}
    if (was, before) == (role, after):
        return member
    member.role = Role(role)
    member.save(update_fields=["role", "updated_at"])
    StaffCity.objects.filter(staff_user=member).exclude(city_id__in=after).delete()
    StaffCity.objects.bulk_create(StaffCity(staff_user=member, city_id=pk) for pk in sorted(after - before))
    audit("staff_role", actor=actor, member_id=member.pk, was=was, role=role,
          cities_were=sorted(before), cities=sorted(after))  # fmt: skip
    _tell(member, "access_changed")
    return member


@transaction.atomic
def set_active(*, member_id: int, active: bool, actor: Actor) -> StaffUser:
    """In or out, at once. Nobody shuts themselves out, and the last GLOBAL_ADMIN stays."""
    require(actor, "staff")
    if not active and actor.staff_id == member_id:
        raise ConflictError(_("You cannot switch off your own access."))
    member = _lock(member_id, losing=not active)
    if member.is_active == active:
        return member
    member.is_active = active
    member.save(update_fields=["is_active", "updated_at"])
    audit("staff_activated" if active else "staff_deactivated", actor=actor, member_id=member.pk)
    if active:
        _tell(member, "access_changed")
    return member


def is_last_admin(member: StaffUser) -> bool:
    """Whether nobody else could do what only a GLOBAL_ADMIN may."""
    admins = StaffUser.objects.filter(role=Role.GLOBAL_ADMIN, is_active=True)
    return member.role == Role.GLOBAL_ADMIN and member.is_active and not admins.exclude(pk=member.pk).exists()


def _lock(member_id: int, *, losing: bool) -> StaffUser:
    """The member, locked. `losing`: they cease to be an active GLOBAL_ADMIN, so another one must remain.

    All admins are locked in one order: two who switch off each other at once must not both succeed.
    """
    if losing:
        list(StaffUser.objects.select_for_update().filter(role=Role.GLOBAL_ADMIN, is_active=True).order_by("pk"))
    member = StaffUser.objects.select_for_update().filter(pk=member_id).first()
    if member is None:
        raise NotFoundError(_("There is no such staff member."))
    if losing and is_last_admin(member):
        raise ConflictError(_("This is the last global admin: make another one first."))
    return member


def _tell(member: StaffUser, event: str) -> None:
    if member.tg_user_id:
        outbox.enqueue(Message(event=event, staff_id=member.pk))
