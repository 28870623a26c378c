"""Files shown to people. A file id is good for one bot: the other one fetches the file and sends it anew."""

from __future__ import annotations

import hashlib
import itertools
import logging
from collections.abc import Sequence

from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.methods import SendDocument, SendMediaGroup, SendPhoto
from aiogram.types import BufferedInputFile, InputMediaDocument, InputMediaPhoto, MediaUnion, Message
from django.conf import settings
from django.core.cache import cache
from django.utils.html import escape
from redis.exceptions import RedisError

from bots import text, wire
from bots.bot import connect
from bots.db import in_db
from bots.media import MAX_BYTES, Enclosure

log = logging.getLogger(__name__)
TOKENS = {"master": lambda: settings.MASTER_BOT_TOKEN, "admin": lambda: settings.ADMIN_BOT_TOKEN}
CAPTION = 1024
ALBUM = 10
#: seconds a fetched file's id of the second bot is remembered
KNOWN = 30 * 24 * 3600
Sendable = str | BufferedInputFile


async def send(bot: Bot, name: str, files: Sequence[Enclosure], *, chat_id: int) -> int:
    """Send `files` through the bot called `name`, albums of one kind together; returns how many could not be shown."""
    ready: list[tuple[Enclosure, Sendable]] = []
    for file in files:
        if (body := await _body(file, name)) is not None:
            ready.append((file, body))
    lost = len(files) - len(ready)
    for _kind, same in itertools.groupby(ready, key=lambda pair: (pair[0].kind, pair[0].secret)):
        for group in _batched(list(same)):
            lost += await _group(bot, name, group, chat_id)
    return lost


def _batched(items: list[tuple[Enclosure, Sendable]]) -> list[list[tuple[Enclosure, Sendable]]]:
    return [items[at : at + ALBUM] for at in range(0, len(items), ALBUM)]


async def _group(bot: Bot, name: str, group: list[tuple[Enclosure, Sendable]], chat_id: int) -> int:
    try:
        sent = await _call(bot, group, chat_id)
    except AiogramError as error:
        log.warning("files_not_sent", extra={"bot": name, "count": len(group), "error": type(error).__name__})
        return len(group)
    for (file, body), message in zip(group, sent, strict=True):
        if not isinstance(body, str) and file.file_id and (new := _id_of(message)):
            await in_db(_remember, name, file, new)
    return 0


async def _call(bot: Bot, group: list[tuple[Enclosure, Sendable]], chat_id: int) -> list[Message]:
    file, body = group[0]
    photo, secret = file.kind == "PHOTO", file.secret or None
    if len(group) > 1:
        kind = InputMediaPhoto if photo else InputMediaDocument
        media: list[MediaUnion] = [kind(media=item, caption=_caption(one)) for one, item in group]
        return await wire.patient(bot, SendMediaGroup(chat_id=chat_id, media=media, protect_content=secret))
    if photo:
        one = SendPhoto(chat_id=chat_id, photo=body, caption=_caption(file), protect_content=secret)
        return [await wire.patient(bot, one)]
    other = SendDocument(chat_id=chat_id, document=body, caption=_caption(file), protect_content=secret)
    return [await wire.patient(bot, other)]


def _caption(file: Enclosure) -> str | None:
    return text.shorten(escape(file.caption), CAPTION) or None


def _id_of(message: Message) -> str:
    if message.photo:
        return message.photo[-1].file_id
    return message.document.file_id if message.document else ""


async def _body(file: Enclosure, name: str) -> Sendable | None:
    """What Telegram is given: an id this bot may use, or the bytes."""
    if file.content:
        return BufferedInputFile(file.content, file.name or "file")
    if file.bot == name and file.kind in ("PHOTO", "DOCUMENT"):
        return file.file_id  # of other kinds an id is good for its own kind of message only
    if known := await in_db(_known, name, file):
        return known
    return await _fetched(file)


async def _fetched(file: Enclosure) -> BufferedInputFile | None:
    if file.bot not in TOKENS:
        return None
    owner = connect(TOKENS[file.bot]())
    try:
        body = await owner.download(file.file_id)
        content = body.read(MAX_BYTES + 1) if body else b""
    except (AiogramError, OSError, TimeoutError) as error:
        log.warning("file_not_fetched", extra={"bot": file.bot, "error": type(error).__name__})
        return None
    finally:
        await owner.session.close()
    return BufferedInputFile(content, file.name or _name(file)) if 0 < len(content) <= MAX_BYTES else None


def _name(file: Enclosure) -> str:
    return "photo.jpg" if file.kind == "PHOTO" else "document"


def _key(name: str, file: Enclosure) -> str:
    return f"bots:file:{name}:{hashlib.sha256(f'{file.bot}:{file.kind}:{file.file_id}'.encode()).hexdigest()[:40]}"


def _known(name: str, file: Enclosure) -> str:
    try:
        return cache.get(_key(name, file)) or ""
    except (RedisError, OSError):
        return ""


def _remember(name: str, file: Enclosure, file_id: str) -> None:
    try:
        cache.set(_key(name, file), file_id, timeout=KNOWN)
    except (RedisError, OSError) as error:
        log.info("file_id_not_kept", extra={"error": type(error).__name__})
