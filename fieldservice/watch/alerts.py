"""Lines for the ALERTS channel, if there is one."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _t

from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import BotName, Lane
from fieldservice.runtime import registry


def announce(text: str, *, dedup_key: str | None = None, via: BotName | None = None, good: bool = False) -> None:
    """Say `text` in ALERTS, once for a `dedup_key`. `via`: the bot that shall say it, when the admin bot cannot."""
    if channel := registry.get("alerts_channel_id"):
        message = outbox.Message(
            event="alert",
            payload={"text": text, "good": good},
            chat_id=channel,
            lane=Lane.CHANNEL,
            dedup_key=dedup_key,
            via=via,
        )
        outbox.enqueue(message)


def error(*, source: str, kind: str, place: str, number: str, now: datetime) -> None:
    """An unexpected error; one line an hour for the same error at the same place."""
    announce(error_text(source, kind, place, number), dedup_key=error_key(source, kind, place, now))


SOURCES = {
    "web admin": _t("web admin"),
    "worker": _t("worker"),
    "dispatch": _t("dispatch"),
    "master bot": _t("master bot"),
    "admin bot": _t("admin bot"),
}


def error_text(source: str, kind: str, place: str, number: str) -> str:
    """`source`: one of SOURCES. Never the error's message: it may quote a person."""
    with translation.override(settings.LANGUAGE_CODE):
        return _("Error (%(source)s): %(kind)s in %(place)s. Number %(number)s.") % {
            "source": SOURCES.get(source, source),
            "kind": kind,
            "place": place,
            "number": number,
        }


def error_key(source: str, kind: str, place: str, now: datetime) -> str:
    """The same for the same error within an hour."""
    return f"error:{source}:{kind}:{place}"[:100] + f":{now:%Y%m%d%H}"
