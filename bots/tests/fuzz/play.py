"""People who tap, write and send anything, in any order, several at once; the office and the clock go on meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.fsm.storage.base import StorageKey
from aiogram.types import Update
from django.db.models import F
from django.utils import timezone

from bots import fsm
from bots.callbacks import ROUTES
from bots.db import in_db
from bots.delivery import settle
from bots.delivery.render import Nothing, prepare_one
from bots.handlers import dispatcher
from bots.tests.fuzz import answers
from bots.tests.fuzz.telegram import Telegram
from bots.tests.fuzz.town import Town
from fieldservice.outbox.models import Notification
from finance.models import Commission
from finance.services import commissions, reminders
from orders.dispatch import engine
from orders.models import Offer
from staff.enums import ModerationStatus
from staff.models import Master, StaffUser
from staff.services import shifts

COMMANDS = ["/start", "/menu", "/cancel", "/help", "/start x", "/", "/ü"]
WORDS = ["Иванов", "Анна", "казань", "Город", "-", "+79990001122", "А123ВС777", "4111 1111 1111 1111", "55.7, 37.6",
         "клиент не открыл дверь", "2", "7000", "12.03", "сбер", "улица 1"]  # fmt: skip
ODD = ["3500", "3 500,50", "0", "-1", "<b>", "&amp;", "%s {x}", "\x00", "я" * 4096, "😀" * 2000, "1e9", "NaN"]
ARGUMENTS: list[Any] = [
    0, 1, 2, 2**31 - 1, 10**12, "x", "15m", "-1", "yes", "-", "districts", "skills", "city", "phone", "CARD", "SBP",
    "sber", "consent", "vehicle", "payout_method", "bank", "photo", "closed", "week", "pd", "aw", "LOGIST",
    "GLOBAL_ADMIN", "ELECTRICS", "q1", "f1.1.un", "x" * 40, "full", "house", "slot", "files", "distribution_rounds",
    "ok", "blk", "any", "direct",
]  # fmt: skip
MEDIA: list[dict[str, Any]] = [
    answers.PHOTO,
    answers.PHOTO | {"caption": "я" * 1024},
    {"document": {"file_id": "d", "file_unique_id": "d", "mime_type": "application/pdf", "file_name": "<b>.pdf"}},
    {"document": {"file_id": "d", "file_unique_id": "d", "mime_type": "application/pdf", "file_size": 10**9}},
    {"document": {"file_id": "d", "file_unique_id": "d", "mime_type": "text/html"}},
    {"voice": {"file_id": "v", "file_unique_id": "v", "duration": 1}},
    {"video": {"file_id": "v", "file_unique_id": "v", "duration": 1, "width": 1, "height": 1}},
    {"sticker": {"file_id": "s", "file_unique_id": "s", "type": "regular", "width": 1, "height": 1,
                 "is_animated": False, "is_video": False}},
    {"contact": {"phone_number": "1", "first_name": "x"}},
    {"contact": {"phone_number": "79990001122", "first_name": "x"}, "own": True},
    {"location": {"latitude": 55.7, "longitude": 37.6}},
    {"location": {"latitude": -89.0, "longitude": 179.0}},
    {"dice": {"emoji": "🎲", "value": 1}},
]  # fmt: skip
PHOTO, NUMBER, NAME = answers.PHOTO, {"text": "3500"}, {"text": "Иванов Иван"}
#: a question and answers that lead on
ANSWERS: dict[str, list[dict[str, Any]]] = {
    "m:close:sum": [NUMBER],
    "m:close:act": [PHOTO, PHOTO | {"media_group_id": "g"}],
    "m:close:more": [PHOTO | {"media_group_id": "g"}],
    "m:fin:receipt": [PHOTO],
    "adm:join:name": [NAME],
    "adm:join:phone": [{"text": "+79990001122"}],
    "adm:f:amount": [NUMBER],
    "adm:rep:dates": [{"text": "01.11.2026-15.11.2026"}],
    "adm:set:value": [{"text": word} for word in ("3", "https://example.com", "10:00", "yes")],
}
FORWARDED = {"type": "hidden_user", "sender_user_name": "x", "date": 1}


@dataclass
class Play:
    """One bot and its people. `trail`: what was done last, for the report of a failure."""

    spec: Any
    people: list[int]
    town: Town
    #: decides everything
    dice: random.Random
    moody: float = 0.0
    at_once: int = 1
    #: addresses that have done what they are for, in this town or an earlier one: the others are tried first
    worked: set[str] = field(default_factory=set)
    count: int = 0
    leaks: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    steps: set[str] = field(default_factory=set)
    #: kinds of secrets somebody was told
    told: set[str] = field(default_factory=set)
    taps: int = 0
    #: address without its arguments → how often
    tapped: Counter[str] = field(default_factory=Counter)
    #: person → the question that waits
    asked: dict[int, str] = field(default_factory=dict)
    trail: deque[str] = field(default_factory=lambda: deque(maxlen=40))

    def __post_init__(self) -> None:
        self.telegram = Telegram(self.dice, self._read)
        look = DefaultBotProperties(parse_mode="HTML", link_preview_is_disabled=True)
        self.bot = Bot("1:x" if self.spec.name == "master" else "2:x", session=self.telegram, default=look)
        self.posted = 0
        self._start()

    def _start(self) -> None:
        """The process starts: what was in memory is gone."""
        self.storage = fsm.storage()
        self.dispatcher = dispatcher(self.spec, self.storage)

    async def run(self, updates: int) -> None:
        """Feed so many updates."""
        self.posted = await in_db(_newest)
        while self.count < updates:
            people = self.dice.sample(self.people, min(self.at_once, len(self.people), updates - self.count))
            self.telegram.moody = self.moody
            before = {person: self.telegram.phone(person).count for person in people}
            batch = [self._update(person) for person in people]
            await asyncio.gather(*(self._feed(update) for update in batch))
            self.telegram.moody = 0.0
            await in_db(self.town.secrets.look, self.town.orders)
            await self._meanwhile()
            await self._way_out(people, before)
        await self.storage.close()

    async def _feed(self, update: dict[str, Any]) -> None:
        await self.dispatcher.feed_update(self.bot, Update.model_validate(update, context={"bot": self.bot}))

    # --- what people do ----------------------------------------------------------------------------------------------

    def _update(self, person: int) -> dict[str, Any]:
        self.count += 1
        language = self.dice.choice(["ru", "en", "zz", None])
        user = {"id": person, "is_bot": False, "first_name": "<x>", "language_code": language}
        base = {"date": 1, "chat": {"id": person, "type": "private"}}
        question = self.asked.get(person)
        if self.dice.random() < (0.5 if question else 0.9):
            self.taps += 1
            message_id, data = self._button(person)
            self.tapped[_path(data)] += 1
            self._note(person, f"taps {data} in {message_id}")
            query = {"id": f"{person}:{self.count}", "from": user, "chat_instance": "1", "data": data,
                     "message": base | {"message_id": message_id, "text": "x"}}  # fmt: skip
            return {"update_id": self.count, "callback_query": query}
        body = self._answer(person, question) if question and self.dice.random() < 0.8 else self._message(person)
        self._note(person, f"sends {str(body)[:80]}")
        return {"update_id": self.count, "message": base | {"message_id": 10**6 + self.count, "from": user} | body}

    def _button(self, person: int) -> tuple[int, str]:
        """Mostly one that is there, by preference the least tried; or that was; somebody else's; one that never was."""
        phone, chance = self.telegram.phone(person), self.dice.random()
        if self.asked.get(person):
            chance *= 0.88  # who was asked something rather answers it: long forms have an end
        newest = [(key, data) for key in list(phone.messages)[-2:] for data in phone.messages[key]]
        if chance < 0.45 and newest:
            return min(self.dice.sample(newest, len(newest)), key=self._tried)
        if chance < 0.8 and newest:
            return self.dice.choice(newest)
        if chance < 0.87 and phone.old:
            return self.dice.choice(phone.old)
        if chance < 0.94:
            other = self.telegram.phone(self.dice.choice(self.people))
            if other.old:
                return 1, self.dice.choice(other.old)[1]
        return self.dice.choice([1, *phone.messages]), self._address()

    def _tried(self, button: tuple[int, str]) -> tuple[bool, int]:
        path = _path(button[1])
        return path in self.worked, self.tapped[path]

    def _address(self) -> str:
        paths = sorted(ROUTES.routes)
        own = [path for path in paths if path.startswith(f"{self.spec.scope}:")]
        path = self.dice.choice(own if self.dice.random() < 0.95 else paths)
        takes = len(ROUTES.routes[path].types)
        number = self.dice.choice([takes, takes, takes, 0, 1, 3])
        words = [str(self.dice.choice([*self.town.ids, *ARGUMENTS])) for _ in range(number)]
        return ":".join([path, *words]).encode()[:64].decode(errors="ignore")

    def _answer(self, person: int, question: str) -> dict[str, Any]:
        """Something that may be one."""
        if (found := answers.read(self.telegram.phone(person).text)) and self.dice.random() < 0.7:
            return found
        if question in ("m:code", "adm:join:code"):
            return {"text": self.dice.choice(self.town.codes[self.spec.name])}
        return self.dice.choice(ANSWERS.get(question) or [{"text": word} for word in WORDS])

    def _message(self, person: int) -> dict[str, Any]:
        if self.dice.random() < 0.65:
            return {"text": self._text(person)}
        body = dict(self.dice.choice(MEDIA))
        if body.pop("own", None):
            body["contact"] = body["contact"] | {"user_id": person}
        if self.dice.random() < 0.3:
            body |= {"media_group_id": self.dice.choice("gh")}
        return body | ({"forward_origin": FORWARDED} if self.dice.random() < 0.1 else {})

    def _text(self, person: int) -> str:
        chance, keys = self.dice.random(), self.telegram.phone(person).keys
        if chance < 0.3 and keys:
            return self.dice.choice(keys)
        if chance < 0.4:
            return self.dice.choice(["", "/start "]) + self.dice.choice(self.town.codes[self.spec.name])
        if chance < 0.5:
            return str(self.dice.choice(self.town.ids))
        return self.dice.choice(self.dice.choice([COMMANDS, WORDS, WORDS, ODD]))

    def _note(self, person: int, what: str) -> None:
        self.trail.append(f"{self.count} {person} {what}")
        self.telegram.phone(person).last.append(f"he: {what}")

    # --- what goes on besides ----------------------------------------------------------------------------------------

    async def _meanwhile(self) -> None:
        """The clock, the office, the messages sent unasked, a restart."""
        if self.dice.random() < 0.1:
            await in_db(_clock, self.dice.randrange(5), self.dice.choice(self.town.ids))
        if self.dice.random() < 0.2:
            await self._deliver()
        if self.dice.random() < 0.02:
            await self.storage.close()
            self._start()

    async def _deliver(self) -> None:
        """The outbox: what would be sent is read like everything else, and its buttons can be tapped."""
        for row in await in_db(_unsent, self.spec.name, self.posted):
            self.posted = row.pk
            parcel = await in_db(prepare_one, row, timezone.now())
            if isinstance(parcel, Nothing):
                await in_db(settle.skipped, row, parcel, timezone.now())
                continue
            method = parcel.screen.sent(parcel.chat_id)
            if parcel.chat_id not in self.people:  # a channel, or somebody of another town
                continue
            if parcel.message_id is None:
                sent = await self.bot(method)
                await in_db(settle.sent, [row], parcel.chat_id, sent.message_id, timezone.now(), first=True)
            else:
                await self._read(parcel.chat_id, parcel.screen.text)

    async def _way_out(self, people: Iterable[int], before: dict[int, int]) -> None:
        """Whoever is in a dialog is in one we know of; now and then everybody goes home and gets there."""
        for person in people:
            state = await self._state(person)
            self.asked[person] = state or ""
            self.steps |= {state} if state else set()
            if self.dice.random() < 0.03:
                await self._home(person, state)

    async def _home(self, person: int, state: str | None) -> None:
        phone = self.telegram.phone(person)
        shown = phone.count
        user = {"id": person, "is_bot": False, "first_name": "x", "language_code": "en"}
        body = {"message_id": 10**7 + self.count, "date": 1, "chat": {"id": person, "type": "private"}, "from": user}
        await self._feed({"update_id": 10**7 + self.count, "message": body | {"text": "/start"}})
        left = await self._state(person)
        member = await in_db(_is_member, self.spec.name, person)
        if phone.count == shown or (member and left is not None):
            self.stuck.append(f"{person} in {state} → {left}: {list(phone.last)}")

    async def _state(self, person: int) -> str | None:
        key = StorageKey(bot_id=self.bot.id, chat_id=person, user_id=person)
        return await self.storage.get_state(key)

    async def _read(self, person: int, words: str) -> None:
        for secret in self.town.secrets.found_in(words):
            self.told.add(secret.what.split(" of ")[0])
            if not await in_db(secret.may, self.spec.name, person):
                last = list(self.telegram.phone(person).last)
                self.leaks.append(f"{person} was told the {secret.what} ({secret.word}): {words[:300]!r} {last}")


