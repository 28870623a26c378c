"""The one bridge from asyncio to the sync services: a few threads, each with a database connection of its own.

`sync_to_async` has one thread for everything: one slow query would stop the whole bot.
"""

from __future__ import annotations

import asyncio
import functools
import select
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, ParamSpec, TypeVar, cast

from django.db import close_old_connections, connection, connections
from django.utils import translation

P = ParamSpec("P")
T = TypeVar("T")
THREADS = 4
CLOSE_SECONDS = 5


class _Pool:
    """The threads, shared by every bot of the process: opened by the first, closed by the last."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.executor: ThreadPoolExecutor | None = None

    def enter(self) -> None:
        with self.lock:
            self.users += 1
            self.executor = self.executor or ThreadPoolExecutor(THREADS, thread_name_prefix="bots-db")

    def leave(self) -> None:
        with self.lock:
            self.users -= 1
            if self.users == 0 and self.executor:
                _close(self.executor)
                self.executor = None


_pool = _Pool()


@contextmanager
def workers() -> Iterator[None]:
    """`in_db` works inside this block; at the end of the outermost one the threads and their connections close."""
    _pool.enter()
    try:
        yield
    finally:
        _pool.leave()


async def in_db(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a sync function in a thread and return what it returns. The caller's language goes with it."""
    if _pool.executor is None:
        raise RuntimeError("in_db needs an open workers() block")
    job = functools.partial(function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_pool.executor, _managed, translation.get_language(), job)


def _managed(language: str, job: Callable[[], T]) -> T:
    # without this a connection that was cut stays cut for ever
    close_old_connections()
    if _is_quiet():
        cast(Any, connection).health_check_done = True  # the stubs do not know it
    with translation.override(language):  # it belongs to a thread, and does not come over by itself
        return job()


def _is_quiet() -> bool:
    """Whether the server has said nothing since the last job: its good-bye would wait in the socket.

    Django asks `SELECT 1` before each job instead, a tenth of the work of a tap. What is cut in the very moment between
    is read once more by `prepared.fetch`, which every visit begins with.
    """
    inside = connection.connection
    if inside is None or inside.closed:
        return False
    try:
        return not select.select([inside.fileno()], [], [], 0)[0]
    except ValueError:  # a number too high for select
        return False


def _close(executor: ThreadPoolExecutor) -> None:
    """Connections belong to threads: every thread closes its own; the barrier hands each exactly one job."""
    barrier = threading.Barrier(THREADS)

    def close() -> None:
        with suppress(threading.BrokenBarrierError):
            barrier.wait(CLOSE_SECONDS)
        connections.close_all()

    for _ in range(THREADS):
        executor.submit(close)
    executor.shutdown(wait=True)
