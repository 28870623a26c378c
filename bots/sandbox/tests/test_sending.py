"""sendMessage and its kin: texts, keyboards, refusals, copies."""

import pytest
from aiogram import Bot
from aiogram.types import (
    CopyTextButton,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    MessageEntity,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
    WebAppInfo,
)

IVAN = 1001


def inline(**button):
    return InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Go", **button)]])


def test_html_becomes_text_and_entities(chat, run):
    sent = run(lambda bot: bot.send_message(IVAN, "<b>Order</b> 7 &lt;3", parse_mode="HTML"))
    assert sent.text == "Order 7 <3"
    assert [(e.type, e.offset, e.length) for e in sent.entities] == [("bold", 0, 5)]
    assert sent.from_user.is_bot
    assert sent.chat.first_name == "Ivan"


def test_ready_made_entities_are_kept(chat, run):
    bold = MessageEntity(type="bold", offset=2, length=2)
    sent = run(lambda bot: bot.send_message(IVAN, "😀ab", entities=[bold]))
    assert [(e.type, e.offset, e.length) for e in sent.entities] == [("bold", 2, 2)]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda b: b.send_message(4040, "x"), "Bad Request: chat not found"),
        (lambda b: b.send_message("@nobody", "x"), "Bad Request: chat not found"),
        (lambda b: b.send_message(-4040, "x"), "Bad Request: chat not found"),
        (lambda b: b.send_message(IVAN, " \n "), "Bad Request: message text is empty"),
        (lambda b: b.send_message(IVAN, "<b> </b>", parse_mode="HTML"), "Bad Request: message text is empty"),
        (lambda b: b.send_message(IVAN, "x" * 4097), "Bad Request: message is too long"),
        (lambda b: b.send_message(IVAN, "<b>x", parse_mode="HTML"),
         "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\""),
        (lambda b: b.send_message(7000000002, "x"), "Forbidden: bots can't send messages to bots"),
        (lambda b: b.send_message(IVAN, "x", reply_markup=inline(callback_data="я" * 33)),
         "Bad Request: BUTTON_DATA_INVALID"),
        (lambda b: b.send_message(IVAN, "x", reply_markup=inline(url="tel:+79991234567")),
         "Bad Request: inline keyboard button URL 'tel:+79991234567' is invalid: Unsupported URL protocol"),
        (lambda b: b.send_message(IVAN, "x", reply_markup=inline(url="http://localhost:8000/")),
         "Bad Request: inline keyboard button URL 'http://localhost:8000/' is invalid: Wrong HTTP URL"),
        (lambda b: b.send_message(IVAN, "x", reply_markup=inline(web_app=WebAppInfo(url="http://a.ru"))),
         "Bad Request: inline keyboard button Web App URL 'http://a.ru' is invalid: Only HTTPS links are allowed"),
        (lambda b: b.send_message(IVAN, "x", reply_markup=inline(copy_text=CopyTextButton(text="x" * 257))),
         "Bad Request: BUTTON_COPY_TEXT_INVALID"),
        (lambda b: b.send_message(IVAN, "x", reply_markup=inline()),
         "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
        (lambda b: b.send_message(IVAN, "x", reply_parameters=ReplyParameters(message_id=99)),
         "Bad Request: message to be replied not found"),
        (lambda b: b.send_photo(IVAN, "AgACwrong"), "Bad Request: wrong file identifier/HTTP URL specified"),
        (lambda b: b.send_contact(IVAN, "", "x"), "Bad Request: phone number is empty"),
        (lambda b: b.copy_message(IVAN, IVAN, 99), "Bad Request: message to copy not found"),
        (lambda b: b.forward_message(IVAN, IVAN, 99), "Bad Request: message to forward not found"),
    ],
)  # fmt: skip
def test_refusals(chat, refused, call, error):
    assert refused(call) == error
    assert [m.text for m in chat.messages()] == ["/start"]


def test_the_longest_text_counts_after_parsing(chat, run):
    sent = run(lambda bot: bot.send_message(IVAN, f"<b>{'x' * 4096}</b>", parse_mode="HTML"))
    assert len(sent.text) == 4096


