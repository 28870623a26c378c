"""Access codes: one person becomes a staff member with a role and cities (spec §9). The code itself is never logged."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import clean
from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError
from fieldservice.lib.fields import parse_client_name, parse_code
from fieldservice.lib.phones import parse_phone
from fieldservice.runtime import registry
from geo.models import City
from staff.enums import Role
from staff.models import StaffAccessCode, StaffAccessCodeCity, StaffCity, StaffUser
from staff.scope import require
from staff.services.invites import LETTERS
from staff.services.moderation import audit

LENGTH = 8
#: version of the consent staff members give; changed with its text
CONSENT = "2025-11"


@transaction.atomic
def issue(
    *, actor: Actor, role: str, now: datetime, city_ids: Collection[int] = (), comment: str = ""
) -> StaffAccessCode:
    """A new code, good for one person and `access_code_ttl_hours`. City roles need a city, a GLOBAL_ADMIN none."""
    require(actor, "staff")
    cities = check_cities(role, city_ids)
    code = StaffAccessCode.objects.create(
        code=_new_code(), role=role, created_by_staff_id=actor.staff_id, comment=clean(comment)[:200] or None,
        expires_at=now + timedelta(hours=registry.get("access_code_ttl_hours")),
    )  # fmt: skip
    StaffAccessCodeCity.objects.bulk_create(StaffAccessCodeCity(access_code=code, city=city) for city in cities)
    audit("issue_access_code", actor=actor, code_id=code.pk, role=role, cities=[city.pk for city in cities])
    return code


def check_cities(role: str, city_ids: Collection[int]) -> list[City]:
    """The cities that go with a role. Raises InvalidError: an unknown role, a city role without cities."""
    if role not in Role.values:
        raise InvalidError({"role": _("There is no such role.")})
    if role == Role.GLOBAL_ADMIN:
        return []
    cities = list(City.objects.filter(pk__in=city_ids))
    if not cities:
        raise InvalidError({"cities": _("This role needs at least one city.")})
    return cities


def check(text: str, *, now: datetime) -> StaffAccessCode:
    """The code that `text` names, if it can be used. Raises InvalidError that says what is wrong."""
    code = StaffAccessCode.objects.filter(code=parse_code(text, LENGTH)).first()
    _refuse(code, now)
    assert code is not None
    return code


@transaction.atomic
def use(*, text: str, tg_user_id: int, full_name: str, phone: str, now: datetime) -> StaffUser:
    """The person has consented and said who they are: they are a staff member now. Raises InvalidError, ConflictError.

    The lock on the code decides which of two who share it gets in.
    """
    name, number = parse_client_name(full_name), parse_phone(phone)
    code = StaffAccessCode.objects.select_for_update().filter(code=parse_code(text, LENGTH)).first()
    _refuse(code, now)
    assert code is not None
    if StaffUser.objects.filter(tg_user_id=tg_user_id).exists():
        raise ConflictError(_("You are a staff member already."))
    cities = _cities_of(code)
    if code.role != Role.GLOBAL_ADMIN and not cities:
        raise InvalidError(_("This access code has no city any more. Ask an admin for a new one, please."))
    member = StaffUser.objects.create(tg_user_id=tg_user_id, full_name=name, phone=number, role=code.role)
    StaffCity.objects.bulk_create(StaffCity(staff_user=member, city_id=pk) for pk in cities)
    code.used_at, code.used_by_staff = now, member
    code.save(update_fields=["used_at", "used_by_staff"])
    audit("staff_joined", actor=Actor.of_staff(member, via="bot"), code_id=code.pk, role=str(code.role),
          issued_by=code.created_by_staff_id, consent=CONSENT)  # fmt: skip
    return member


@transaction.atomic
def revoke(*, code_id: int, actor: Actor, now: datetime) -> StaffAccessCode:
    """The code can no longer be used; this cannot be undone. Raises ConflictError when it has been used."""
    require(actor, "staff")
    code = StaffAccessCode.objects.select_for_update().filter(pk=code_id).first()
    if code is None:
        raise NotFoundError(_("There is no such access code."))
    if code.used_at or code.used_by_staff_id:
        raise ConflictError(_("This access code has been used already."))
    if code.revoked_at is None:
        code.revoked_at = now
        code.save(update_fields=["revoked_at"])
        audit("revoke_access_code", actor=actor, code_id=code.pk)
    return code


def state(code: StaffAccessCode, *, now: datetime) -> str:
    """`used`, `revoked`, `expired` or `active`."""
    if code.used_at or code.used_by_staff_id:
        return "used"
    if code.revoked_at:
        return "revoked"
    return "expired" if code.expires_at and code.expires_at <= now else "active"


def _cities_of(code: StaffAccessCode) -> set[int]:
    """The cities of the code; v1.2 wrote a single one on the code itself."""
    found = set(StaffAccessCodeCity.objects.filter(access_code=code).values_list("city_id", flat=True))
    return found | ({code.city_id} if code.city_id else set())


def _refuse(code: StaffAccessCode | None, now: datetime) -> None:
    if code is None:
        raise InvalidError(_("There is no such access code. Look once more, please."))
    sentences = {
        "used": _("This access code has been used. Ask an admin for a new one, please."),
        "revoked": _("This access code was revoked. Ask an admin for a new one, please."),
        "expired": _("This access code has expired. Ask an admin for a new one, please."),
    }
    if sentence := sentences.get(state(code, now=now)):
        raise InvalidError(sentence)


def _new_code() -> str:
    while True:
        code = "".join(secrets.choice(LETTERS) for _letter in range(LENGTH))
        if not StaffAccessCode.objects.filter(code=code).exists():
            return code