def _path(data: str) -> str:
    found = ROUTES.find(data)
    return found[0].path if found else ""


def _clock(event: int, some_id: int) -> None:
    """An hour passes for one thing or another."""
    now = timezone.now()
    if event == 0:
        Offer.objects.filter(pk=some_id).update(expires_at=now - timedelta(seconds=1))
    elif event == 1:
        Commission.objects.filter(pk=some_id).update(deadline_at=F("deadline_at") - timedelta(hours=4))
        commissions.mark_overdue(now=now)
    elif event == 2:
        Master.objects.filter(pk=some_id, shift_status="BREAK").update(break_until=now - timedelta(seconds=1))
        shifts.end_breaks(now=now)
    elif event == 3:
        reminders.remind(now=now)
        shifts.remind_breaks(now=now)
    engine.tick(now=now)


def _newest() -> int:
    return Notification.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _unsent(bot: str, after: int) -> list[Notification]:
    return list(Notification.objects.filter(bot=bot, pk__gt=after, processed_at__isnull=True).order_by("pk")[:50])


def _is_member(bot: str, person: int) -> bool:
    if bot == "admin":
        return StaffUser.objects.filter(tg_user_id=person, is_active=True).exists()
    approved = Master.objects.filter(tg_user_id=person, moderation_status=ModerationStatus.APPROVED)
    return approved.filter(is_deleted=False).exists()
