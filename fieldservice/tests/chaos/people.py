"""The cast: rows in the database, and threads that play masters, a logist, an admin and the office."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from bots.sandbox.client import ChatClient, SandboxClient, SandboxError
from fieldservice.lib.actor import COMMAND_LINE
from finance.models import OwnerRequisites
from geo.models import City, District
from geo.tests.factories import CityFactory, DistrictFactory
from orders.services import intake
from staff.enums import Role
from staff.models import Master, StaffUser
from staff.tests.factories import MasterFactory, StaffUserFactory

#: seconds a person waits for the bot before trying something else
PATIENCE = 6.0
#: the share of orders that nobody but a logist can place
NO_DISTRICT = 0.03
Place = tuple[int, str]


class Lost(Exception):
    """The bot did not show what the person waited for."""


def noon() -> str:
    """A time zone where it is about noon now: orders are searched for at once, whenever the test runs."""
    hours = 12 - datetime.now(UTC).hour
    return "Etc/GMT" if not hours else f"Etc/GMT{-hours:+d}"


class Cast:
    """The company: one city with districts, masters on shift, a logist, an admin."""

    def __init__(self, masters: int = 8, districts: int = 3) -> None:
        self.city: City = CityFactory(timezone=noon())
        self.districts: list[District] = [DistrictFactory(city=self.city) for _ in range(districts)]
        self.masters: list[Master] = [
            MasterFactory(tg_user_id=5001 + n, districts=self.districts, phone=f"+7999000{n:04d}")
            for n in range(masters)
        ]
        self.logist: StaffUser = StaffUserFactory(role=Role.LOGIST, cities=[self.city], tg_user_id=7003)
        self.admin: StaffUser = StaffUserFactory(role=Role.GLOBAL_ADMIN, tg_user_id=7001)
        OwnerRequisites.objects.create(methods=["other"], other_text="nowhere", comment_template="#<order_id>")

    def new_order(self, key: str, district: District | None) -> int:
        """One order by the intake; calling it again with the same key changes nothing."""
        new = intake.NewOrder(
            city_id=self.city.pk,
            district_id=district.pk if district else None,
            client_phone="+79990001234",
            category="ELECTRICS",
            external_key=key,
            confirm_late=True,
        )
        return intake.create(new=new, actor=COMMAND_LINE).pk


class Player(threading.Thread):
    """A person with a phone; `turn` again and again until `done` is set. What the bot does not answer is tried anew."""

    def __init__(
        self, sandbox: SandboxClient, bot: str, tg_user_id: int, *, seed: object, counts: Counter[str]
    ) -> None:
        super().__init__(name=f"{bot}-{tg_user_id}", daemon=True)
        person = sandbox.person(f"P{tg_user_id}", id=tg_user_id, language="en")
        self.chat: ChatClient = person.chat(bot)
        self.rng, self.counts = Random(str(seed)), counts
        self.done = threading.Event()
        self.error: BaseException | None = None
        self.chat.acts("start", payload="")

    def run(self) -> None:
        while not self.done.is_set():
            try:
                self.turn()
            except (Lost, AssertionError, SandboxError):
                self.counts["unanswered"] += 1
            except BaseException as error:  # noqa: BLE001 - handed to the test
                self.error = error
                return
            self.done.wait(self.rng.uniform(0.1, 0.4))

    def turn(self) -> None:
        raise NotImplementedError

    def buttons(self, address: str, *, fresh: bool = False) -> list[Place]:
        """(message, data) of the visible buttons with this address, newest message first."""
        wanted = re.compile(re.escape(address) + r"((:\d+)+(:[a-z]{2})?)?")  # ids, a page, a tab
        messages = [m for m in reversed(self.chat.view()["messages"]) if not m["deleted"]]
        return [
            (m["id"], b["value"])
            for m in messages
            if not fresh or m["version"] > self.chat.mark
            for row in m["buttons"]
            for b in row
            if b["kind"] == "callback" and wanted.fullmatch(b["value"])
        ]

    def awaits(self, *addresses: str) -> tuple[str, list[Place]]:
        """The first of these addresses that a fresh message has buttons for. Raises Lost."""
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit and not self.done.is_set():
            for address in addresses:
                if found := self.buttons(address, fresh=True):
                    return address, found
            time.sleep(0.1)
        raise Lost(", ".join(addresses))

    def taps(self, place: Place) -> str:
        """Tap and wait for the answer; its text. Raises AssertionError without one."""
        answer = self.chat.presses_data(place[1], message=place[0])
        return answer.text

    def goes(self, address: str) -> None:
        """Wait for a fresh button and tap one of them."""
        self.taps(self.rng.choice(self.awaits(address)[1]))


class MasterPlayer(Player):
    """Accepts, declines or ignores offers; works through the active orders; pays."""

    def __init__(self, sandbox: SandboxClient, master: Master, *, seed: object, counts: Counter[str]) -> None:
        self.decided: set[str] = set()
        self.diligent = False
        super().__init__(sandbox, "master", master.tg_user_id or 0, seed=f"{seed}:{master.tg_user_id}", counts=counts)

    def turn(self) -> None:
        for place in self.buttons("m:new:acc"):
            number = place[1].split(":")[3]
            if number not in self.decided:
                self.answer(place, number)
                return
        self.rng.choice((self.work, self.work, self.pay))()

    def answer(self, place: Place, number: str) -> None:
        die = 0.0 if self.diligent else self.rng.random()
        if die < 0.65:
            self.taps(place)
            self.counts["accept taps"] += 1
        elif die < 0.8:
            self.taps((place[0], place[1].replace("m:new:acc", "m:new:dec")))
            self.goes("m:new:dec_yes")
            self.counts["decline taps"] += 1
        else:
            self.counts["ignored"] += 1
        self.decided.add(number)  # only now: who got no answer taps again

    def work(self) -> None:
        self.chat.sends("/menu")
        self.goes("m:act")
        address, cards = self.awaits("m:act:card", "m:menu")
        if address == "m:menu":
            return
        self.taps(self.rng.choice(cards))
        address, places = self.awaits("m:act:enr", "m:act:wrk", "m:act:cls", "m:act:cm", "m:menu")
        if address in ("m:act:enr", "m:act:wrk"):
            self.taps(places[0])
        elif address == "m:act:cls":
            self.close(places[0])

    def close(self, place: Place) -> None:
        self.taps(place)
        self.awaits("m:act:cls:no")
        self.chat.sends(str(self.rng.randrange(1000, 9000)))
        self.goes("m:act:cls:ok")
        self.awaits("m:act:cls:no")
        self.chat.sends_photo()
        self.awaits("m:fin:cm:ip")
        self.counts["closed by photo"] += 1

    def pay(self) -> None:
        self.chat.sends("/menu")
        self.goes("m:fin")
        address, cards = self.awaits("m:fin:cm", "m:menu")
        if address == "m:menu":
            return
        self.taps(self.rng.choice(cards))
        address, places = self.awaits("m:fin:cm:ip", "m:menu")
        if address == "m:fin:cm:ip":
            self.taps(places[0])
            self.goes("m:fin:cm:ip_yes")
            self.counts["paid"] += 1


class AdminPlayer(Player):
    """Approves what masters report."""

    def turn(self) -> None:
        self.chat.sends("/menu")
        self.goes("adm:f:aw")
        address, cards = self.awaits("adm:f:cm:card", "adm:menu")
        if address == "adm:menu":
            return
        self.taps(self.rng.choice(cards))
        address, places = self.awaits("adm:f:cm:ok", "adm:menu")
        if address == "adm:f:cm:ok":
            self.taps(places[0])
            self.goes("adm:f:cm:approve")
            self.counts["approved"] += 1


class LogistPlayer(Player):
    """Begins a new search where dispatch has given up."""

    def turn(self) -> None:
        self.chat.sends("/menu")
        self.goes("adm:q:list")
        address, cards = self.awaits("adm:q:card", "adm:menu")
        if address == "adm:menu":
            return
        self.taps(self.rng.choice(cards))
        address, places = self.awaits("adm:q:again", "adm:menu")
        if address == "adm:q:again":
            self.taps(places[0])
            self.counts["searched again"] += 1
        self.done.wait(3)


class Office(threading.Thread):
    """Orders come in; one that the database did not take is entered again with the same key."""

    def __init__(self, cast: Cast, *, seed: object, every: float) -> None:
        super().__init__(name="office", daemon=True)
        self.cast, self.rng, self.every = cast, Random(f"office:{seed}"), every
        self.done = threading.Event()
        self.keys: dict[str, int] = {}
        self.refusals = 0

    def run(self) -> None:
        try:
            while not self.done.is_set():
                self._enter(f"day-{len(self.keys) + 1}")
                self.done.wait(self.rng.expovariate(1 / self.every))
        finally:
            connections.close_all()

    def _enter(self, key: str) -> None:
        district = None if self.rng.random() < NO_DISTRICT else self.rng.choice(self.cast.districts)
        while key not in self.keys:
            close_old_connections()
            try:
                self.keys[key] = self.cast.new_order(key, district)
            except DatabaseError:
                self.refusals += 1
                connections.close_all()
                time.sleep(0.5)


def everybody(sandbox: SandboxClient, cast: Cast, *, seed: object, counts: Counter[str]) -> list[Player]:
    """All players, not started yet."""
    masters: list[Player] = [MasterPlayer(sandbox, m, seed=seed, counts=counts) for m in cast.masters]
    staff: list[tuple[Callable[..., Player], Any]] = [(AdminPlayer, cast.admin), (LogistPlayer, cast.logist)]
    return masters + [
        kind(sandbox, "admin", member.tg_user_id, seed=f"{seed}:{member.tg_user_id}", counts=counts)
        for kind, member in staff
    ]
