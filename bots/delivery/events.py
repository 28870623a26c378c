"""All events: importing this registers how they look, and the handlers their buttons name."""

from __future__ import annotations

from bots.admin.bot import SPEC as ADMIN
from bots.delivery import money, to_masters, to_staff
from bots.master.bot import SPEC as MASTER

__all__ = ["ADMIN", "MASTER", "money", "to_masters", "to_staff"]
