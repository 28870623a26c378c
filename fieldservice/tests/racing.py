"""Real threads with connections of their own, let loose on the real database at the same moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

from django.db import connection

from fieldservice.lib.errors import DomainError

Work = Callable[[], Any]
PATIENCE = 30


class Racers:
    """Threads that keep their connections between rounds; `run` starts one work on each at once."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.pool = ThreadPoolExecutor(count)

    def run(self, *works: Work) -> list[Any]:
        """What each work returned, in order; a DomainError is an answer, any other error is raised."""
        barrier = Barrier(len(works))

        def start(work: Work) -> Any:
            connection.ensure_connection()  # before the barrier: connecting is not part of the race
            barrier.wait(PATIENCE)
            try:
                return work()
            except DomainError as error:
                return error

        return [future.result(PATIENCE) for future in [self.pool.submit(start, work) for work in works]]

    def close(self) -> None:
        """Close every thread's connection: all threads are needed at once, so each gets exactly one of the jobs."""
        barrier = Barrier(self.count)

        def stop() -> None:
            barrier.wait(PATIENCE)
            connection.close()

        for future in [self.pool.submit(stop) for _ in range(self.count)]:
            future.result(PATIENCE)
        self.pool.shutdown()


@contextmanager
def racers(count: int) -> Iterator[Racers]:
    """`count` threads for the length of a test."""
    crew = Racers(count)
    try:
        yield crew
    finally:
        crew.close()


def late(milliseconds: float, work: Work) -> Any:
    """`work` after a moment: a short one would win every race against a long one, and prove nothing."""
    time.sleep(milliseconds / 1000)
    return work()


def codes(results: list[Any]) -> list[str]:
    """The refusals among the results, by code, sorted."""
    return sorted(result.code for result in results if isinstance(result, DomainError))


def winners(results: list[Any]) -> list[Any]:
    """The results that are no refusals."""
    return [result for result in results if not isinstance(result, DomainError)]
