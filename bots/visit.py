"""What a handler gets and what it gives back. Handlers are sync: facts in, a reply out; the framework talks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bots.media import NOTHING, Enclosure, Incoming
from bots.screens import Screen
from fieldservice.lib.actor import Actor
from staff.models import Master, StaffUser


@dataclass(frozen=True, slots=True)
class Person:
    """Who wrote or tapped: a master in the master bot, a staff member in the admin bot."""

    tg_user_id: int
    language: str
    #: the Telegram name, without @
    username: str = ""
    master_row: Master | None = None
    member_row: StaffUser | None = None

    @property
    def master(self) -> Master:
        """The master. Only handlers of the master bot may ask."""
        assert self.master_row is not None
        return self.master_row

    @property
    def member(self) -> StaffUser:
        """The staff member. Only handlers of the admin bot may ask."""
        assert self.member_row is not None
        return self.member_row

    @property
    def actor(self) -> Actor:
        """For the services."""
        return Actor.of_master(self.master) if self.master_row else Actor.of_staff(self.member, via="bot")


@dataclass(frozen=True, slots=True)
class Dialog:
    """A question that waits for an answer: the step, and answers and ids collected so far (nothing else)."""

    step: str
    data: dict[str, Any] = field(default_factory=dict)


class _Keep:
    """The type of KEEP."""


#: the dialog stays as it is
KEEP = _Keep()


@dataclass(frozen=True, slots=True)
class Visit:
    """One tap or message of one person."""

    person: Person
    #: the running dialog, if any; never an expired one
    dialog: Dialog | None = None
    chat_id: int = 0
    #: the message whose button was tapped
    message_id: int | None = None
    incoming: Incoming = NOTHING

    @property
    def master(self) -> Master:
        return self.person.master

    @property
    def member(self) -> StaffUser:
        return self.person.member

    @property
    def actor(self) -> Actor:
        return self.person.actor

    def answer(self, key: str) -> Any:
        """An answer collected by the running dialog; None without a dialog."""
        return self.dialog.data.get(key) if self.dialog else None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the person sees. `dialog`: the question asked now; None ends a running one."""

    screen: Screen | None = None
    #: a line over the chat that goes away; with `alert` a window to close
    toast: str = ""
    alert: bool = False
    dialog: Dialog | _Keep | None = None
    #: files shown above the screen, which then is a new message below them
    files: tuple[Enclosure, ...] = ()
    #: draws the screen anew every few seconds: (the screen, whether it goes on); None: nothing to show any more
    live: Callable[[], tuple[Screen, bool] | None] | None = None
