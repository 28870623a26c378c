"""The page behind a login link. Looking at it spends nothing, as Telegram looks at links; the button does."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from fieldservice.lib.errors import NotFoundError
from staff.services import login_links

BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@require_http_methods(["GET", "POST"])
def login_link(request: HttpRequest, token: str) -> HttpResponse:
    """Who is signed in by this link; on POST, they are. The second factor is asked after it, as after a password."""
    if request.method == "POST":
        try:
            login(request, login_links.redeem(token), backend=BACKEND)
        except NotFoundError as error:
            return _page(request, {"sentence": str(error)}, status=404)
        return redirect("admin:index")
    member = login_links.owner(token)
    if member is None:
        sentence = _("This link is no longer good: ask the bot for a new one.")
        return _page(request, {"sentence": sentence}, status=404)
    other = request.user if request.user.is_authenticated and request.user != member else None
    return _page(request, {"member": member, "other": other})


def _page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    context |= admin.site.each_context(request) | {"title": _("Sign in by a link from the bot")}
    answer = render(request, "staff/login_link.html", context, status=status)
    # the address is a secret for a minute; "no-referrer" would also hide the origin, without which no form is accepted
    answer["Referrer-Policy"] = "strict-origin"
    return answer
