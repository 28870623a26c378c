"""The master bot: who may use it, and its sections."""

from __future__ import annotations

from dataclasses import replace

from aiogram.types import User
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots import language
from bots.bot import Spec
from bots.master import (
    active,
    closing,
    finance,
    history,
    home,
    invitations,
    links,
    menu,
    offers,
    paying,
    profile,
    shift,
)
from bots.master.apply import answers, entry
from bots.visit import Person, Reply, Visit
from fieldservice.lib.errors import ForbiddenError
from fieldservice.runtime import wake
from staff.models import Master
from staff.selectors import has_applied, master_by_tg
from staff.services.onboarding import may_reapply

SECTIONS = (
    home, shift, offers, active, closing, finance, paying, links, history, invitations, profile, entry, answers,
)  # fmt: skip


def identify(user: User, text: str) -> Person:
    """Whoever writes; with the row of masters, if there is one. What they may do is decided by `check`."""
    master = master_by_tg(user.id)
    if master is not None and master.unreachable_at:
        reachable(user.id, True)
    return Person(user.id, language.choose(user.language_code), username=user.username or "", master_row=master)


def check(visit: Visit, needs: str) -> None:
    """`approved`: masters, blocked ones too, who must be able to pay and to finish. `apply`: who may fill in the form.

    The rest, the menu, shows everybody where they stand.
    """
    master = visit.person.master_row
    if needs == "approved" and not (master and home.is_member(master)):
        if master and not master.is_deleted and has_applied(master):
            raise ForbiddenError(_("Your application is not approved yet: wait for the message, please."))
        raise ForbiddenError(_("This bot is for the company's masters. Ask the office for an invitation, please."))
    if needs == "apply" and master and not may_reapply(master):
        raise ForbiddenError(_("You have applied already."))


def help_page(visit: Visit) -> Reply:
    """/help. Who is no master yet is asked what is asked of him: the page tells him to send the code."""
    helped = menu.help_page(visit)
    master = visit.person.master_row
    if visit.dialog or (master and home.is_member(master)):
        return helped
    return replace(helped, dialog=entry.entry(visit).dialog)


def reachable(tg_user_id: int, is_reachable: bool) -> None:
    """The person came back: offers are possible again. That he left is found out by the first offer he cannot get."""
    if not is_reachable:
        return
    master = Master.objects.filter(tg_user_id=tg_user_id, unreachable_at__isnull=False).first()
    if master is None:
        return
    Master.objects.filter(pk=master.pk).update(unreachable_at=None)
    if master.city_id is not None:
        wake.dispatch(city_id=master.city_id)


SPEC = Spec(
    name="master",
    scope="m",
    token=lambda: settings.MASTER_BOT_TOKEN,
    variable="MASTER_BOT_TOKEN",
    identify=identify,
    check=check,
    home=home.home,
    help=help_page,
    commands={
        "start": gettext_lazy("Main menu"),
        "menu": gettext_lazy("Main menu"),
        "cancel": gettext_lazy("Stop what is being asked"),
        "help": gettext_lazy("How it works"),
    },
    reachable=reachable,
    standing=offers.standing,
)
