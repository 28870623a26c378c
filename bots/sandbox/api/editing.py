"""Methods that change or remove messages, and the answers to callback queries."""

from __future__ import annotations

from typing import Any

from bots.sandbox.errors import JSON, bad_request
from bots.sandbox.keyboards import check_url, is_inline
from bots.sandbox.world import Message

from .call import MAX_TEXT, Call, method
from .render import message_json
from .sending import MEDIA, media_body, pick_file

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
TOO_OLD_QUERY = "query is too old and response timeout expired or query ID is invalid"
EDITABLE_MEDIA = ("photo", "document", "video", "audio", "animation")
MAX_AGE_TO_DELETE = 48 * 3600


def editable(call: Call) -> Message:
    """The message of an edit call. Raises "message to edit not found", "message can't be edited"."""
    if call.params.get("inline_message_id"):
        raise bad_request("MESSAGE_ID_INVALID")
    if not call.text("message_id"):
        raise bad_request("message identifier is not specified")
    message = call.message(call.room(), "message to edit")
    if not call.mine(message) or message.reply_keyboard or "forward_origin" in message.body:
        raise bad_request("message can't be edited")
    return message


def apply_edit(call: Call, message: Message, body: JSON) -> JSON:
    """Replace body and inline keyboard; an edit without reply_markup takes the keyboard away.

    Raises "message is not modified".
    """
    markup = call.markup()
    if markup and not is_inline(markup):
        raise bad_request("inline keyboard expected")
    markup = markup if markup and markup["inline_keyboard"] else None
    if body == message.body and (markup or None) == (message.markup or None):
        raise bad_request(NOT_MODIFIED)
    call.world.remember_edit(message)
    message.body, message.markup = body, markup
    message.edited = int(call.world.now())
    call.world.touch(message.room, message)
    return message_json(call.world, message, call.bot)


@method("editMessageText")
def edit_text(call: Call) -> JSON:
    message = editable(call)
    if "text" not in message.body:
        raise bad_request("there is no text in the message to edit")
    text, entities = call.formatted("text", "entities")
    if not text:
        raise bad_request("message text is empty")
    if len(text) > MAX_TEXT:
        raise bad_request("message is too long")
    kept = {k: v for k, v in message.body.items() if k not in ("text", "entities")}
    return apply_edit(call, message, kept | {"text": text} | ({"entities": entities} if entities else {}))


@method("editMessageCaption")
def edit_caption(call: Call) -> JSON:
    message = editable(call)
    if not any(kind in message.body for kind in MEDIA):
        raise bad_request("there is no caption in the message to edit")
    kept = {k: v for k, v in message.body.items() if k not in ("caption", "caption_entities")}
    return apply_edit(call, message, kept | call.caption())


@method("editMessageMedia")
def edit_media(call: Call) -> JSON:
    message = editable(call)
    item = call.json("media")
    if not isinstance(item, dict) or item.get("type") not in EDITABLE_MEDIA:
        raise bad_request("can't parse InputMedia: type must be one of " + ", ".join(EDITABLE_MEDIA))
    kind = str(item["type"])
    body = media_body(call, kind, pick_file(call, kind, item.get("media")), item)
    kept = {k: v for k, v in message.body.items() if k in ("_author", "media_group_id")}
    return apply_edit(call, message, kept | body)


@method("editMessageReplyMarkup")
def edit_markup(call: Call) -> JSON:
    message = editable(call)
    return apply_edit(call, message, message.body)


@method("deleteMessage")
def delete_message(call: Call) -> bool:
    message = call.message(call.room(), "message to delete")
    if not _deletable(call, message):
        raise bad_request("message can't be deleted for everyone")
    _delete(call, message)
    return True


@method("deleteMessages")
def delete_messages(call: Call) -> bool:
    room = call.room()
    numbers = call.json("message_ids")
    if not isinstance(numbers, list) or not numbers:
        raise bad_request("message identifiers are not specified")
    if len(numbers) > 100:
        raise bad_request("too many message identifiers specified")
    for number in numbers:
        message = room.messages.get(int(number))
        if message and not message.deleted and _deletable(call, message):
            _delete(call, message)
    return True


def _deletable(call: Call, message: Message) -> bool:
    """Own messages, anything in a private chat, anything where the bot is an administrator; 48 hours at most."""
    if call.world.now() - message.date > MAX_AGE_TO_DELETE:
        return False
    admin = message.room.members.get(call.bot.id) in ("creator", "administrator")
    return message.room.kind == "private" or admin or call.mine(message)


def _delete(call: Call, message: Message) -> None:
    message.deleted = True
    call.world.touch(message.room, message)


@method("answerCallbackQuery")
def answer_callback_query(call: Call) -> bool:
    callback = call.world.callbacks.get(call.text("callback_query_id"))
    known = callback and callback.bot_id == call.bot.id and callback.answer is None
    if not callback or not known or call.world.now() - callback.at > call.world.callback_ttl:
        raise bad_request(TOO_OLD_QUERY)
    text, url = call.text("text"), call.text("url")
    if len(text) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    if url:
        check_url(url)
    callback.answer = {"text": text, "alert": call.flag("show_alert"), "url": url, "at": call.world.now()}
    call.world.touch(callback.room)
    return True


@method("pinChatMessage", "unpinChatMessage", "unpinAllChatMessages")
def pin(call: Call) -> Any:
    room = call.writable_room()
    name = call.method.lower()
    if name == "unpinallchatmessages":
        room.pinned.clear()
    elif name == "pinchatmessage":
        message = call.message(room, "message to pin")
        room.pinned = [message.id, *(n for n in room.pinned if n != message.id)][:100]
    else:
        wanted = call.integer("message_id") or (room.pinned[0] if room.pinned else 0)
        room.pinned = [n for n in room.pinned if n != wanted]
    call.world.touch(room)
    return True
