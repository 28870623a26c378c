"""The admin bot: who may use it, and its sections."""

from __future__ import annotations

from aiogram.types import User
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots import language
from bots.admin import (
    abilities,
    actions,
    assign,
    bulk,
    corrections,
    debtors,
    filters,
    finance,
    find,
    invites,
    joining,
    logs,
    masters,
    menu,
    moderation,
    orders,
    parameters,
    queue,
    reports,
    rerouting,
    rescheduling,
    settling,
    stats,
    team,
    visits,
    web,
)
from bots.admin.create import answers as new_order
from bots.bot import Spec
from bots.visit import Person, Reply, Visit
from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError, ForbiddenError
from staff import access
from staff.enums import Role
from staff.models import StaffUser
from staff.selectors import member_by_tg
from staff.services.moderation import audit

SECTIONS = (
    menu, joining, new_order, queue, filters, orders, find, actions, corrections, rerouting, rescheduling, visits,
    assign, finance, settling, debtors, reports, moderation, bulk, invites, masters, abilities, stats, logs,
    parameters, team, web,
)  # fmt: skip


def identify(user: User, text: str) -> Person:
    """The active staff member with this Telegram id; a stranger is a guest, who may only join.

    Raises ForbiddenError for a member whose access is switched off.
    """
    member = member_by_tg(user.id)
    if member is None and user.id in settings.GLOBAL_ADMINS_TG_IDS and text.startswith("/start"):
        member = _first_admin(user)
    if member and not member.is_active:
        raise ForbiddenError(_("Your access is switched off. Ask an admin, please."))
    return Person(user.id, language.choose(user.language_code), member_row=member)


def check(visit: Visit, needs: str) -> None:
    """The access matrix, at every tap: a role may have changed since the button was shown. Guests may join only."""
    if visit.person.member_row is None:
        if needs != joining.GUEST:
            raise ForbiddenError(_("This bot is for the company's staff. Ask an admin for an access code, please."))
        return
    if needs == joining.GUEST:
        raise ConflictError(_("You are a staff member already."))
    if needs and not access.may(visit.member.role, needs):
        raise ForbiddenError(_("Your role does not allow this."))


def home(visit: Visit) -> Reply:
    """The menu, or the way in."""
    return menu.home(visit) if visit.person.member_row else joining.entry(visit)


def help_page(visit: Visit) -> Reply:
    """/help."""
    return menu.help_page(visit) if visit.person.member_row else joining.entry(visit)


@transaction.atomic
def _first_admin(user: User) -> StaffUser:
    """A person named in GLOBAL_ADMINS_TG_IDS becomes a GLOBAL_ADMIN; twice at once makes one."""
    member, created = StaffUser.objects.get_or_create(
        tg_user_id=user.id, defaults={"role": Role.GLOBAL_ADMIN, "full_name": user.full_name[:160], "is_active": True}
    )
    if created:
        audit("bootstrap_global_admin", actor=Actor.of_staff(member, via="bot"), staff_id=member.pk)
    return member


SPEC = Spec(
    name="admin",
    scope="adm",
    token=lambda: settings.ADMIN_BOT_TOKEN,
    variable="ADMIN_BOT_TOKEN",
    identify=identify,
    check=check,
    home=home,
    help=help_page,
    commands={
        "start": gettext_lazy("Main menu"),
        "menu": gettext_lazy("Main menu"),
        "cancel": gettext_lazy("Stop what is being asked"),
        "help": gettext_lazy("How it works"),
    },
    # a staff member who blocked the bot is no concern of dispatch
    reachable=lambda tg_user_id, is_reachable: None,
)
