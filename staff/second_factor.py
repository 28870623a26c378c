"""The second factor of the web admin: a code of an app, or a recovery code. Asked after a password and after a link.

`SecondFactor` stands before every page: who has a device and has not used it in this session comes no further, nor
does anybody without a device where REQUIRE_2FA is set.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django_otp import login as verify
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import InvalidError
from staff.models import StaffUser
from staff.services.moderation import audit
from staff.sessions import AGENT, BEGAN, IP, SEEN

RECOVERY_CODES = 10
#: seconds between two notes of «last seen»
NOTE = 300
#: the pages of a session that is not verified yet, by their names
OPEN = ("admin:two_factor", "admin:two_factor_setup", "admin:logout", "admin:login", "admin:jsi18n")


class SecondFactor:
    """Nobody passes without the second factor they have, or must have."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        _note(request)
        wanted = wanted_page(request)
        if wanted and request.path not in {reverse(name) for name in OPEN}:
            if "HX-Request" in request.headers:
                return HttpResponse(status=204, headers={"HX-Redirect": reverse(wanted)})
            return redirect(wanted)
        return self.get_response(request)


def wanted_page(request: HttpRequest) -> str:
    """The page this session must visit first; empty when it may go where it likes."""
    member: Any = request.user
    if member.is_verified():
        return ""
    known = getattr(request, "_has_second_factor", None)  # asked several times in a request
    if known is None:
        known = request._has_second_factor = has_device(member)  # type: ignore[attr-defined]
    if known:
        return "admin:two_factor"
    return "admin:two_factor_setup" if settings.REQUIRE_2FA else ""


def has_device(member: StaffUser) -> bool:
    """Whether the member has an app; recovery codes alone are none."""
    return bool(member.pk) and TOTPDevice.objects.filter(user_id=member.pk, confirmed=True).exists()


def _note(request: HttpRequest) -> None:
    """From where and when the session was used, once in five minutes."""
    now = int(time.time())
    if now - request.session.get(SEEN, 0) >= NOTE:
        request.session[SEEN] = now
        request.session.setdefault(BEGAN, now)
        request.session[IP] = request.META.get("REMOTE_ADDR", "")[:45]
        request.session[AGENT] = request.headers.get("user-agent", "")[:200]


def check(request: HttpRequest, code: str) -> bool:
    """Use a code of the app or a recovery code; each is good once. Failures slow the next attempts down."""
    member: Any = request.user
    code = code.replace(" ", "").replace("-", "").lower()
    kind = TOTPDevice if code.isdecimal() and len(code) == 6 else StaticDevice
    with transaction.atomic():
        for device in kind.objects.select_for_update().filter(user=member, confirmed=True):
            if device.verify_is_allowed()[0] and device.verify_token(code):
                verify(request, device)
                return True
    return False


def fresh_device(member: StaffUser) -> TOTPDevice:
    """The device being set up: it counts once its first code was typed."""
    return TOTPDevice.objects.get_or_create(user=member, confirmed=False, defaults={"name": "app"})[0]


@transaction.atomic
def confirm(request: HttpRequest, code: str) -> list[str]:
    """Switch the second factor on with the first code; returns recovery codes, shown once.

    Raises InvalidError for a wrong code.
    """
    member: Any = request.user
    device = fresh_device(member)
    code = code.replace(" ", "")
    if not (code.isdecimal() and device.verify_token(code)):
        raise InvalidError(_("This code is wrong or too old: type the one your app shows now."))
    TOTPDevice.objects.filter(user=member, confirmed=True).delete()
    StaticDevice.objects.filter(user=member).delete()
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    spare = StaticDevice.objects.create(user=member, name="recovery", confirmed=True)
    codes = [secrets.token_hex(5) for _number in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=spare, token=code) for code in codes)
    verify(request, device)
    audit("two_factor_on", actor=Actor.of_staff(member, "web"), member_id=member.pk)
    return codes


@transaction.atomic
def switch_off(member: StaffUser, *, actor: Actor) -> None:
    """No device is known any more: the phone is lost, or the member wants it so."""
    gone = TOTPDevice.objects.filter(user=member).delete()[0] + StaticDevice.objects.filter(user=member).delete()[0]
    if gone:
        audit("two_factor_off", actor=actor, member_id=member.pk)


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Too many wrong passwords: for how long, and what helps."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    sentence = _("Too many wrong passwords. Wait %(minutes)s minutes, or ask the admin bot for a login link.") % {
        "minutes": minutes
    }
    return render(request, "staff/locked_out.html", {"sentence": sentence}, status=429)
