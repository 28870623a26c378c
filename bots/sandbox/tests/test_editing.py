"""Edits, deletions, callback answers."""

import pytest
from aiogram import Bot
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    ReplyKeyboardRemove,
)

from bots.sandbox import Sandbox
from bots.sandbox.pictures import sample_photo

IVAN = 1001
BUTTON = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Go", callback_data="go")]])
OTHER = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Stop", callback_data="stop")]])
SAME = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


def edit(number, text="x", **more):
    return lambda bot: bot.edit_message_text(text, chat_id=IVAN, message_id=number, **more)


def test_an_edit_in_place_keeps_history(chat, run):
    sent = run(lambda bot: bot.send_message(IVAN, "one", reply_markup=BUTTON))
    edited = run(edit(sent.message_id, "<b>two</b>", parse_mode="HTML"))
    assert edited.edit_date
    assert edited.reply_markup is None  # an edit without a keyboard takes it away
    seen = chat.sees("two")
    assert seen.data["history"][0]["text"] == "one"
    assert seen.data["history"][0]["buttons"] == [["Go"]]
    chat.does_not_see("one")


def test_an_unchanged_edit_is_refused(chat, run, refused):
    sent = run(lambda bot: bot.send_message(IVAN, "one", reply_markup=BUTTON))
    assert refused(edit(sent.message_id, "one", reply_markup=BUTTON)) == SAME
    assert run(edit(sent.message_id, "one", reply_markup=OTHER))
    assert (
        refused(lambda b: b.edit_message_reply_markup(chat_id=IVAN, message_id=sent.message_id, reply_markup=OTHER))
        == SAME
    )


def test_what_cannot_be_edited(chat, run, refused):
    gone = run(lambda bot: bot.send_message(IVAN, "x"))
    run(lambda bot: bot.delete_message(IVAN, gone.message_id))
    with_remove = run(lambda bot: bot.send_message(IVAN, "x", reply_markup=ReplyKeyboardRemove()))
    assert refused(edit(gone.message_id)) == "Bad Request: message to edit not found"
    assert refused(edit(999)) == "Bad Request: message to edit not found"
    assert refused(edit(1)) == "Bad Request: message can't be edited"  # the person's /start
    assert refused(edit(with_remove.message_id, "y")) == "Bad Request: message can't be edited"
    assert refused(lambda b: b.delete_message(IVAN, gone.message_id)) == "Bad Request: message to delete not found"


def test_photos_are_edited_by_caption_and_media(chat, run, refused):
    photo = BufferedInputFile(sample_photo(), "a.png")
    number = run(lambda bot: bot.send_photo(IVAN, photo, caption="one")).message_id
    assert refused(edit(number)) == "Bad Request: there is no text in the message to edit"
    assert run(lambda b: b.edit_message_caption(chat_id=IVAN, message_id=number, caption="two")).caption == "two"
    new = InputMediaPhoto(media=BufferedInputFile(sample_photo(1), "b.png"), caption="three")
    assert run(lambda b: b.edit_message_media(new, chat_id=IVAN, message_id=number)).caption == "three"
    assert chat.sees("three", media="photo").content() == sample_photo(1)


def test_deleting(chat, run):
    async def job(bot: Bot):
        numbers = [(await bot.send_message(IVAN, text)).message_id for text in "abc"]
        await bot.delete_message(IVAN, 1)  # the person's own message, allowed in a dialog
        return await bot.delete_messages(IVAN, [*numbers[:2], 999])

    assert run(job) is True
    assert [m.text for m in chat.messages()] == ["c"]
    assert [m["deleted"] for m in chat.view()["messages"]] == [True, True, True, False]


def test_a_callback_is_answered_once(chat, run, refused):
    run(lambda bot: bot.send_message(IVAN, "x", reply_markup=BUTTON))
    chat.presses("Go", waits=False)
    query = run(lambda bot: bot.get_updates(offset=-1))[0].callback_query
    assert query.data == "go"
    assert query.message.text == "x"
    assert query.from_user.language_code == "ru"
    assert query.chat_instance
    assert refused(lambda b: b.answer_callback_query(query.id, text="x" * 201)) == "Bad Request: MESSAGE_TOO_LONG"
    assert run(lambda b: b.answer_callback_query(query.id, text="x" * 200)) is True
    old = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    assert refused(lambda b: b.answer_callback_query(query.id)) == old
    assert refused(lambda b: b.answer_callback_query("77")) == old


def test_a_late_answer_is_too_old():
    with Sandbox(callback_ttl=0.0) as sb:
        sandbox = sb.client()
        chat = sandbox.person("Ivan", id=IVAN).chat("master")
        chat.starts()
        import asyncio

        from .conftest import connected

        async def main():
            async with connected(sb) as bot:
                await bot.send_message(IVAN, "x", reply_markup=BUTTON)
                await asyncio.to_thread(chat.presses, "Go", waits=False)
                query = (await bot.get_updates(offset=-1))[0].callback_query
                with pytest.raises(Exception, match="query is too old"):
                    await query.answer()

        asyncio.run(main())


def test_a_stale_tap_still_arrives(chat, run):
    sent = run(lambda bot: bot.send_message(IVAN, "x", reply_markup=BUTTON))
    run(edit(sent.message_id, "y"))
    chat.presses_data("go", message=sent.message_id, waits=False)
    assert run(lambda bot: bot.get_updates(offset=-1))[0].callback_query.data == "go"


def test_pins(chat, run):
    sent = run(lambda bot: bot.send_message(IVAN, "x"))
    assert run(lambda bot: bot.pin_chat_message(IVAN, sent.message_id))
    assert chat.view()["pinned"] == [sent.message_id]
    assert run(lambda bot: bot.unpin_chat_message(IVAN))
    assert chat.view()["pinned"] == []
