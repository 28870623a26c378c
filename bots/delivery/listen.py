"""LISTEN on a connection of its own: the pump wakes at the commit that wrote a row."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import psycopg
from django.db import connections
from psycopg import sql

log = logging.getLogger(__name__)
#: how long a stopped thread may take to notice, and to wait before it connects again
PATIENCE = 0.5


class Listener:
    """A thread that calls `wake` for every NOTIFY; a cut connection is opened again (the sweep covers the gap)."""

    def __init__(self, channel: str, wake: Callable[[], object]) -> None:
        self.channel, self.wake = channel, wake
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"listen-{channel}", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and its connection."""
        self._stopping.set()
        self._thread.join(10 * PATIENCE)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                log.warning("listen_lost", extra={"channel": self.channel, "error": type(error).__name__})
                self._stopping.wait(PATIENCE)

    def _listen(self) -> None:
        # Django's own connection may come from a pool; this one belongs to the thread for good
        params = connections["default"].get_connection_params()
        with psycopg.connect(**params, autocommit=True) as connection:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self.channel)))
            self.wake()  # what was written while nobody listened
            while not self._stopping.is_set():
                for _notice in connection.notifies(timeout=PATIENCE):
                    self.wake()
