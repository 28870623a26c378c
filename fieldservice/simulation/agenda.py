"""The virtual clock: a heap of things to do, and nobody ever waits."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

Action = Callable[[], object]


class Agenda:
    """`now` is the time of the action that runs. Actions of one moment run in the sequence they were entered."""

    def __init__(self, start: datetime) -> None:
        self.start = self.now = start
        self._heap: list[tuple[datetime, int, Action]] = []
        self._number = count()
        self._once: set[tuple[str, datetime]] = set()

    def at(self, moment: datetime, action: Action) -> None:
        """Do it then; at once, if that is over."""
        heapq.heappush(self._heap, (max(moment, self.now), next(self._number), action))

    def after(self, action: Action, *, seconds: float = 0, minutes: float = 0) -> None:
        """Do it so much later."""
        self.at(self.now + timedelta(seconds=seconds, minutes=minutes), action)

    def every(self, period: float, action: Action) -> None:
        """Do it every `period` seconds, from the start on, for as long as the clock runs."""

        def again() -> None:
            action()
            self.after(again, seconds=period)

        self.at(self.start, again)

    def next_beat(self, moment: datetime, period: float, name: str, action: Action) -> None:
        """Do it at the first beat of `period` seconds at or after `moment`, once for all who ask for that beat.

        For a job that looks every few seconds for rows with a due time, and does nothing while none is due.
        """
        beats = -((self.start - max(moment, self.now)) // timedelta(seconds=period))
        beat = self.start + beats * timedelta(seconds=period)
        if (name, beat) not in self._once:
            self._once.add((name, beat))
            self.at(beat, action)

    def run(self, until: datetime) -> None:
        """Go through everything up to `until`."""
        while self._heap and self._heap[0][0] <= until:
            self.now, _, action = heapq.heappop(self._heap)
            action()
        self.now = until
