"""What goes wrong, when: drawn from a seed, every kind at least once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random

from fieldservice.tests.chaos.processes import Installation

#: seconds Telegram is away; two beats run side by side
DOWN, DOUBLE = 20.0, 10.0
#: faults of the sandbox that last the whole day
STANDING = (("500", 0.02), ("429", 0.05), ("cut", 0.01))


class Trouble(threading.Thread):
    """Strikes every few seconds until `done` is set."""

    def __init__(self, site: Installation, *, seed: object, pauses: tuple[float, float] = (3.0, 9.0)) -> None:
        super().__init__(name="trouble", daemon=True)
        self.site, self.rng, self.pauses = site, Random(f"trouble:{seed}"), pauses
        self.done = threading.Event()
        self.counts: Counter[str] = Counter()
        self.story: list[str] = []
        self.error: BaseException | None = None
        self.began = time.monotonic()

    def faults(self) -> None:
        """The bad network of the whole day."""
        for kind, probability in STANDING:
            self.site.sandbox().faults.add(kind, probability=probability, retry_after=1)

    def run(self) -> None:
        deck: list[str] = []
        while not self.done.wait(self.rng.uniform(*self.pauses)):
            if not deck:
                deck = self.rng.sample(sorted(self.blows), len(self.blows))
            name = deck.pop()
            self.story.append(f"{time.monotonic() - self.began:6.1f} s  {name}")
            try:
                self.blows[name]()
            except BaseException as error:  # noqa: BLE001 - handed to the test
                self.error = error
                return
            self.counts[name] += 1

    @property
    def blows(self) -> dict[str, Callable[[], None]]:
        """Name → what it does."""
        site = self.site
        killed = {f"kill {name}": partial(site.kill, name) for name in ("worker", "beat", "master_bot", "admin_bot")}
        return killed | {
            "kill a worker's child": partial(site.kill, "worker", child=True),
            "kill master_bot again": partial(site.kill, "master_bot"),
            "two beats": self._two_beats,
            "restart PostgreSQL": site.restart_postgres,
            "kill PostgreSQL": partial(site.restart_postgres, hard=True),
            "flush Redis": site.flush_redis,
            "restart Redis": self._restart_redis,
            "Telegram down": lambda: site.sandbox().faults.down(DOWN),
        }

    def _two_beats(self) -> None:
        self.site.start("beat2")
        self.done.wait(DOUBLE)
        self.site.kill("beat2", stay_dead=True)

    def _restart_redis(self) -> None:
        self.site.servers("stop", "redis")
        self.site.servers("start", "redis")
