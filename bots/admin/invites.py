"""Invite codes for masters: issued for a city, with a link that opens the master bot."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm, names
from bots.admin.menu import menu_button
from bots.buttons import COLUMNS, back, in_columns, page_of, pager, tap
from bots.callbacks import on
from bots.screens import Button, Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import InvalidError
from geo.models import City
from geo.selectors.places import search_cities
from staff import scope
from staff.services import invites

CITY = "adm:inv:city"


@on("adm:inv", needs="master.moderate")
def choose(visit: Visit, number: int = 1) -> Reply:
    """For which city?"""
    return _ask(visit, "", number)


@on("adm:inv:page", needs="master.moderate")
def turn(visit: Visit, number: int) -> Reply:
    """Another page of the cities that were found."""
    return _ask(visit, _typed(visit), number)


@fsm.step(CITY, ask=lambda visit: _screen(visit, _typed(visit), 1), needs="master.moderate")
def find(visit: Visit) -> Reply:
    """A part of a name; the only city like it is taken."""
    text = visit.incoming.text[:60]
    found = _found(visit, text) if text else []
    if not found:
        raise InvalidError(_("There is no such city. Type a part of its name, or choose it."))
    return make(visit, found[0].pk) if len(found) == 1 else _ask(visit, text, 1)


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
    return replace(choose(visit), toast=_("The code %(code)s is revoked.") % {"code": invite.code})


def _typed(visit: Visit) -> str:
    asked = visit.dialog is not None and visit.dialog.step == CITY
    return str(visit.answer("typed") or "") if asked else ""


def _found(visit: Visit, typed: str) -> list[City]:
    return search_cities(typed, among=scope.cities(visit.member))


def _ask(visit: Visit, typed: str, number: int) -> Reply:
    return Reply(_screen(visit, typed, number), dialog=Dialog(CITY, {"typed": typed}))


def _screen(visit: Visit, typed: str, number: int) -> Screen:
    shown, number, pages = page_of(_found(visit, typed), number, COLUMNS)
    rows = in_columns([tap(city.name, "adm:inv:make", city.pk) for city in shown])
    if scope.sees_all(visit.member) and not typed:
        rows.insert(0, [tap(_("🌍 Any city"), "adm:inv:make", 0)])
    rows.append(pager("adm:inv:page", number, pages))
    if typed:
        rows.append([tap(_("All cities"), "adm:inv")])
    rows.append([back("adm:mod"), menu_button()])
    return page("admin/invite_city.html", rows, page=number, pages=pages)
