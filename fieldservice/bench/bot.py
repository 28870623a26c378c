"""`bench bot`: taps on the master bot's screens, beside a bare aiogram bot that shows the same screens.

Both read the same Redis, edit the message and answer the tap at the same null Bot API server, one process, one event
loop. The bare bot makes one query of its own and has its text ready: the difference is the product.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.fsm.storage.base import BaseStorage
from aiogram.types import CallbackQuery, CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup, Message, User
from django.conf import settings
from django.db import connection
from django.utils import translation

from bots import fsm
from bots.bot import connect
from bots.db import THREADS, in_db, workers
from bots.delivery.limits import Limits
from bots.handlers import Desk, Facts, dispatcher
from bots.live import Live
from bots.master.bot import SPEC
from bots.screens import Button, Screen
from fieldservice.bench import seed
from fieldservice.bench.harness import Result, Series, counted, execute
from fieldservice.embedded import locations
from fieldservice.lib import memory

TOKEN = "100001:bench"
#: taps of different people at a time, as much as a poller lets through is 32
AT_ONCE = 16
WARM = 100
#: half as fast as the bare bot
GOAL = 2.0
Connections = asyncio.Queue[psycopg.AsyncConnection[Any]]
#: every master has three live offers, three orders in work, five commissions to pay
OFFERED = """
INSERT INTO offers(order_id, master_id, state, sent_at, expires_at, delivered_at)
  SELECT o.id, m.id, 'SENT', now(), now() + interval '1 hour', now()
    FROM masters m CROSS JOIN generate_series(1, 3) g
    JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM orders WHERE status = 'SEARCHING') o
      ON o.place = (m.id - 1) * 3 + g"""
ACTIVE = """
UPDATE orders SET status = 'ASSIGNED', updated_at = now(), closed_at = NULL
 WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY assigned_master_id ORDER BY id) AS place
                                FROM orders WHERE status = 'CLOSED') o WHERE place <= 3)"""
OWED = """
INSERT INTO commissions(order_id, master_id, amount, rate, deadline_at, status)
  SELECT id, assigned_master_id, total_sum / 2, 0.5, now() + interval '1 hour', 'WAIT_PAY'
    FROM (SELECT *, row_number() OVER (PARTITION BY assigned_master_id ORDER BY id DESC) AS place
            FROM orders WHERE status = 'CLOSED') o WHERE place <= 5"""
FILL = """
UPDATE orders SET house = (id % 200)::text, apartment = '1', client_name = 'Клиент ' || id, lat = 55.75, lon = 37.61,
       client_phone = '+7999' || lpad((id % 10000000)::text, 7, '0'), timeslot_start_utc = now(),
       timeslot_end_utc = now() + interval '3 hours', description = 'Не греет, течёт, искрит',
       district_id = (SELECT min(d.id) FROM districts d WHERE d.city_id = orders.city_id)"""
#: name → address and the query whose second column is its argument, by master
KINDS = {
    "menu": ("m:menu", None),
    "New list": ("m:new", None),
    "offer card": ("m:new:card:%s:1", "SELECT master_id, min(id) FROM offers GROUP BY 1"),
    "active list": ("m:act", None),
    "active card": (
        "m:act:card:%s:1",
        "SELECT assigned_master_id, min(id) FROM orders WHERE status = 'ASSIGNED' GROUP BY 1",
    ),
    "finance list": ("m:fin", None),
}
#: what the bare bot asks
QUERY = "SELECT id, full_name, shift_status, moderation_status, city_id FROM masters WHERE tg_user_id = %s"


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two bots took, milliseconds an update: on the clock, of the processor (this process only)."""

    wall: Series = field(default_factory=Series)
    cpu: Series = field(default_factory=Series)


@dataclass(frozen=True, slots=True)
class Tap:
    """One person's tap on a button of this kind, as it comes from Telegram."""

    user: int
    data: str

    def update(self, number: int) -> dict[str, Any]:
        """The update."""
        user = {"id": self.user, "is_bot": False, "first_name": "Иван", "language_code": "ru"}
        chat = {"id": self.user, "type": "private"}
        message = {"message_id": 7, "date": int(time.time()), "chat": chat, "text": "…"}
        query = {"id": str(number), "from": user, "chat_instance": "1", "data": self.data, "message": message}
        return {"update_id": number, "callback_query": query}


def run(*, masters: int, runs: int) -> list[Result]:
    """Every master taps once a run: the bot and its floor in turns. The database is the bench's own."""
    logging.disable(logging.WARNING)  # log lines go to a terminal, which is not measured
    _company(masters)
    taps = _taps()
    with _null_telegram() as url, workers():
        results = asyncio.run(_measure(url, taps, runs))
    logging.disable(logging.NOTSET)
    return results


def _company(masters: int) -> None:
    seed.company(seed.Shape(masters=masters, history=masters * 10))
    execute("UPDATE orders SET created_at = now() - interval '20 days'")
    seed.due(masters * 3)
    for statement in (ACTIVE, FILL, OFFERED, OWED):
        execute(statement)
    execute("VACUUM ANALYZE")


def _taps() -> dict[str, list[Tap]]:
    people = _pairs("SELECT id, tg_user_id FROM masters ORDER BY id")
    found = {}
    for name, (address, query) in KINDS.items():
        numbers = _pairs(query) if query else {}
        found[name] = [Tap(user, address % numbers[pk] if query else address) for pk, user in people.items()]
    return found


def _pairs(query: str) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return dict(cursor.fetchall())


