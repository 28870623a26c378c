"""Invite codes for masters: issued for a city, with a link that opens the master bot."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import names
from bots.admin.menu import menu_button
from bots.buttons import back, page_of, pager, tap
from bots.callbacks import on
from bots.screens import Button, page
from bots.visit import Reply, Visit
from staff import scope
from staff.services import invites

COLUMNS = 2


@on("adm:inv", needs="master.moderate")
def choose(visit: Visit, number: int = 1) -> Reply:
    """For which city?"""
    cities = list(scope.cities(visit.member).filter(is_active=True).order_by("name"))
    shown, number, pages = page_of(cities, number, COLUMNS)
    buttons = [tap(city.name, "adm:inv:make", city.pk) for city in shown]
    rows = [buttons[at : at + COLUMNS] for at in range(0, len(buttons), COLUMNS)]
    if scope.sees_all(visit.member):
        rows.insert(0, [tap(_("🌍 Any city"), "adm:inv:make", 0)])
    rows += [pager("adm:inv", number, pages), [back("adm:mod"), menu_button()]]
    return Reply(page("admin/invite_city.html", rows, page=number, pages=pages))


@on("adm:inv:make", needs="master.moderate", back=lambda visit, city_id: choose(visit))
def make(visit: Visit, city_id: int) -> Reply:
    """A new code."""
    city = scope.cities(visit.member).filter(pk=city_id, is_active=True).first() if city_id else None
    if city_id and city is None:
        return choose(visit)
    invite = invites.issue(actor=visit.actor, now=timezone.now(), city=city)
    link = names.link("master", invite.code)
    copies = [Button(_("📋 Code"), copy=invite.code)] + ([Button(_("📋 Link"), copy=link)] if link else [])
    rows = [
        copies,
        [tap(_("🚫 Revoke"), "adm:inv:off", invite.pk), tap(_("🎟 One more"), "adm:inv")],
        [menu_button()],
    ]
    return Reply(page("admin/invite.html", rows, invite=invite, link=link))


@on("adm:inv:off", needs="master.moderate", back=lambda visit, invite_id: choose(visit))
def revoke(visit: Visit, invite_id: int) -> Reply:
    """The code can no longer be used."""
    invite = invites.revoke(invite_id=invite_id, actor=visit.actor)
    return Reply(choose(visit).screen, toast=_("The code %(code)s is revoked.") % {"code": invite.code})
