"""What staff do with a master: each act asks what it must and runs a service; the master is told once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import read_number
from fieldservice.lib.errors import ConflictError, InvalidError, StaleError
from staff import access
from staff.enums import ModerationStatus
from staff.models import Master
from staff.selectors import has_applied
from staff.services import applications, moderation

Data = Mapping[str, Any]
RIGHT = "master.moderate"
#: reasons that come up again and again, as the admin bot has them
REJECTIONS = (
    gettext_lazy("The photo of the passport cannot be read: send a sharper one."),
    gettext_lazy("The selfie does not show your face clearly: send another one."),
    gettext_lazy("Name or phone do not agree with the documents: correct them."),
    gettext_lazy("We need no more masters in your city at the moment."),
)


@dataclass(frozen=True, slots=True)
class MasterAct:
    """A button of the master's page. `asks`: `reason`, `limit`, or nothing but a yes."""

    name: str
    title: Any
    says: Any
    fits_master: Callable[[Master], bool]
    run: Callable[[Master, Actor, Data], str]
    asks: str = ""
    icon: str = ""
    tone: str = ""
    presets: tuple[Any, ...] = ()
    right: str = RIGHT

    def fits(self, master: Master, role: str) -> bool:
        """Whether the button is there; the service decides at the click."""
        return access.may(role, self.right) and self.fits_master(master)


def available(master: Master, role: str) -> list[MasterAct]:
    """The acts that make sense now."""
    return [act for act in MASTER_ACTS.values() if act.fits(master, role)]


def _seen(master: Master, data: Data) -> int:
    """The version the page was made with. Raises StaleError unless it is the present one."""
    version = read_number(data.get("version")) or 0
    if version != Master.objects.values_list("version", flat=True).get(pk=master.pk):
        raise StaleError(_("The master was changed meanwhile: look once more, please."))
    return version


def _approve(master: Master, actor: Actor, data: Data) -> str:
    applications.approve(master_id=master.pk, actor=actor, now=timezone.now(), version=_seen(master, data))
    return _("%(name)s is approved and told.") % {"name": master}


def _reject(master: Master, actor: Actor, data: Data) -> str:
    reason = str(data.get("reason", ""))
    applications.reject(
        master_id=master.pk, reason=reason, actor=actor, now=timezone.now(), version=_seen(master, data)
    )
    return _("The application of %(name)s is rejected; the reason is on its way.") % {"name": master}


def _skills(granted: bool) -> Callable[[Master, Actor, Data], str]:
    def run(master: Master, actor: Actor, data: Data) -> str:
        _seen(master, data)
        applications.decide_skills(master_id=master.pk, granted=granted, actor=actor, now=timezone.now())
        return _("%(name)s is told about the skills.") % {"name": master}

    return run


def _block(master: Master, actor: Actor, data: Data) -> str:
    _seen(master, data)
    moderation.block(master_id=master.pk, reason=str(data.get("reason", "")), actor=actor, now=timezone.now())
    return _("%(name)s is blocked and told.") % {"name": master}


def _unblock(master: Master, actor: Actor, data: Data) -> str:
    _seen(master, data)
    moderation.unblock(master_id=master.pk, actor=actor, now=timezone.now())
    return _("%(name)s is unblocked and told.") % {"name": master}


def _limit(master: Master, actor: Actor, data: Data) -> str:
    _seen(master, data)
    moderation.set_limit(master_id=master.pk, limit=parse_limit(str(data.get("limit", ""))), actor=actor)
    return _("The limit of %(name)s is set.") % {"name": master}


def parse_limit(text: str) -> int | None:
    """0–20; empty: everybody's limit. Raises InvalidError with a sentence."""
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and int(text[:4]) <= moderation.LIMIT):
        raise InvalidError({"limit": _("The limit is a number from 0 to %(most)s.") % {"most": moderation.LIMIT}})
    return int(text)


def _close(master: Master, actor: Actor, data: Data) -> str:
    _seen(master, data)
    if master.is_deleted:
        raise ConflictError(_("This was decided already."))
    moderation.close_account(master_id=master.pk, reason=str(data.get("reason", "")), actor=actor)
    return _("The account of %(name)s is closed.") % {"name": master}


def _pending(master: Master) -> bool:
    return master.moderation_status == ModerationStatus.PENDING and has_applied(master) and not master.is_deleted


def _working(master: Master) -> bool:
    return master.moderation_status == ModerationStatus.APPROVED and not master.is_deleted


def _asks_skills(master: Master) -> bool:
    return bool(applications.asked_skills(master))


MASTER_ACTS: dict[str, MasterAct] = {
    act.name: act
    for act in (
        MasterAct("approve", gettext_lazy("Approve"), gettext_lazy("The master may start a shift and gets offers."),
                  _pending, _approve, icon="check", tone="primary"),
        MasterAct("reject", gettext_lazy("Reject"),
                  gettext_lazy("The master reads the reason, may correct the application and apply again."),
                  _pending, _reject, asks="reason", icon="close", tone="danger", presets=REJECTIONS),
        MasterAct("grant", gettext_lazy("Give the skills asked for"), gettext_lazy("The master gets such offers, too."),
                  _asks_skills, _skills(True), icon="add_task", tone="primary"),
        MasterAct("refuse", gettext_lazy("Refuse the skills"), gettext_lazy("The master keeps the skills of before."),
                  _asks_skills, _skills(False), icon="block"),
        MasterAct("unblock", gettext_lazy("Unblock"), gettext_lazy("The master may start a shift again."),
                  lambda master: master.is_blocked, _unblock, icon="lock_open", tone="primary"),
        MasterAct("limit", gettext_lazy("Limit of orders"),
                  gettext_lazy("How many orders at once, 0 to 20. Empty: as everybody."),
                  _working, _limit, asks="limit", icon="speed"),
        MasterAct("block", gettext_lazy("Block"),
                  gettext_lazy("The shift ends, no more offers; active orders and debts stay. The master is told why."),
                  lambda master: _working(master) and not master.is_blocked, _block, asks="reason", icon="block",
                  tone="danger"),
        MasterAct("close", gettext_lazy("Close the account"),
                  gettext_lazy("The master leaves; history and money stay, applying again is possible."),
                  lambda master: not master.is_deleted, _close, asks="reason", icon="person_off", tone="danger"),
    )
}  # fmt: skip
