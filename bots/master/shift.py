"""The shift: on, off, break, return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from bots.buttons import tap
from bots.callbacks import on
from bots.master import home, menu
from bots.screens import page
from bots.visit import Reply, Visit
from fieldservice.lib.errors import InvalidError
from staff.models import Master
from staff.services import shifts

BREAKS = {"15m": 15, "1h": 60, "2h": 120}


@on("m:sh:on", needs="approved", back=home.home)
def start(visit: Visit) -> Reply:
    """Begin the shift."""
    return _do(visit, shifts.start, _("The shift has begun. Good luck!"))


@on("m:sh:off", needs="approved", back=home.home)
def stop(visit: Visit) -> Reply:
    """End the shift; offers that are out and active orders stay."""
    return _do(visit, shifts.stop, _("The shift has ended."))


@on("m:sh:brk:ok", needs="approved", back=home.home)
def resume(visit: Visit) -> Reply:
    """Back from a break, or from its end."""
    return _do(visit, shifts.resume, _("Welcome back: you are on shift."))


@on("m:sh:brk", needs="approved", back=lambda visit, length="": home.home(visit))
def take_break(visit: Visit, length: str = "") -> Reply:
    """Without a length: which one? With it: the break begins, or is extended from now on."""
    if not length:
        names = {"15m": _("15 minutes"), "1h": _("1 hour"), "2h": _("2 hours")}
        rows = [[tap(name, "m:sh:brk", code) for code, name in names.items()], [menu.menu_button()]]
        return Reply(page("master/break.html", rows))
    if length not in BREAKS:
        raise InvalidError(_("This button is out of date. Here is the menu."))
    return _do(visit, shifts.take_break, _("Have a good rest."), minutes=BREAKS[length])


def _do(visit: Visit, service: Callable[..., Master], toast: str, **kwargs: Any) -> Reply:
    service(master_id=visit.master.pk, actor=visit.actor, **kwargs)
    # read again: the menu shows what was written, not what the service returned
    master = Master.objects.select_related("city").get(pk=visit.master.pk)
    return Reply(menu.screen(master), toast=toast)
