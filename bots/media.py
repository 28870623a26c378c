"""What people send, reduced to what handlers need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiogram.types import Message
from django.utils.translation import gettext as _

from fieldservice.lib.errors import InvalidError

#: a bot cannot download more (Bot API)
MAX_BYTES = 20 * 1024 * 1024
PAGES = ("image/", "application/pdf")


@dataclass(frozen=True, slots=True)
class File:
    """A photo or document in Telegram: named by ids that are good for the bot that received it."""

    kind: str  # PHOTO or DOCUMENT
    file_id: str
    unique_id: str
    name: str = ""
    mime: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file to show: known to the bot called `bot`, or `content` of our own."""

    kind: str  # PHOTO or DOCUMENT
    file_id: str = ""
    bot: str = ""
    name: str = ""
    caption: str = ""
    content: bytes = b""
    #: may not be saved or forwarded
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message: `kind` is Telegram's word for it (text, photo, document, sticker …)."""

    kind: str = ""
    text: str = ""
    file: File | None = None
    #: photos sent together share this
    album: str | None = None
    #: the sender's own number, shared by a button; somebody else's card leaves it empty
    phone: str = ""
    #: a place on the map: latitude, longitude
    place: tuple[float, float] | None = None


NOTHING = Incoming()


def read(message: Message) -> Incoming:
    """The facts of a message. Bodies are never logged."""
    return Incoming(
        kind=str(getattr(message.content_type, "value", message.content_type)),
        text=(message.text or "").strip(),
        file=_file(message),
        album=message.media_group_id,
        phone=_own_phone(message),
        place=(message.location.latitude, message.location.longitude) if message.location else None,
    )


def _own_phone(message: Message) -> str:
    card = message.contact
    is_own = card and message.from_user and card.user_id == message.from_user.id and not message.forward_origin
    return card.phone_number if card and is_own else ""


def _file(message: Message) -> File | None:
    if message.photo:
        best = message.photo[-1]  # sizes come smallest first
        return File("PHOTO", best.file_id, best.file_unique_id, mime="image/jpeg", size=best.file_size)
    if message.document:
        item = message.document
        name, mime = item.file_name or "", item.mime_type or ""
        return File("DOCUMENT", item.file_id, item.file_unique_id, name, mime, item.file_size)
    return None


def page_of(incoming: Incoming, expected: str) -> File:
    """The photo or scan in the message. Raises InvalidError: `expected` for anything else, or what is wrong with it."""
    file = incoming.file
    if file is None:
        raise InvalidError(expected)
    if file.size and file.size > MAX_BYTES:
        raise InvalidError(_("The file is larger than 20 MB. Send a smaller one, please."))
    if not file.mime.startswith(PAGES):
        raise InvalidError(_("Only photos, pictures and PDF files are accepted."))
    return file


def ref_fields(file: File, bot: str) -> dict[str, Any]:
    """Field values of `orders.services.files.FileRef`."""
    return {
        "file_type": file.kind,
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_name": file.name,
        "mime_type": file.mime,
        "size": file.size,
        "bot": bot,
    }