def test_good_buttons(chat, run):
    tap = InlineKeyboardButton(text="Tap", callback_data="я" * 32)
    place = InlineKeyboardButton(text="Map", url="https://ya.ru/m?x=1")
    copy = InlineKeyboardButton(text="Copy", copy_text=CopyTextButton(text="+7 999"))
    local = InlineKeyboardButton(text="Local", url="http://127.0.0.1:8000/login")
    markup = InlineKeyboardMarkup(inline_keyboard=[[tap, place], [copy, local]])
    sent = run(lambda bot: bot.send_message(IVAN, "x", reply_markup=markup))
    assert sent.reply_markup.model_dump() == markup.model_dump()
    assert chat.buttons() == [["Tap", "Map"], ["Copy", "Local"]]
    assert chat.presses("Map").url == "https://ya.ru/m?x=1"
    assert chat.presses("Copy").value == "+7 999"


def test_reply_keyboards_come_and_go(chat, run, sandbox):
    phone = KeyboardButton(text="My phone", request_contact=True)
    place = KeyboardButton(text="My place", request_location=True)
    markup = ReplyKeyboardMarkup(keyboard=[[phone, place], [KeyboardButton(text="Skip")]], one_time_keyboard=True)
    sent = run(lambda bot: bot.send_message(IVAN, "Your phone?", reply_markup=markup))
    assert sent.reply_markup is None
    assert chat.keyboard() == [["My phone", "My place"], ["Skip"]]
    chat.presses("My phone")
    assert chat.keyboard() == []  # one time
    contact = run(lambda bot: bot.get_updates(offset=-1))[0].message
    assert contact.contact.user_id == IVAN
    assert contact.reply_to_message.message_id == sent.message_id
    run(lambda bot: bot.send_message(IVAN, "Again", reply_markup=ReplyKeyboardMarkup(keyboard=[[place]])))
    chat.presses("My place")
    assert run(lambda bot: bot.get_updates(offset=-1))[0].message.location
    run(lambda bot: bot.send_message(IVAN, "Bye", reply_markup=ReplyKeyboardRemove()))
    assert chat.keyboard() == []
    run(lambda bot: bot.send_message(IVAN, "Name?", reply_markup=ForceReply(input_field_placeholder="Ivan")))
    assert chat.view()["placeholder"] == "Ivan"


def test_message_ids_run_over_all_chats_of_a_bot(sandbox, chat, run):
    other = sandbox.person("Petr", id=1002).chat("master")
    other.starts()
    first = run(lambda bot: bot.send_message(IVAN, "a"))
    second = run(lambda bot: bot.send_message(1002, "b"))
    assert second.message_id == first.message_id + 1


def test_replies_copies_and_forwards(chat, run):
    async def job(bot: Bot):
        sent = await bot.send_message(IVAN, "<b>one</b>", parse_mode="HTML")
        reply = await bot.send_message(IVAN, "two", reply_parameters=ReplyParameters(message_id=sent.message_id))
        copy = await bot.copy_message(IVAN, IVAN, sent.message_id)
        forward = await bot.forward_message(IVAN, IVAN, 1)
        return sent, reply, copy, forward

    _, reply, copy, forward = run(job)
    assert reply.reply_to_message.text == "one"
    assert copy.message_id == reply.message_id + 1
    assert chat.messages()[3].data["entities"] == [{"type": "bold", "offset": 0, "length": 3}]
    assert forward.forward_origin.sender_user.id == IVAN


def test_places_contacts_and_actions(chat, run):
    assert run(lambda bot: bot.send_location(IVAN, 55.5, 37.5)).location.latitude == 55.5
    assert run(lambda bot: bot.send_contact(IVAN, "+79990000000", "Client")).contact.first_name == "Client"
    assert run(lambda bot: bot.send_chat_action(IVAN, "typing")) is True
    assert chat.view()["action"] == "typing"


def test_form_json_and_get_requests_are_equal(chat, sb):
    import json
    import urllib.request
    from urllib.parse import quote

    base = f"{sb.url}/bot{sb.token('master')}/sendMessage"
    body = json.dumps({"chat_id": IVAN, "text": "json", "disable_notification": True}).encode()
    requests = [
        urllib.request.Request(base, body, {"Content-Type": "application/json"}),
        urllib.request.Request(base, f"chat_id={IVAN}&text=form".encode()),
        f"{base.lower().replace(sb.token('master').lower(), sb.token('master'))}?chat_id={IVAN}&text={quote('get')}",
    ]
    for request in requests:
        with urllib.request.urlopen(request) as response:
            assert json.load(response)["ok"]
    assert [m.text for m in chat.messages()] == ["/start", "json", "form", "get"]
