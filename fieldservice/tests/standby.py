"""A streaming stand-by of the tests' PostgreSQL, as a process of its own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from fieldservice.embedded import accounts, postgres
from fieldservice.runtime import replica

START_SECONDS = 30.0
OPTIONS = {"listen_addresses": "", "unix_socket_permissions": "0700", "wal_retrieve_retry_interval": "200ms",
           "max_connections": "200"}  # fmt: skip


class Standby:
    """Copied from the embedded server, then fed by it. Use as a context manager; `alias` in Django's connections."""

    def __init__(self) -> None:
        main = connection.settings_dict
        if not str(main["HOST"]).startswith("/"):
            pytest.skip("A stand-by is made of the embedded PostgreSQL only; TEST_DATABASE_URL names another server.")
        self.main: dict[str, Any] = dict(main)
        self.folder = Path(tempfile.mkdtemp(prefix="standby-", dir="/tmp"))
        self.data = self.folder / "data"
        self.account = accounts.without_root(self.data)
        self.tools = postgres.binaries(self.account)
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Standby:
        self.account.own(self.folder)
        self._run("pg_basebackup", "-D", str(self.data), "-h", self.main["HOST"], "-U", self.main["USER"], "-R", "-X",
                  "stream", "-c", "fast", "--no-sync")  # fmt: skip
        self.start()
        connections.settings[replica.ALIAS] = self.main | {
            "HOST": str(self.folder),
            "TEST": self.main["TEST"] | {"MIRROR": "default"},  # nothing is to be emptied there after a test
        }
        return self

    def __exit__(self, *args: object) -> None:
        connections[replica.ALIAS].close()
        del connections[replica.ALIAS]
        del connections.settings[replica.ALIAS]
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Run until it answers."""
        options = OPTIONS | {"unix_socket_directories": str(self.folder)}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.account.prefix, str(self.tools / "postgres"), "-D", str(self.data), *settings],
                stdout=log, stderr=log, cwd="/", user=self.account.uid, group=self.account.gid,
            )  # fmt: skip
        limit = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < limit, (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """At once, as a machine that loses its power."""
        if self.process:
            self.process.kill()
            self.process.wait(20)
            # the postmaster's children notice by themselves; a new one may start when they have gone
            time.sleep(0.5)
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            self.process = None

    def says(self, question: str) -> Any:
        """The one value it answers; None for a command."""
        with self._connect() as here:
            done = here.execute(question)  # type: ignore[call-overload]
            row = done.fetchone() if done.description else None
            return row[0] if row else None

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self.folder), user=self.main["USER"], dbname=self.main["NAME"], autocommit=True, connect_timeout=2
        )

    def _answers(self) -> bool:
        try:
            return bool(self.says("SELECT pg_is_in_recovery()"))
        except psycopg.OperationalError:
            return False

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self.account.prefix, str(self.tools / program), *arguments], capture_output=True, text=True, cwd="/",
            user=self.account.uid, group=self.account.gid, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
