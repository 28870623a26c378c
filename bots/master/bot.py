"""The master bot: who may use it, and its sections."""

from __future__ import annotations

from aiogram.types import User
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots import language
from bots.bot import Spec
from bots.callbacks import Route
from bots.master import active, closing, finance, links, menu, offers, shift
from bots.visit import Person, Visit
from fieldservice.lib.errors import ForbiddenError
from fieldservice.runtime import wake
from staff.enums import ModerationStatus
from staff.models import Master
from staff.selectors import master_by_tg

SECTIONS = (menu, shift, offers, active, closing, finance, links)


def identify(user: User, text: str) -> Person:
    """The master with this Telegram id. Raises ForbiddenError for everybody else."""
    master = master_by_tg(user.id)
    if master is None or master.is_deleted:
        raise ForbiddenError(_("This bot is for the company's masters. Ask the office for an invitation, please."))
    if master.unreachable_at:
        reachable(user.id, True)
    return Person(user.id, language.choose(user.language_code), master_row=master)


def check(visit: Visit, route: Route) -> None:
    """Everything but the menu is for approved masters; blocked ones must be able to pay and to finish."""
    if route.needs == "approved" and visit.master.moderation_status != ModerationStatus.APPROVED:
        raise ForbiddenError(_("Your application is not approved yet: wait for the message, please."))


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
    home=menu.home,
    help=menu.help_page,
    commands={
        "start": gettext_lazy("Main menu"),
        "menu": gettext_lazy("Main menu"),
        "cancel": gettext_lazy("Stop what is being asked"),
        "help": gettext_lazy("How it works"),
    },
    reachable=reachable,
)