async def _measure(url: str, taps: dict[str, list[Tap]], runs: int) -> list[Result]:
    settings.TELEGRAM_API_URL = url
    bot, storage, connections = connect(TOKEN), fsm.storage(), await _connections()
    stock = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(url)), default=bot.default)
    whole = dispatcher(SPEC, storage, Live(bot, Limits(), name=SPEC.name))
    results = []
    for name, mine in taps.items():
        screen, statements = await in_db(_shown, mine[0])
        bots = {"floor": (_bare(storage, connections, screen), stock), "work": (whole, bot)}
        for pair in bots.values():  # connections, plans, templates are there, as in a running bot
            await _feed(*pair, mine[:WARM], url, Side())
        memory.set_aside()  # as a bot does when it has started
        sides = {side: Side() for side in bots}
        for _run in range(runs):
            for side, pair in bots.items():
                await _feed(*pair, mine, url, sides[side])
        results.append(_result(name, len(mine), sides["work"], sides["floor"], statements))
    await storage.close()
    await bot.session.close()
    await stock.session.close()
    for _number in range(THREADS):
        await (await connections.get()).close()
    return results


def _shown(tap: Tap) -> tuple[Screen, int]:
    """The bot's screen, for the bare bot to show, and how many statements it takes."""
    desk = Desk(SPEC)
    facts = Facts(User(id=tap.user, is_bot=False, first_name="Иван", language_code="ru"), None, message_id=7)
    with translation.override("ru"):
        desk.tapped(facts, tap.data)  # the first look marks an offer as seen
        with counted() as statements:
            reply = desk.tapped(facts, tap.data)
    assert reply.screen is not None
    return reply.screen, len(statements)


def _bare(storage: BaseStorage, connections: Connections, screen: Screen) -> Dispatcher:
    """aiogram and nothing else: its state, one query, the text as it is, the buttons packed, the tap answered."""
    made = Dispatcher(storage=storage)

    async def tap(query: CallbackQuery, bot: Bot, raw_state: str | None) -> None:
        assert raw_state is None
        free = await connections.get()
        row = await (await free.execute(QUERY, [query.from_user.id])).fetchone()
        connections.put_nowait(free)
        assert row
        assert isinstance(query.message, Message)
        await bot.edit_message_text(
            screen.text, chat_id=query.from_user.id, message_id=query.message.message_id, reply_markup=_keyboard(screen)
        )
        await query.answer()

    made.callback_query.register(tap)
    return made


def _keyboard(screen: Screen) -> InlineKeyboardMarkup:
    """The buttons as aiogram has them made."""
    rows = [[_button(button) for button in row] for row in screen.rows if row]
    return InlineKeyboardMarkup(inline_keyboard=rows)


def _button(button: Button) -> InlineKeyboardButton:
    if button.data:
        return InlineKeyboardButton(text=button.text, callback_data=button.data)
    if button.url:
        return InlineKeyboardButton(text=button.text, url=button.url)
    return InlineKeyboardButton(text=button.text, copy_text=CopyTextButton(text=button.copy))


async def _connections() -> Connections:
    """As many as the product's threads have."""
    found: Connections = asyncio.Queue()
    for _number in range(THREADS):
        found.put_nowait(await psycopg.AsyncConnection.connect(autocommit=True, **_server()))
    return found


def _server() -> dict[str, Any]:
    given = connection.settings_dict
    keys = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
    return {name: given[key] for key, name in keys.items() if given.get(key)}


async def _feed(made: Dispatcher, bot: Bot, taps: Sequence[Tap], url: str, into: Side) -> None:
    """Every tap fed and shown: milliseconds an update go into `into`. Raises RuntimeError when one was not shown."""
    before = await asyncio.to_thread(_calls, url)
    waiting = iter([tap.update(number) for number, tap in enumerate(taps)])

    async def person() -> None:
        for update in waiting:
            await made.feed_raw_update(bot, update)

    began, busy = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _number in range(AT_ONCE):
            group.create_task(person())
    took, busy = time.perf_counter() - began, time.process_time() - busy
    calls = await asyncio.to_thread(_calls, url) - before
    if calls != 2 * len(taps):
        raise RuntimeError(f"{len(taps)} taps made {calls} calls: a screen and an answer each were expected")
    into.wall.times.append(took * 1000 / len(taps))
    into.cpu.times.append(busy * 1000 / len(taps))


def _result(name: str, taps: int, work: Side, floor: Side, statements: int) -> Result:
    sizes = {"taps": taps, "at_once": AT_ONCE}
    figures = {
        "updates_per_second": round(1000 / work.wall.median),
        "floor_per_second": round(1000 / floor.wall.median),
        "share_of_floor": round(floor.wall.median / work.wall.median, 2),
        # the processor's time hardly depends on who else uses the machine
        "cpu_ms": round(work.cpu.median, 2),
        "floor_cpu_ms": round(floor.cpu.median, 2),
        "share_of_floor_cpu": round(floor.cpu.median / work.cpu.median, 2),
    }
    return Result(f"bot: {name}", sizes, work.wall, floor.wall, GOAL, statements, figures)


def _calls(url: str) -> int:
    with urllib.request.urlopen(f"{url}/count") as answer:  # an http address of our own
        return int(answer.read())


@contextmanager
def _null_telegram() -> Iterator[str]:
    command = [sys.executable, "-m", "fieldservice.bench.null_telegram"]
    with subprocess.Popen(command, cwd=locations.PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout
        assert server.stdin
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.stdin.close()
