"""Anything, in any order, from anybody: no unhandled error, one answer to each tap, nobody's data to another."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.methods import AnswerCallbackQuery, EditMessageText, SendMessage
from aiogram.types import Chat, Message, Update
from django.utils import timezone

from bots import errors, fsm
from bots.admin.bot import SPEC as ADMIN
from bots.callbacks import ROUTES
from bots.db import workers
from bots.handlers import dispatcher
from bots.master.bot import SPEC as MASTER
from bots.throttle import Throttle
from finance.tests.factories import CommissionFactory
from orders.enums import OrderStatus
from orders.tests.factories import OfferFactory, OrderFactory
from staff.enums import ModerationStatus, Role
from staff.models import StaffAccessCode
from staff.services import onboarding
from staff.tests.factories import InviteFactory, MasterFactory, StaffUserFactory

SECRET = "SECRET-OF-ANOTHER"
COMMANDS = ["/start", "/menu", "/cancel", "/help", "/start x", "/"]
NAMES = ["Иванов", "Анна", "казань", "-", "+79990001122", "А123ВС777", "4111 1111 1111 1111", "55.7, 37.6"]
TEXTS = [
    *COMMANDS,
    *NAMES,
    "89990001122",
    "12А",
    "ABCD1234",
    "Не работает розетка",
    "3500",
    "3 500,50",
    "0",
    "-1",
    "<b>",
    "\x00",
    "я" * 4096,
]
ODD = [
    0,
    1,
    2,
    2**31 - 1,
    10**12,
    "x",
    "15m",
    "-1",
    "yes",
    "-",
    "districts",
    "skills",
    "city",
    "phone",
    "CARD",
    "SBP",
    "sber",
    "consent",
    "vehicle",
    "payout_method",
    "bank",
    "photo",
    "LOGIST",
    "GLOBAL_ADMIN",
    "ELECTRICS",
    "q1",
    "f1.1.un",
    "x" * 40,
    "full",
    "house",
    "slot",
    "files",
    "distribution_rounds",
    "ok",
    "blk",
    "any",
    "direct",
]
MEDIA: list[dict[str, Any]] = [
    {"photo": [{"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}]},
    {"document": {"file_id": "d", "file_unique_id": "d"}},
    {"document": {"file_id": "d", "file_unique_id": "d", "mime_type": "application/pdf", "file_size": 10**9}},
    {"voice": {"file_id": "v", "file_unique_id": "v", "duration": 1}},
    {"contact": {"phone_number": "1", "first_name": "x"}},
    {"contact": {"phone_number": "79990001122", "first_name": "x", "user_id": 43}},
    {"location": {"latitude": 55.7, "longitude": 37.6}},
    {"dice": {"emoji": "🎲", "value": 1}},
]


class Silent(BaseSession):
    """Telegram that says yes, and remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: Counter[str] = Counter()
        self.shown: dict[int, list[str]] = {}

    async def close(self) -> None:
        return

    async def make_request(self, bot: Bot, method: Any, timeout: int | None = None) -> Any:
        if isinstance(method, AnswerCallbackQuery):
            self.answers[method.callback_query_id] += 1
            assert len(method.text or "") <= 200
        if isinstance(method, SendMessage | EditMessageText):
            self.shown.setdefault(int(method.chat_id or 0), []).append(method.text)
            assert 0 < len(method.text) <= 4096 * 4
        return Message(message_id=1, date=datetime.now(UTC), chat=Chat(id=1, type="private"))

    async def stream_content(self, *args: Any, **kwargs: Any) -> AsyncGenerator[bytes, None]:
        yield b""


