"""What Telegram says of tokens, channels and the webhook (`manage.py check_setup`)."""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramNotFound, TelegramUnauthorizedError
from aiogram.methods import GetChat, GetChatMember, GetMe, GetWebhookInfo
from aiogram.types import ChatMemberAdministrator, ChatMemberOwner
from django.conf import settings

from bots import wire
from bots.bot import connect
from fieldservice.watch.setup.finding import Finding, mind, ok, wrong
from fieldservice.watch.setup.servers import SKEW

TIMEOUT = 10
NAMES = {"MASTER_BOT_TOKEN": "master", "ADMIN_BOT_TOKEN": "admin"}
CHANNELS = ("LOGS_CHANNEL_ID", "ALERTS_CHANNEL_ID", "REPORTS_CHANNEL_ID")
#: variable → id of the channel, where there is one
Ids = dict[str, int | None]


def telegram(channels: Ids) -> Iterator[Finding]:
    """Everything that only Telegram knows."""
    tokens = {name: str(getattr(settings, name)) for name in NAMES}
    for name, token in tokens.items():
        if not token:
            yield wrong(name, f"not set: make the {NAMES[name]} bot at BotFather and set its token.")
    if tokens["MASTER_BOT_TOKEN"] and tokens["MASTER_BOT_TOKEN"] == tokens["ADMIN_BOT_TOKEN"]:
        yield wrong("ADMIN_BOT_TOKEN", "is the master bot's: each bot needs its own.")
        return
    yield from _clock()
    yield from asyncio.run(_ask({name: token for name, token in tokens.items() if token}, channels))


async def _ask(tokens: dict[str, str], channels: Ids) -> list[Finding]:
    found: list[Finding] = []
    for name, token in tokens.items():
        bot = connect(token)
        try:
            found += await _ask_one(bot, name, channels)
        finally:
            await bot.session.close()
    return found


async def _ask_one(bot: Bot, name: str, channels: Ids) -> list[Finding]:
    try:
        me = await bot(GetMe(), request_timeout=TIMEOUT)
    except (TelegramUnauthorizedError, TelegramNotFound):
        return [wrong(name, "Telegram does not know this token: get a new one from BotFather (/token).")]
    except AiogramError as error:
        return [
            wrong("Telegram", f"cannot be reached ({wire.reason(error)}): open the way to {settings.TELEGRAM_API_URL}.")
        ]
    found = [ok(name, f"is @{me.username}.")]
    found += await _webhook(bot, name)
    for setting in CHANNELS:
        # of the admin bot's silence the master bot tells
        if name == "ADMIN_BOT_TOKEN" or setting == "ALERTS_CHANNEL_ID":
            found.append(await _channel(bot, name, setting, channels.get(setting)))
    return found


async def _webhook(bot: Bot, name: str) -> list[Finding]:
    try:
        known = await bot(GetWebhookInfo(), request_timeout=TIMEOUT)
    except AiogramError:
        return []
    if not (known.url and known.last_error_message):
        return []
    return [mind(f"webhook of {name}", f"failed last with “{known.last_error_message}”: see ops/RUNBOOK.md.")]


async def _channel(bot: Bot, name: str, setting: str, chat_id: int | None) -> Finding:
    who = f"the {NAMES[name]} bot"
    if not chat_id:
        what = "nobody hears of trouble" if setting.startswith("ALERTS") else "nothing is posted there"
        return mind(setting, f"not set: {what}. Make a channel, add {who} as an administrator, set its id (-100…).")
    try:
        chat = await bot(GetChat(chat_id=chat_id), request_timeout=TIMEOUT)
        member = await bot(GetChatMember(chat_id=chat_id, user_id=bot.id), request_timeout=TIMEOUT)
    except AiogramError as error:
        return wrong(
            setting, f"{who} cannot see it ({wire.reason(error)}): add it as an administrator, or correct the id."
        )
    is_admin = isinstance(member, ChatMemberAdministrator | ChatMemberOwner)
    if chat.type == "channel" and not is_admin:
        return wrong(setting, f"{who} may not post there: make it an administrator with the right to post.")
    if isinstance(member, ChatMemberAdministrator) and member.can_post_messages is False:
        return wrong(setting, f"{who} may not post there: give it the right to post messages.")
    return ok(setting, f"{who} posts to “{chat.title}”.")


def addresses() -> Iterator[Finding]:
    """The webhook's variables, where webhooks are used."""
    if not (settings.WEBHOOK_URL or settings.WEBHOOK_SECRET):
        return
    if not settings.WEBHOOK_URL.startswith("https://") and "api.telegram.org" in settings.TELEGRAM_API_URL:
        yield wrong("WEBHOOK_URL", "must begin with https://: Telegram sends updates to nothing else.")
    if not settings.WEBHOOK_SECRET:
        yield wrong(
            "WEBHOOK_SECRET", "not set: anybody could play Telegram. Set it to 16 to 256 letters, digits, _ and -."
        )


def _clock() -> Iterator[Finding]:
    """Telegram's time, from the head of any answer."""
    request = urllib.request.Request(settings.TELEGRAM_API_URL, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            date = answer.headers.get("Date")
    except urllib.error.HTTPError as error:
        date = error.headers.get("Date")
        error.close()
    except OSError:
        return  # GetMe tells of it
    if date and (off := abs(time.time() - parsedate_to_datetime(date).timestamp())) > SKEW:
        yield wrong(
            "clock", f"this machine and Telegram differ by {off:.0f} s: let it follow NTP (timedatectl set-ntp true)."
        )
