"""Who acts: an argument of every write, kept in the history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Actor:
    """A staff member, a master or the system. `role` is set for staff only; `via` says through which door."""

    type: str  # a label of ENUM actor_type
    staff_id: int | None = None
    master_id: int | None = None
    role: str = ""
    via: str = ""

    @classmethod
    def of_staff(cls, member: Any, via: str = "") -> Actor:
        """A staff member."""
        return cls("ADMIN", staff_id=member.pk, role=member.role, via=via)

    @classmethod
    def of_master(cls, master: Any, via: str = "bot") -> Actor:
        """A master."""
        return cls("MASTER", master_id=master.pk, via=via)

    @property
    def kind(self) -> str:
        """`staff`, `master` or `system`."""
        return {"ADMIN": "staff", "MASTER": "master"}.get(self.type, "system")


SYSTEM = Actor("SYSTEM", via="system")
DISPATCH = Actor("AUTO_DISTRIBUTION", via="dispatch")
COMMAND_LINE = Actor("SYSTEM", via="cli")
