"""From an outbox row to what is sent: the rows it speaks of are read again, so that only what is true goes out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.html import escape

from bots import language
from bots import text as texts
from bots.live import Redraw
from bots.media import Enclosure
from bots.screens import Screen
from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Notification
from staff.models import Master, StaffUser

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Post:
    """A message ready to go. `over`: worth an edit of what is on the screen, but not a message of its own."""

    screen: Screen
    over: bool = False
    #: draws it anew every few seconds
    live: Redraw | None = None
    #: a file of ours, the screen is its caption
    document: Enclosure | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """What to do with a row: send to `chat_id`, or edit `message_id` there."""

    screen: Screen
    chat_id: int
    message_id: int | None = None
    live: Redraw | None = None
    language: str = ""
    document: Enclosure | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """The row is skipped. `deaf`: there is nobody to send it to."""

    why: str
    deaf: bool = False


#: (bot, event) → post; None: no longer true
Render = Callable[[Notification, datetime], Post | None]
EVENTS: dict[tuple[str, str], Render] = {}


def event(bot: str, name: str) -> Callable[[Render], Render]:
    """Register how an event looks. Raises ValueError when the bot knows it already."""

    def register(render: Render) -> Render:
        if (bot, name) in EVENTS:
            raise ValueError(f"the {bot} bot shows {name} already")
        EVENTS[bot, name] = render
        return render

    return register


@dataclass(frozen=True, slots=True)
class Ready:
    """What became of rows that were to be one message: in the parcel, skipped, or left for the next one."""

    parcel: Parcel | None = None
    rows: tuple[Notification, ...] = ()
    skipped: tuple[tuple[Notification, Nothing], ...] = ()
    left: tuple[Notification, ...] = ()


def prepare(rows: Sequence[Notification], now: datetime) -> Ready:
    """Render rows of one chat at `now` and put them into one message, as many as fit."""
    ready = Ready()
    for index, row in enumerate(rows):
        made = prepare_one(row, now)
        if isinstance(made, Nothing):
            ready = replace(ready, skipped=(*ready.skipped, (row, made)))
            continue
        joined = _join(ready.parcel, made)
        if joined is None:
            return replace(ready, left=tuple(rows[index:]))
        ready = replace(ready, parcel=joined, rows=(*ready.rows, row))
    return ready


def _join(parcel: Parcel | None, made: Parcel) -> Parcel | None:
    """Both in one message; None when that would be too long."""
    if parcel is None:
        return made
    if parcel.document or made.document:
        return None
    text = f"{parcel.screen.text}\n\n{made.screen.text}"
    return replace(parcel, screen=Screen(text)) if texts.visible(text) <= texts.LIMIT else None


def prepare_one(row: Notification, now: datetime) -> Parcel | Nothing:
    """What to send for a row at `now`, in the recipient's language."""
    if row.expires_at and row.expires_at <= now:
        return Nothing("expired")
    chat_id = _chat_of(row)
    if chat_id is None:
        return Nothing("nobody to send it to", deaf=True)
    spoken = language.known(chat_id) if chat_id > 0 else settings.LANGUAGE_CODE
    with translation.override(spoken):
        post = _post(row, now)
    if post is None:
        return Nothing("no longer true")
    on_screen = outbox.sent_message(row.edits_key) if row.edits_key else None
    if on_screen:
        return Parcel(post.screen, *on_screen)
    if post.over:
        return Nothing("over before it was sent")
    return Parcel(post.screen, chat_id, live=post.live, language=spoken, document=post.document)


def payload(row: Notification, key: str) -> Any:
    """A value of the row's payload; None when it is missing (rows may come from older versions)."""
    return row.payload.get(key) if isinstance(row.payload, dict) else None


def _post(row: Notification, now: datetime) -> Post | None:
    if message := payload(row, "message"):  # as v1.2 wrote it, also for events we have
        return Post(Screen(escape(str(message))))
    if render := EVENTS.get((row.bot, row.event)):
        return render(row, now)
    log.warning("event_unknown", extra={"event": row.event, "bot": row.bot})
    return None


def _chat_of(row: Notification) -> int | None:
    if row.master_id:
        return Master.objects.filter(pk=row.master_id).values_list("tg_user_id", flat=True).first()
    if row.staff_id:
        return StaffUser.objects.filter(pk=row.staff_id, is_active=True).values_list("tg_user_id", flat=True).first()
    return row.chat_id
