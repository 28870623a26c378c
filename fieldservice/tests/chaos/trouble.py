"""What goes wrong, when: drawn from a seed, every kind at least once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from fieldservice.tests.chaos import checker
from fieldservice.tests.chaos.clocks import compiler
from fieldservice.tests.chaos.processes import Installation

#: seconds Telegram is away: ten minutes of a day in which offers may take 120 s; here they take 8
DOWN = 40.0
#: seconds two beats run side by side, Redis is away, a clock is wrong; how wrong it is
DOUBLE, LOST, WRONG, LEAP = 10.0, 8.0, 8.0, 30
#: faults of the sandbox that last the whole day
STANDING = (("500", None, 0.02), ("429", None, 0.05), ("cut", "sendMessage", 0.01), ("cut", "edit*", 0.01))


@dataclass
class Blow:
    """What was done, from when to when (seconds since 1970)."""

    name: str
    at: float
    over: float = 0.0


class Trouble(threading.Thread):
    """Strikes every few seconds until `done` is set, with every kind once before any strikes again."""

    def __init__(self, site: Installation, *, seed: object, pauses: tuple[float, float] = (3.0, 9.0)) -> None:
        super().__init__(name="trouble", daemon=True)
        self.site, self.rng, self.pauses = site, Random(f"trouble:{seed}"), pauses
        self.done = threading.Event()
        self.counts: Counter[str] = Counter()
        self.story: list[Blow] = []
        #: messages Telegram took without saying so
        self.cuts = 0
        #: every kind has struck
        self.whole = threading.Event()
        self.error: BaseException | None = None

    def faults(self) -> None:
        """The bad network of the whole day."""
        for kind, method, probability in STANDING:
            self.site.sandbox().faults.add(kind, method=method, probability=probability, retry_after=1)

    def end(self) -> None:
        """The network is good again, Telegram is there."""
        self.cuts = checker.cuts(self.site.sandbox())
        self.site.sandbox().faults.clear()

    def run(self) -> None:
        deck: list[str] = []
        while not self.done.wait(self.rng.uniform(*self.pauses)):
            if not deck:
                deck = self.rng.sample(sorted(self.blows), len(self.blows))
            name = deck.pop()
            blow = Blow(name, time.time())
            self.story.append(blow)
            try:
                self.blows[name]()
            except BaseException as error:  # noqa: BLE001 - handed to the test
                self.error = error
                return
            self.counts[name] += 1
            blow.over = time.time()
            if not deck:
                self.whole.set()

    @property
    def blows(self) -> dict[str, Callable[[], None]]:
        """Name → what it does."""
        site = self.site
        killed = {f"kill {name}": partial(site.kill, name) for name in ("worker", "beat", "master_bot", "admin_bot")}
        return (
            killed
            | self._clocks()
            | {
                "kill a worker's child": partial(site.kill, "worker", child=True),
                "kill master_bot again": partial(site.kill, "master_bot"),
                "two beats": self._two_beats,
                "restart PostgreSQL": site.restart_postgres,
                "kill PostgreSQL": partial(site.restart_postgres, hard=True),
                "flush Redis": site.flush_redis,
                "restart Redis": self._restart_redis,
                "lose Redis": partial(site.lose_redis, LOST),
                "Telegram down": lambda: site.sandbox().faults.down(DOWN),
            }
        )

    def _clocks(self) -> dict[str, Callable[[], None]]:
        """A clock leaps forward or back, and is put right again. Nothing where clocks cannot be set."""
        leaps = (("ahead", LEAP), ("behind", -LEAP)) if compiler() else ()
        return {
            f"clock of {name} {way} by {LEAP} s": partial(self._wrong_clock, name, seconds)
            for name in ("worker", "beat", "master_bot")
            for way, seconds in leaps
        }

    def _wrong_clock(self, name: str, seconds: int) -> None:
        self.site.clocks.set(name, seconds)
        self.done.wait(WRONG)
        self.site.clocks.set(name, 0)

    def _two_beats(self) -> None:
        self.site.start("beat2")
        self.done.wait(DOUBLE)
        self.site.kill("beat2", stay_dead=True)

    def _restart_redis(self) -> None:
        self.site.servers("stop", "redis")
        self.site.servers("start", "redis")
