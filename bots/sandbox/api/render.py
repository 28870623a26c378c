"""Stored messages as Bot API JSON, with the file ids of the bot that reads them."""

from __future__ import annotations

from typing import Any

from bots.sandbox.errors import JSON
from bots.sandbox.world import Bot, Message, World


def message_json(world: World, message: Message, bot: Bot, *, nested: bool = False) -> JSON:
    """The `Message` object as `bot` sees it; the message replied to is included one level deep."""
    room = message.room
    out: JSON = {"message_id": message.id, "date": message.date, "chat": room.chat}
    if message.sender:
        out["from"] = message.sender
    elif room.kind == "channel":
        out["sender_chat"] = room.chat
    out |= {key: _files(world, bot, value) for key, value in message.body.items() if key[0] != "_"}
    if message.edited:
        out["edit_date"] = message.edited
    if message.markup:
        out["reply_markup"] = message.markup
    if message.reply_to and not nested:
        target = room.messages.get(message.reply_to)
        if target and not target.deleted:
            out["reply_to_message"] = message_json(world, target, bot, nested=True)
    return out


def _files(world: World, bot: Bot, value: Any) -> Any:
    """Replace `_file` marks by this bot's file ids."""
    if isinstance(value, list):
        return [_files(world, bot, item) for item in value]
    if not isinstance(value, dict):
        return value
    if "_file" not in value:
        return {key: _files(world, bot, item) for key, item in value.items()}
    unique, kind = value["_file"], value["_kind"]
    ids = {"file_id": world.files.file_id(bot.id, unique, kind), "file_unique_id": unique}
    return ids | {key: item for key, item in value.items() if key[0] != "_"}
