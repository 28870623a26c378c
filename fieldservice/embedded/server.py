"""What both servers share: one start at a time, a lock that lives as long as the server, a clean stop."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

from fieldservice.embedded import locations, locks
from fieldservice.embedded.accounts import Account
from fieldservice.embedded.errors import EmbeddedError

START_SECONDS = 60.0
POLL_SECONDS = 0.01
LOG_LIMIT = 5_000_000  # bytes


class Server(ABC):
    """One embedded server. `title` is its name for people."""

    title: str
    # each signal and how many seconds it gets, mildest first
    stop_steps: tuple[tuple[signal.Signals, float], ...]

    def __init__(self, name: str) -> None:
        self.folder = locations.home() / name
        self.log = self.folder / "server.log"
        self.alive = self.folder / "alive.lock"

    # --- what a server must say about itself -------------------------------------------------------------------------
    @property
    @abstractmethod
    def socket(self) -> Path:
        """The unix socket it listens on."""

    @property
    @abstractmethod
    def pid_file(self) -> Path:
        """The file whose first line is its process id."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it serves clients now."""

    @abstractmethod
    def prepare(self) -> tuple[list[str], Account]:
        """Make what it needs, clear what a killed one left; the command to run and as whom. Nobody else is running."""

    # --- life --------------------------------------------------------------------------------------------------------
    def start(self) -> bool:
        """Run until ready; True when this call started it, False when it ran already."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locks.exclusive(self.folder / "start.lock"):
            alive = self._free_lock()
            if alive is None:
                return False
            try:
                command, account = self.prepare()
                self._launch(command, account, alive)
            finally:
                os.close(alive)
            self._wait_until_ready()
            return True

    def stop(self) -> bool:
        """End it and wait until it is gone; False when it did not run."""
        if not locks.held(self.alive):
            return False
        with locks.exclusive(self.folder / "start.lock"):
            for step, seconds in self.stop_steps:
                pid = self.pid()
                if pid is not None:
                    os.kill(pid, step)
                if self._gone(seconds):
                    return True
        raise EmbeddedError(f"{self.title} does not stop: see {self.log} and end the process {self.pid()} by hand.")

    def pid(self) -> int | None:
        """The process id of the living server; None when its file is missing, stale or about somebody else."""
        try:
            pid = int(self.pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if self.mark() in command_line(pid) else None

    def mark(self) -> bytes:
        """A text that the command line of this very server contains."""
        return os.fsencode(self.socket.parent)

    def connects(self, question: bytes = b"", answer: bytes = b"") -> bool:
        """Whether somebody listens on the socket and, if asked, answers as expected."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            try:
                connection.connect(str(self.socket))
                connection.sendall(question)
                return connection.recv(len(answer)) == answer if answer else True
            except OSError:
                return False

    # --- steps -------------------------------------------------------------------------------------------------------
    def _free_lock(self) -> int | None:
        """The lock of the living, or None when a ready server has it. Waits for one that is coming up or going down."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            alive = locks.take(self.alive)
            if alive is not None:
                return alive
            if self.ready():
                return None
            time.sleep(POLL_SECONDS)
        raise EmbeddedError(
            f"{self.title} in {self.folder} is running but does not answer on {self.socket}: stop it with "
            f"`python -m fieldservice.embedded stop` where it was started (another container?), then try again. "
            f"Its log is {self.log}."
        )

    def _launch(self, command: list[str], account: Account, alive: int) -> None:
        """Start `command` as nobody's child, in a session of its own (Ctrl-C in a terminal must not reach it)."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.old"))
        with self.log.open("ab") as log:
            # the shell leaves at once, so a server that dies is reaped by init and never stays as our zombie
            subprocess.run(
                ["/bin/sh", "-c", '"$@" &', "sh", *account.prefix, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=clean_environment(),
                pass_fds=(alive,),
                start_new_session=True,
                user=account.uid,
                group=account.gid,
                extra_groups=None if account.uid is None else [],
                check=True,
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            if not locks.held(self.alive):
                raise EmbeddedError(f"{self.title} did not start: {last_line(self.log)} Its log is {self.log}.")
            if time.monotonic() > deadline:
                raise EmbeddedError(f"{self.title} was not ready within {START_SECONDS:.0f} s. Its log is {self.log}.")
            time.sleep(POLL_SECONDS)

    def _gone(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while locks.held(self.alive):
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True


def make_socket_dir(account: Account) -> Path:
    """The socket folder, private to `account`. The temp directory is everybody's: a folder of a stranger is refused."""
    folder = locations.socket_dir()
    folder.mkdir(mode=0o700, exist_ok=True)
    data = locations.home() / "postgres" / "data"  # the other server may run as the owner of this
    trusted = {os.geteuid(), account.uid, *(path.stat().st_uid for path in (locations.home(), data) if path.exists())}
    if folder.is_symlink() or folder.stat().st_uid not in trusted:
        raise EmbeddedError(
            f"The socket folder {folder} belongs to another user: remove it, or set FIELDSERVICE_EMBEDDED_HOME."
        )
    folder.chmod(0o700)
    account.own(folder)
    return folder


def command_line(pid: int) -> bytes:
    """The command line of a living process; empty for a zombie, a dead one, or one that may not be looked at."""
    try:
        if Path("/proc/self").exists():
            return Path(f"/proc/{pid}/cmdline").read_bytes()
        return subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False).stdout
    except OSError:
        return b""


def fast() -> bool:
    """Whether durability may be given up for speed (tests)."""
    return os.environ.get("FIELDSERVICE_EMBEDDED_FAST", "") == "1"


def clean_environment() -> dict[str, str]:
    """The environment for a server: no PG* variable, locale or mark of the caller may change what it does."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG", "FIELDSERVICE"))
    }
    return kept | {"LC_ALL": "C"}


def last_line(log: Path) -> str:
    """The last non-empty line of a log, as part of a sentence."""
    try:
        lines = log.read_text(errors="replace").split("\n")
    except OSError:
        return "it left no log."
    line = next((line.strip() for line in reversed(lines) if line.strip()), "it left no log.")
    return line if line.endswith(".") else f"{line}."
