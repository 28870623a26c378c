"""Every screen of both bots, in both languages: words in every caption and place name; Telegram's limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.utils import translation

from bots import text
from bots.admin import parameters
from bots.admin.bot import SPEC as ADMIN
from bots.callbacks import ROUTES, Route
from bots.master.bot import SPEC as MASTER
from bots.media import Incoming
from bots.screens import Screen
from bots.visit import Person, Visit
from fieldservice.embedded import locations
from fieldservice.lib.errors import DomainError
from fieldservice.runtime import registry
from finance.tests.factories import CommissionFactory, OwnerRequisitesFactory
from orders.tests.factories import AttachmentFactory, OfferFactory, OrderFactory
from staff.enums import ModerationStatus, Role
from staff.tests.factories import InviteFactory, MasterFactory, StaffUserFactory

pytestmark = pytest.mark.django_db
WORD = re.compile(r"[A-Za-zА-Яа-яЁё]{2}")
#: a number is a name, too: «1 ⭐»
NAMED = re.compile(r"[A-Za-zА-Яа-яЁё]{2}|\d")
RUSSIAN = re.compile(r"[А-Яа-яЁё]")
CRUMBS = re.compile(r"<i>([^<]*›[^<]*)</i>")
#: arguments that are words, not numbers
WORDS = ("districts", "skills", "15m", "CARD", "sber", "photo", "yes", "closed", "week", "all")
#: captions without words by design
BARE = {"◀", "▶"}
LONG = "Очень длинное описание <с угловыми скобками> & так далее. " * 200


def town() -> tuple[Person, Person, list[int]]:
    OwnerRequisitesFactory()
    order = OrderFactory(description=LONG, address_comment=LONG[:250])
    master = MasterFactory(city=order.city, districts=[order.district], referral_code="ABCD1234")
    mine = OrderFactory(city=order.city, assigned=True, assigned_master=master, description=LONG)
    AttachmentFactory(entity_id=mine.pk)
    paid = CommissionFactory(
        order=OrderFactory(city=order.city, in_payment=True, assigned_master=master), master=master
    )
    done = OrderFactory(city=order.city, closed=True, assigned_master=master)
    offer = OfferFactory(order=order, master=master)
    waits = MasterFactory(city=order.city, moderation_status=ModerationStatus.PENDING, full_name=LONG[:150])
    invite = InviteFactory(city=order.city)
    boss = StaffUserFactory(role=Role.GLOBAL_ADMIN)
    rows = [order, mine, paid, done, offer, master, waits, invite, boss, order.city, order.district]
    return (
        Person(master.tg_user_id, "ru", master_row=master),
        Person(boss.tg_user_id, "ru", member_row=boss),
        sorted({row.pk for row in rows} | {0, 1}),
    )


def arguments(route: Route, ids: list[int]) -> Iterator[list[Any]]:
    """A few ways to call a handler: each id, each word."""
    for number in ids:
        for word in WORDS if str in route.types else ("",):
            yield [number if kind is int else word for kind in route.types]


def screens(spec: Any, person: Person, ids: list[int]) -> Iterator[tuple[str, Screen]]:
    visit = Visit(person, chat_id=person.tg_user_id, message_id=1, incoming=Incoming())
    yield "home", spec.home(visit).screen
    yield "help", spec.help(visit).screen
    for path, route in sorted(ROUTES.routes.items()):
        if not path.startswith(f"{spec.scope}:"):
            continue
        for args in arguments(route, ids):
            try:
                spec.check(visit, route.needs)
                reply = route.handler(visit, *args)
            except DomainError:
                continue
            if reply.screen:
                yield f"{path} {args}", reply.screen


def test_every_setting_can_be_asked_for() -> None:
    boss = StaffUserFactory(role=Role.GLOBAL_ADMIN)
    visit = Visit(Person(boss.tg_user_id, "en", member_row=boss), chat_id=1, message_id=1, incoming=Incoming())
    for name, key in registry.KEYS.items():
        shown = ROUTES.routes["adm:set:edit"].handler(visit, name).screen
        assert str(key.label) in unescape(shown.text)
        assert len(f"adm:set:edit:{name}".encode()) <= 64


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("bot", ["master", "admin"])
def test_no_caption_and_no_line_is_blank(language: str, bot: str) -> None:
    master, boss, ids = town()
    spec, person = (MASTER, master) if bot == "master" else (ADMIN, boss)
    with translation.override(language):
        found = list(screens(spec, person, ids))
    assert len({name.split()[0] for name, _screen in found}) > 15
    for name, screen in found:
        body = text.shorten(screen.text)
        assert text.visible(body) <= text.LIMIT, name
        assert WORD.search(body), name
        assert language == "en" or RUSSIAN.search(re.sub(r"<[^>]+>", "", screen.text)), name
        for crumbs in CRUMBS.findall(screen.text):
            assert all(WORD.search(part) for part in crumbs.split("›")), (name, crumbs)
        for button in (button for row in screen.rows for button in row):
            assert button.text in BARE or NAMED.search(unescape(button.text)), (name, button)
            assert len(button.data.encode()) <= 64


@pytest.mark.parametrize("key", registry.KEYS.values(), ids=lambda key: key.name)
def test_every_setting_can_be_opened(key: registry.Key) -> None:
    boss = StaffUserFactory(role=Role.GLOBAL_ADMIN)
    visit = Visit(Person(boss.tg_user_id, "en", member_row=boss), chat_id=1)
    with translation.override("en"):
        asked, label = parameters.edit(visit, key.name), str(key.label)
    assert asked.screen is not None
    assert label in unescape(asked.screen.text)
    assert all(choice in str(asked.screen.rows) for choice in key.choices)


def test_every_screen_of_the_master_bot_says_where_one_is() -> None:
    """The menu is the place itself, an application has its progress bar."""
    names = {path.name: path.read_text() for path in (locations.PROJECT / "bots/templates/bots/master").glob("*.html")}
    assert len(names) > 20
    assert {name for name, body in names.items() if "{% crumbs menu" not in body} == {"menu.html", "application.html"}
    master, _boss, ids = town()
    homes = {"home", "m:menu", "m:sh:brk", "m:sh:brk:ok", "m:sh:off", "m:sh:on"}
    with translation.override("ru"):
        for name, screen in screens(MASTER, master, ids):
            assert name.split()[0] in homes or "<i>Меню › " in screen.text, name