class Fuzz:
    """Random updates of a few people."""

    def __init__(self, seed: int, people: list[int], ids: list[int]) -> None:
        self.dice, self.people, self.ids, self.count = random.Random(seed), people, ids, 0

    def update(self) -> dict[str, Any]:
        self.count += 1
        person = self.dice.choice(self.people)
        user = {"id": person, "is_bot": False, "first_name": "x", "language_code": self.dice.choice(["ru", "en", "zz"])}
        chat = {"id": person, "type": "private"}
        message = {"message_id": self.count, "date": 1, "chat": chat, "from": user}
        if self.dice.random() < 0.7:
            query = {"id": str(self.count), "from": user, "chat_instance": "1", "data": self.address()}
            return {"update_id": self.count, "callback_query": query | {"message": message | {"text": "x"}}}
        body = {"text": self.dice.choice(TEXTS)} if self.dice.random() < 0.6 else self.dice.choice(MEDIA)
        group = {"media_group_id": "g"} if self.dice.random() < 0.2 else {}
        return {"update_id": self.count, "message": message | body | group}

    def address(self) -> str:
        path = self.dice.choice(sorted(ROUTES.routes))
        number = self.dice.choice([0, 1, len(ROUTES.routes[path].types), 3])
        words = [str(self.dice.choice([*self.ids, *ODD])) for _ in range(number)]
        return ":".join([path, *words])[:64]


@pytest.fixture
def town() -> dict[str, Any]:
    """Two masters and two staff members in one city, a stranger, and an order of another city with a secret."""
    order = OrderFactory(status=OrderStatus.SEARCHING)
    first, second = (MasterFactory(city=order.city, districts=[order.district]) for _ in range(2))
    working = OrderFactory(city=order.city, district=order.district, assigned=True, assigned_master=first)
    offers = [OfferFactory(order=order, master=master) for master in (first, second)]
    commission = CommissionFactory(
        order=OrderFactory(city=order.city, district=order.district, in_payment=True, assigned_master=second)
    )
    foreign = OrderFactory(description=SECRET, client_name=SECRET, assigned=True)
    hidden = CommissionFactory(order__client_name=SECRET, order__description=SECRET)
    clerk = StaffUserFactory(role=Role.LOGIST, cities=[order.city])
    admin = StaffUserFactory(role=Role.CITY_ADMIN, cities=[order.city])
    onboarding.begin(tg_user_id=43, code=InviteFactory(city=order.city).code, now=timezone.now())
    rejected = MasterFactory(city=order.city, moderation_status=ModerationStatus.REJECTED)
    waits = MasterFactory(city=order.city, moderation_status=ModerationStatus.PENDING, applied_at=timezone.now())
    boss = StaffUserFactory(role=Role.GLOBAL_ADMIN)
    code = StaffAccessCode.objects.create(code="ABCD1234", role=Role.LOGIST, city=order.city)
    rows = [
        clerk,
        boss,
        code,
        waits,
        order.city,
        order.district,
        order,
        working,
        foreign,
        commission,
        hidden,
        hidden.order,
        commission.order,
        first,
        second,
        *offers,
    ]
    return {
        "masters": [first.tg_user_id, second.tg_user_id, rejected.tg_user_id, 42, 43],
        "staff": [clerk.tg_user_id, admin.tg_user_id, 42], "bosses": [boss.tg_user_id, 42],
        "ids": [row.pk for row in rows],
    }  # fmt: skip


def play(seed: int, steps: int, town: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    crashes: list[BaseException] = []
    facts = errors.facts
    monkeypatch.setattr(errors, "facts", lambda error: crashes.append(error) or facts(error))
    monkeypatch.setattr(Throttle, "allows", lambda *args: True)

    async def run(spec: Any, people: list[int]) -> Silent:
        session, storage, fuzz = Silent(), fsm.storage(), Fuzz(seed, people, town["ids"])
        bot, made = Bot("1:x", session=session), dispatcher(spec, storage)
        for _ in range(steps):
            await made.feed_update(bot, Update.model_validate(fuzz.update(), context={"bot": bot}))
        await storage.close()
        return session

    with workers():
        for spec, people in ((MASTER, "masters"), (ADMIN, "staff"), (ADMIN, "bosses")):
            session = asyncio.run(run(spec, town[people]))
            assert crashes == []
            assert set(session.answers.values()) == {1}
            seen = [text for texts in session.shown.values() for text in texts if SECRET in text]
            assert not seen or people == "bosses"  # who may see everything


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("configured")
def test_a_little_of_everything(town: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    play(1, 200, town, monkeypatch)


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("seed", range(2, 12))
def test_a_lot_of_everything(seed: int, town: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    play(seed, 5000, town, monkeypatch)
