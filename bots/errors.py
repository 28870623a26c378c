"""What happens when something cannot be done, or goes wrong: the person is always told."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bots.db import in_db
from bots.visit import KEEP, Reply
from fieldservice.lib.errors import DomainError
from fieldservice.watch import alerts
from fieldservice.watch.error_alerts import place

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
    where = place(error.__traceback__)
    log.error("bot_error", extra=facts(error) | {"bot": bot, "number": number, "place": where})
    try:
        kind, now = type(error).__name__, timezone.now()
        await in_db(alerts.error, source=f"{bot} bot", kind=kind, place=where, number=number, now=now)
    except Exception:  # noqa: BLE001 - the database itself may be what failed
        log.warning("alert_not_written", extra={"number": number})
    sentence = _("Something went wrong. Try again, please; if it repeats, tell support the number %(number)s.")
    return Reply(toast=sentence % {"number": number}, alert=True, dialog=KEEP)


def facts(error: BaseException) -> dict[str, Any]:
    """For the log: class, stack, SQLSTATE. Never the message: it may quote what a person wrote."""
    cause, frames = error.__cause__, traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "stack": [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
        "sqlstate": getattr(cause, "sqlstate", None) or getattr(error, "sqlstate", None),
    }
