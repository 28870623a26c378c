"""One act on many masters: asked once, done one by one, told row by row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import DomainError, InvalidError
from staff.models import Master
from staff.service_page import ReasonForm, service_page
from staff.services import applications, moderation

#: more at once would keep a web process busy; the list has 25 on a page
MOST = 200
SHOWN_REFUSALS = 10


class LimitForm(forms.Form):
    """How many orders at once."""

    limit = forms.IntegerField(
        label=gettext_lazy("Orders at once, 0–20; empty: as everybody"), required=False, min_value=0,
        max_value=moderation.LIMIT, widget=UnfoldAdminIntegerFieldWidget,
    )  # fmt: skip


def _approve(pk: int, actor: Actor, data: dict[str, Any]) -> None:
    applications.approve(master_id=pk, actor=actor, now=timezone.now())


def _block(pk: int, actor: Actor, data: dict[str, Any]) -> None:
    moderation.block(master_id=pk, reason=data["reason"], actor=actor, now=timezone.now())


def _unblock(pk: int, actor: Actor, data: dict[str, Any]) -> None:
    moderation.unblock(master_id=pk, actor=actor, now=timezone.now())


def _limit(pk: int, actor: Actor, data: dict[str, Any]) -> None:
    moderation.set_limit(master_id=pk, limit=data["limit"], actor=actor)


ACTS: dict[str, tuple[Any, type[forms.Form], Callable[[int, Actor, dict[str, Any]], None], bool]] = {
    "approve": (gettext_lazy("Approve applications"), forms.Form, _approve, False),
    "block": (gettext_lazy("Block masters"), ReasonForm, _block, True),
    "unblock": (gettext_lazy("Unblock masters"), forms.Form, _unblock, False),
    "set_limit": (gettext_lazy("Limit of orders"), LimitForm, _limit, False),
}


def page(admin: Any, request: HttpRequest, queryset: QuerySet[Master], name: str) -> HttpResponse | None:
    """The confirmation with the chosen masters; once confirmed, the work. `queryset` is the member's own scope."""
    title, form_class, run, danger = ACTS[name]
    chosen = list(queryset.select_related("city").order_by("full_name", "pk")[: MOST + 1])
    if len(chosen) > MOST:
        messages.error(request, _("Choose up to %(most)s masters at once.") % {"most": MOST})
        return None
    confirmed = request.POST.get("confirmed") == "yes"
    return service_page(
        request, admin, title=str(title), form=form_class(request.POST if confirmed else None),
        call=lambda data: _done(request, chosen, run, data), back=reverse("admin:staff_master_changelist"),
        button=ngettext("Yes, %(count)s master", "Yes, %(count)s masters", len(chosen)) % {"count": len(chosen)},
        danger=danger, headers=(_("Master"), _("City"), _("Moderation"), _("Blocked")),
        rows=[(m.full_name, str(m.city or "—"), m.get_moderation_status_display(), _("yes") if m.is_blocked else "—")
              for m in chosen],
        hidden=[("action", name), *(("_selected_action", m.pk) for m in chosen)],
    )  # fmt: skip


def _done(request: HttpRequest, chosen: list[Master], run: Callable[..., None], data: dict[str, Any]) -> str:
    actor = Actor.of_staff(request.user, "web")
    done, refused = 0, []
    for master in chosen:
        try:
            run(master.pk, actor, data)
            done += 1
        except InvalidError:
            raise  # the answers themselves are wrong: nobody was touched yet
        except DomainError as error:
            refused.append(f"{master}: {error}")
    for sentence in refused[:SHOWN_REFUSALS]:
        messages.warning(request, sentence)
    return ngettext("Done: %(count)s master.", "Done: %(count)s masters.", done) % {"count": done}
