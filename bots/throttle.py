"""A tap storm costs nothing: a token bucket per person, in this process."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

#: an album is ten messages at once, and all of them count
BURST = 20.0
PER_SECOND = 3.0
PEOPLE = 10_000


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class Throttle:
    """Up to `burst` updates at once, then `rate` a second. Only the last PEOPLE are remembered."""

    def __init__(self, rate: float = PER_SECOND, burst: float = BURST) -> None:
        self.rate, self.burst = rate, burst
        self.buckets: OrderedDict[int, _Bucket] = OrderedDict()

    def allows(self, user_id: int, now: float | None = None) -> bool:
        """Take a token; False when there is none left."""
        now = time.monotonic() if now is None else now
        bucket = self.buckets.setdefault(user_id, _Bucket(self.burst, now))
        self.buckets.move_to_end(user_id)
        bucket.level = min(self.burst, bucket.level + (now - bucket.at) * self.rate)
        bucket.at = now
        if bucket.level < 1:
            return False
        bucket.level -= 1
        self._forget()
        return True

    def _forget(self) -> None:
        while len(self.buckets) > PEOPLE:
            self.buckets.popitem(last=False)
