"""Methods about the bot itself, about chats and people, and about files."""

from __future__ import annotations

import re
from typing import Any

from bots.sandbox.errors import JSON, bad_request, forbidden
from bots.sandbox.files import MAX_DOWNLOAD
from bots.sandbox.world import ACTIVE, Room

from .call import Call, method

TEXT_LIMITS = {"name": 64, "description": 512, "short_description": 120}
MAX_PATHS = 2000


@method("getMe")
def get_me(call: Call) -> JSON:
    return call.bot.as_user() | {
        "can_join_groups": True,
        "can_read_all_group_messages": True,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


@method("logOut", "close")
def log_out(call: Call) -> bool:
    call.bot.queue.interrupt("terminated by close")
    return True


@method("setMyCommands")
def set_my_commands(call: Call) -> bool:
    commands = call.json("commands")
    if not isinstance(commands, list) or len(commands) > 100:
        raise bad_request("too many commands specified" if isinstance(commands, list) else "commands must be an Array")
    for command in commands:
        if not re.fullmatch(r"/?[a-z0-9_]{1,32}", str(command.get("command", ""))):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    ready = [{"command": str(c["command"]).lstrip("/"), "description": c["description"]} for c in commands]
    _commands(call)[_scope(call)] = ready
    call.world.touch()
    return True


@method("getMyCommands")
def get_my_commands(call: Call) -> list[JSON]:
    return list(_commands(call).get(_scope(call), []))


@method("deleteMyCommands")
def delete_my_commands(call: Call) -> bool:
    _commands(call).pop(_scope(call), None)
    return True


def _commands(call: Call) -> dict[tuple[str, str], list[JSON]]:
    found: dict[tuple[str, str], list[JSON]] = call.bot.profile.setdefault("commands", {})
    return found


def _scope(call: Call) -> tuple[str, str]:
    scope = call.json("scope") or {"type": "default"}
    return "/".join(str(value) for _, value in sorted(scope.items())), call.text("language_code")


@method("setMyName", "setMyDescription", "setMyShortDescription")
def set_my_text(call: Call) -> bool:
    name = _profile_field(call)
    if len(call.text(name)) > TEXT_LIMITS[name]:
        raise bad_request(f"bot {name.replace('_', ' ')} is too long")
    call.bot.profile[_text_key(call, name)] = call.text(name)
    if name == "name" and call.text(name):
        call.bot.title = call.text(name)
    return True


@method("getMyName", "getMyDescription", "getMyShortDescription")
def get_my_text(call: Call) -> JSON:
    name = _profile_field(call)
    default = call.bot.title if name == "name" else ""
    return {name: call.bot.profile.get(_text_key(call, name), default)}


def _text_key(call: Call, name: str) -> str:
    """Texts are kept per language: "description/ru"."""
    return f"{name}/{call.text('language_code')}"


def _profile_field(call: Call) -> str:
    return {"name": "name", "description": "description"}.get(call.method.lower()[5:], "short_description")


@method("setChatMenuButton", "setMyDefaultAdministratorRights", "setMessageReaction", "leaveChat")
def accept_quietly(call: Call) -> bool:
    """Taken and remembered nowhere: the sandbox has no screen for it."""
    if call.method.lower() == "leavechat":
        call.room().members[call.bot.id] = "left"
    return True


@method("getChatMenuButton")
def get_chat_menu_button(call: Call) -> JSON:
    return {"type": "commands"}


@method("getChat")
def get_chat(call: Call) -> JSON:
    room = call.room()
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    full: JSON = {
        "accent_color_id": room.id % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, False),
    }
    return room.chat | full


@method("getChatMember")
def get_chat_member(call: Call) -> JSON:
    return member_json(call, call.room(), call.integer("user_id"))


@method("getChatAdministrators")
def get_chat_administrators(call: Call) -> list[JSON]:
    room = call.room()
    if room.kind == "private":
        raise bad_request("there are no administrators in the private chat")
    return [member_json(call, room, n) for n, status in room.members.items() if status in ("creator", "administrator")]


@method("getChatMemberCount")
def get_chat_member_count(call: Call) -> int:
    room = call.room()
    return 2 if room.kind == "private" else sum(status in ACTIVE for status in room.members.values())


def member_json(call: Call, room: Room, user_id: int) -> JSON:
    """A `ChatMember`. Raises "user not found"."""
    bot, person = call.world.bot_by_id(user_id), call.world.people.get(user_id)
    account = bot or person
    if account is None:
        raise bad_request("user not found")
    status = room.members.get(user_id, "left")
    if room.kind == "private":
        status = "kicked" if room.blocked and bot else "member"
    return chat_member(account.as_user(), status)


def chat_member(user: JSON, status: str) -> JSON:
    """The `ChatMember` object for a status, with every field the status requires."""
    member: JSON = {"user": user, "status": status}
    if status in ("creator", "administrator"):
        member["is_anonymous"] = False
    if status == "administrator":
        rights = ("manage_chat", "delete_messages", "manage_video_chats", "restrict_members", "promote_members",
                  "change_info", "invite_users", "post_stories", "edit_stories", "delete_stories", "post_messages",
                  "edit_messages", "be_edited", "send_welcome_messages")  # fmt: skip
        member |= {f"can_{right}": True for right in rights}
    if status == "kicked":
        member["until_date"] = 0
    return member


@method("getUserProfilePhotos")
def get_user_profile_photos(call: Call) -> JSON:
    if call.integer("user_id") not in call.world.people:
        raise bad_request("user not found")
    return {"total_count": 0, "photos": []}


@method("getFile")
def get_file(call: Call) -> Any:
    file_id = call.text("file_id")
    if not file_id:
        raise bad_request("file_id not specified")
    stored = call.world.files.by_file_id(call.bot.id, file_id)
    if stored is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if stored.size > MAX_DOWNLOAD:
        raise bad_request("file is too big")
    call.bot.paths[stored.path] = stored.unique
    if len(call.bot.paths) > MAX_PATHS:
        call.bot.paths.popitem(last=False)
    return {"file_id": file_id, "file_unique_id": stored.unique, "file_size": stored.size, "file_path": stored.path}


@method("banChatMember", "unbanChatMember")
def ban_chat_member(call: Call) -> bool:
    room = call.room()
    if room.kind == "private":
        raise bad_request("can't ban members in private chats")
    if room.members.get(call.bot.id) not in ("creator", "administrator"):
        raise forbidden("not enough rights to restrict/unrestrict chat member")
    room.members[call.integer("user_id")] = "kicked" if call.method.lower() == "banchatmember" else "left"
    return True
