"""People, groups, channels, and what the bot is told about them."""

import pytest
from aiogram.exceptions import TelegramMigrateToChat
from aiogram.types import BotCommand

from bots.sandbox.client import SandboxError

from .conftest import LOGS

IVAN = 1001


def last(run, bot="master"):
    return run(lambda b: b.get_updates(offset=-1), bot=bot)[0]


def test_a_deep_link_is_a_start_with_a_payload(sandbox, run):
    sandbox.person("Ivan", id=IVAN, language="en").chat("master").follows("AB12CD")
    message = last(run).message
    assert message.text == "/start AB12CD"
    assert [(e.type, e.length) for e in message.entities] == [("bot_command", 6)]
    assert message.from_user.language_code == "en"


def test_who_has_not_pressed_start_cannot_be_written_to(sandbox, refused):
    sandbox.person("Ivan", id=IVAN)
    error = refused(lambda bot: bot.send_message(IVAN, "x"))
    assert error == "Forbidden: bot can't initiate conversation with a user"


def test_blocking_and_unblocking(sandbox, chat, run, refused):
    ivan = sandbox.person("Ivan", id=IVAN)
    ivan.blocks("master")
    change = last(run).my_chat_member
    assert (change.old_chat_member.status, change.new_chat_member.status) == ("member", "kicked")
    assert refused(lambda bot: bot.send_message(IVAN, "x")) == "Forbidden: bot was blocked by the user"
    with pytest.raises(SandboxError, match="unblock"):
        chat.sends("hi")
    ivan.unblocks("master")
    assert last(run).my_chat_member.new_chat_member.status == "member"
    assert run(lambda bot: bot.send_message(IVAN, "x"))


def test_a_deleted_account(sandbox, chat, refused):
    sandbox.person("Ivan", id=IVAN).deletes_account()
    assert refused(lambda bot: bot.send_message(IVAN, "x")) == "Forbidden: user is deactivated"


def test_contacts_of_others_have_no_user_id(chat, run):
    chat.shares_contact()
    assert last(run).message.contact.user_id == IVAN
    chat.shares_contact("+79990000000", name="Petr")
    assert last(run).message.contact.user_id is None
    chat.shares_location(59.9, 30.3)
    assert last(run).message.location.longitude == 30.3


def test_an_edited_message_of_a_person(chat, run):
    sent = chat.sends("Ivanov")
    chat.edits(sent, "Petrov")
    update = last(run)
    assert update.edited_message.text == "Petrov"
    assert update.edited_message.message_id == sent.id


def test_a_forwarded_text(chat, run):
    chat.forwards("look", "Petr")
    message = last(run).message
    assert message.text == "look"
    assert message.forward_origin.sender_user_name == "Petr"


def test_channels(sb, sandbox, run, refused):
    run(lambda bot: bot.send_message(LOGS, "master_bot alive"))
    assert sandbox.channel(LOGS).sees("alive")
    post = last(run, bot="admin").channel_post
    assert post.text == "master_bot alive"
    assert post.from_user is None
    assert post.sender_chat.title == "LOGS"
    sandbox.channel(LOGS).acts("member", member="master", status="left")
    assert refused(lambda b: b.send_message(LOGS, "x")) == "Forbidden: bot is not a member of the channel chat"
    sandbox.channel(LOGS).acts("member", member="master", status="member")
    assert refused(lambda b: b.send_message(LOGS, "x")) == "Bad Request: need administrator rights in the channel chat"


def test_a_channel_post_is_edited_by_its_author_only(run, refused):
    post = run(lambda bot: bot.send_message(LOGS, "one"))
    assert run(lambda b: b.edit_message_text("two", chat_id=LOGS, message_id=post.message_id)).text == "two"
    error = refused(lambda b: b.edit_message_text("x", chat_id=LOGS, message_id=post.message_id), bot="admin")
    assert error == "Bad Request: message can't be edited"


def test_groups(sandbox, run, refused):
    ivan, petr = sandbox.person("Ivan", id=IVAN), sandbox.person("Petr", id=1002)
    group = sandbox.group(-500, "Team", bots=["master"], people=[ivan]).acts_as(ivan)
    group.sends("hello all")
    message = last(run).message
    assert (message.chat.type, message.chat.title, message.from_user.id) == ("supergroup", "Team", IVAN)
    with pytest.raises(SandboxError, match="not a member"):
        group.acts_as(petr).sends("let me in")
    run(lambda bot: bot.send_message(-500, "welcome"))
    assert group.sees("welcome")
    group.acts("member", member="master", status="kicked")
    assert last(run).my_chat_member.new_chat_member.status == "kicked"
    assert refused(lambda b: b.send_message(-500, "x")) == "Forbidden: bot was kicked from the supergroup chat"


def test_a_group_becomes_a_supergroup(sandbox, run):
    ivan = sandbox.person("Ivan", id=IVAN)
    group = sandbox.group(-500, "Team", bots=["master"], people=[ivan], supergroup=False)
    group.acts("migrate", id=-100500)
    with pytest.raises(TelegramMigrateToChat) as caught:
        run(lambda bot: bot.send_message(-500, "x"))
    assert caught.value.migrate_to_chat_id == -100500
    assert run(lambda bot: bot.send_message(-100500, "x")).chat.title == "Team"


def test_questions_about_chats(chat, run, refused):
    assert run(lambda bot: bot.get_chat(IVAN)).first_name == "Ivan"
    assert run(lambda bot: bot.get_chat(LOGS)).title == "LOGS"
    assert run(lambda bot: bot.get_chat_member(LOGS, 7000000001)).status == "administrator"
    assert len(run(lambda bot: bot.get_chat_administrators(LOGS))) == 2
    assert run(lambda bot: bot.get_user_profile_photos(IVAN)).total_count == 0
    assert refused(lambda bot: bot.get_chat_member(LOGS, 5)) == "Bad Request: user not found"


def test_commands_and_descriptions(sandbox, run, refused):
    commands = [BotCommand(command="start", description="Start"), BotCommand(command="menu", description="Menu")]
    assert run(lambda bot: bot.set_my_commands(commands))
    assert [c.command for c in run(lambda bot: bot.get_my_commands())] == ["start", "menu"]
    assert run(lambda bot: bot.get_my_commands(language_code="en")) == []
    wrong = [BotCommand(command="Start!", description="x")]
    assert refused(lambda bot: bot.set_my_commands(wrong)) == "Bad Request: BOT_COMMAND_INVALID"
    assert run(lambda bot: bot.delete_my_commands())
    assert run(lambda bot: bot.set_my_description("What it does"))
    assert run(lambda bot: bot.get_my_description()).description == "What it does"
    assert sandbox.bot("master")["description"] == "What it does"
    assert run(lambda bot: bot.set_my_short_description("Short"))
    assert run(lambda bot: bot.get_my_short_description()).short_description == "Short"
    assert run(lambda bot: bot.set_my_name("Masters"))
    assert run(lambda bot: bot.get_me()).first_name == "Masters"
