"""What happens when something cannot be done, or goes wrong: the person is always told."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from bots.db import in_db
from bots.visit import KEEP, Reply
from fieldservice.lib.errors import DomainError
from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Lane
from fieldservice.runtime import registry

log = logging.getLogger(__name__)
#: Telegram's limit for the text of an answered callback
ALERT_LIMIT = 200


def refused(error: DomainError, back: Callable[[], Reply] | None = None) -> Reply:
    """The error's sentence over what is true now (`back`), if that can be shown."""
    try:
        shown = back() if back else Reply(dialog=KEEP)
    except DomainError:
        shown = Reply(dialog=KEEP)
    return Reply(shown.screen, toast=str(error), alert=True, dialog=shown.dialog)


async def crashed(error: BaseException, *, bot: str) -> Reply:
    """Log the unexpected, alert the staff, give the person a number to quote."""
    number = secrets.token_hex(3)
    place = place_of(error)
    log.error("bot_error", extra=facts(error) | {"bot": bot, "number": number, "place": place})
    try:
        await in_db(alert, bot=bot, kind=type(error).__name__, place=place, number=number)
    except Exception:  # noqa: BLE001 - the database itself may be what failed
        log.warning("alert_not_written", extra={"number": number})
    sentence = _("Something went wrong. Try again, please; if it repeats, tell support the number %(number)s.")
    return Reply(toast=sentence % {"number": number}, alert=True, dialog=KEEP)


def facts(error: BaseException) -> dict[str, Any]:
    """For the log: class, stack, SQLSTATE. Never the message: it may quote what a person wrote."""
    cause, frames = error.__cause__, traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "stack": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
        "sqlstate": getattr(cause, "sqlstate", None) or getattr(error, "sqlstate", None),
    }


def place_of(error: BaseException) -> str:
    """`offers.py:accept`: the innermost function of ours in the stack."""
    frames, home = traceback.extract_tb(error.__traceback__), str(settings.BASE_DIR)
    ours = [frame for frame in frames if home in frame.filename and "site-packages" not in frame.filename]
    frame = (ours or list(frames) or [traceback.FrameSummary("?", 0, "?")])[-1]
    return f"{Path(frame.filename).name}:{frame.name}"


def alert(*, bot: str, kind: str, place: str, number: str) -> None:
    """A row for the ALERTS channel, one an hour for the same error at the same place."""
    with translation.override(settings.LANGUAGE_CODE):
        text = _("Error in the %(bot)s bot: %(kind)s in %(place)s. Number %(number)s.") % {
            "bot": bot,
            "kind": kind,
            "place": place,
            "number": number,
        }
    announce(text, dedup_key=f"error:{bot}:{kind}:{place}"[:100] + f":{timezone.now():%Y%m%d%H}")


def announce(text: str, *, dedup_key: str | None = None) -> None:
    """A line for the ALERTS channel, if there is one."""
    if channel := registry.get("alerts_channel_id"):
        outbox.enqueue(
            outbox.Message(
                event="alert", payload={"text": text}, chat_id=channel, lane=Lane.CHANNEL, dedup_key=dedup_key
            )
        )
