"""A member's own safety: the second factor and open sessions; of others, for GLOBAL_ADMINs."""

from __future__ import annotations

import base64
import io
from typing import Any

import qrcode
import qrcode.image.svg
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import InvalidError
from staff import access, second_factor, sessions
from staff.models import StaffUser


def _context(request: HttpRequest, title: str, **more: Any) -> dict[str, Any]:
    return admin.site.each_context(request) | {"title": title} | more


@never_cache
@require_http_methods(["GET", "POST"])
def two_factor(request: HttpRequest) -> HttpResponse:
    """Type the code of the app."""
    if second_factor.wanted_page(request) != "admin:two_factor":
        return redirect("admin:index")
    error = ""
    if request.method == "POST":
        if second_factor.check(request, request.POST.get("code", "")[:40]):
            return redirect("admin:index")
        error = _("This code is wrong, used or too old. After several mistakes wait a little before the next one.")
    page = _context(request, _("Second step"), error=error)
    return TemplateResponse(request, "staff/two_factor.html", page, status=403 if error else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Show the key, take the first code, hand out recovery codes."""
    member: Any = request.user
    if second_factor.has_device(member) and not member.is_verified():
        return redirect("admin:two_factor")  # whoever has only the password must not replace the second factor
    error, codes = "", []
    device = second_factor.fresh_device(member)
    if request.method == "POST":
        try:
            codes = second_factor.confirm(request, request.POST.get("code", "")[:20])
        except InvalidError as refused:
            error = str(refused)
    picture = io.BytesIO()
    qrcode.make(device.config_url, image_factory=qrcode.image.svg.SvgPathImage, box_size=8).save(picture)
    key = base64.b32encode(device.bin_key).decode().rstrip("=")
    required = not second_factor.has_device(member)
    page = _context(request, _("Second factor"), error=error, codes=codes, required=required,
                    key=" ".join(key[at : at + 4] for at in range(0, len(key), 4)),
                    qr="data:image/svg+xml;base64," + base64.b64encode(picture.getvalue()).decode())  # fmt: skip
    return TemplateResponse(request, "staff/two_factor_setup.html", page, status=409 if error else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Sessions and the second factor: one's own, or a member's for who manages the staff."""
    me: Any = request.user
    own = pk is None or pk == me.pk
    if not own and not access.may(me.role, "staff"):
        raise PermissionDenied
    member = me if own else StaffUser.objects.filter(pk=pk or 0).first()
    if member is None:
        raise Http404
    if request.method == "POST":
        return _act(request, member, own)
    title = _("Safety") if own else _("Safety: %(name)s") % {"name": member}
    page = _context(
        request, title, member=member, own=own, rows=list(sessions.of(member)[:50]),
        current=request.session.session_key, has_device=second_factor.has_device(member),
    )  # fmt: skip
    return TemplateResponse(request, "staff/account.html", page)


def _act(request: HttpRequest, member: StaffUser, own: bool) -> HttpResponse:
    actor, act = Actor.of_staff(request.user, "web"), request.POST.get("act")
    if act == "end":
        sessions.end(member, actor=actor, key=request.POST.get("key", "")[:40] or "-")
        messages.success(request, _("The session is ended."))
    elif act == "end_all":
        but = request.session.session_key or "" if own else ""
        count = sessions.end(member, actor=actor, but=but)
        messages.success(request, _("Sessions ended: %(count)s.") % {"count": count})
    elif act == "off" and (not own or request.user.is_verified()):  # type: ignore[union-attr]
        second_factor.switch_off(member, actor=actor)
        messages.success(request, _("The second factor is off."))
    return redirect(request.path)
