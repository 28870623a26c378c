"""The first screen: the menu for masters, the application for everybody else."""

from __future__ import annotations

from bots.callbacks import on
from bots.master import menu
from bots.master.apply import entry
from bots.visit import Reply, Visit
from staff.enums import ModerationStatus
from staff.models import Master


@on("m:menu")
def home(visit: Visit) -> Reply:
    """/start, /menu, and wherever nothing else fits."""
    master = visit.person.master_row
    return Reply(menu.screen(master)) if master and is_member(master) else entry.entry(visit)


def is_member(master: Master) -> bool:
    """Whether the menu is theirs: approved and not gone. Blocked ones have it, with the way out."""
    return master.moderation_status == ModerationStatus.APPROVED and not master.is_deleted
