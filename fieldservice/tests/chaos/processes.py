"""A whole installation of its own: PostgreSQL, Redis, the sandbox, Celery and both bots, which tests may kill.

The command lines are those of ops/Procfile.demo. A supervisor restarts what died, as systemd would
(Restart=always, RestartPreventExitStatus=78).
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import redis

from bots.sandbox.client import SandboxClient, SandboxError
from fieldservice import embedded
from fieldservice.embedded import locations
from fieldservice.tests.chaos.clocks import Clocks

MASTER_TOKEN, ADMIN_TOKEN = "100001:chaos_master", "100002:chaos_admin"
LOGS, ALERTS = -1001000000001, -1001000000002
#: exit codes after which a supervisor must not start a process again: a second copy, a wrong token
FOR_GOOD = (78, 2)
RESTART_SECONDS = 1.0
STEP_SECONDS = 90.0
SHORT = {
    "DISTRIBUTION_SLA_SECONDS": "5",
    "DISTRIBUTION_TICK_SECONDS": "2",
    "DISTRIBUTION_ROUNDS": "3",
    "HEARTBEAT_SECONDS": "5",
    "WORKDAY_START": "00:00",
    "WORKDAY_END": "23:59",
    "ASAP_LATE_THRESHOLD": "23:58",
    "LANGUAGE_CODE": "ru",
    "LOG_LEVEL": "INFO",
}


@dataclass
class Process:
    """One process of the installation. `wanted`: the supervisor keeps it alive."""

    name: str
    command: str
    popen: subprocess.Popen[bytes] | None = None
    wanted: bool = False
    kills: int = 0
    restarts: int = 0
    codes: list[int] = field(default_factory=list)
    #: a command that runs it elsewhere
    prefix: tuple[str, ...] = ()
    died_at: float = 0.0
    #: how often its log said that it had started, before this start
    said_before: int = 0

    @property
    def running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None


class Installation:
    """Servers and processes below one home. Use as a context manager: nothing stays behind."""

    #: where the sandbox listens
    address = "127.0.0.1"

    def __init__(self, home: Path, *, port: int, settings: dict[str, str] | None = None) -> None:
        self.home, self.port = home, port
        self.url = f"http://{self.address}:{port}"
        self.environment = self._environment(settings or {})
        self.processes: dict[str, Process] = {}
        self.clocks = Clocks(home)
        self.counts: Counter[str] = Counter()
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)

    def __enter__(self) -> Installation:
        self.home.mkdir(parents=True, exist_ok=True)
        for log in self.home.glob("*.log"):
            log.unlink()
        self.clocks.make()
        self.servers("start")
        self._supervisor.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._ended.set()
        self._supervisor.join(10)
        for name in list(self.processes):
            self.kill(name, stay_dead=True)
        self.servers("stop")

    def _environment(self, settings: dict[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEST_", "PYTEST_"))}
        return (
            kept
            | dict.fromkeys(("DATABASE_URL", "REDIS_URL", "SENTRY_DSN", "CELERY_BROKER_URL"), "")
            | {
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "DJANGO_SETTINGS_MODULE": "fieldservice.settings",
                "FIELDSERVICE_EMBEDDED_HOME": str(self.home),
                "FIELDSERVICE_EMBEDDED_FAST": "0",  # a commit that was answered must survive kill -9
                "PYTHONUNBUFFERED": "1",
                "SANDBOX_URL": self.url,
                "SANDBOX_PORT": str(self.port),
                "TELEGRAM_API_URL": self.url,
                "MASTER_BOT_TOKEN": MASTER_TOKEN,
                "ADMIN_BOT_TOKEN": ADMIN_TOKEN,
                "LOGS_CHANNEL_ID": str(LOGS),
                "ALERTS_CHANNEL_ID": str(ALERTS),
                "REPORTS_CHANNEL_ID": "",
            }
            | SHORT
            | settings
        )

    # -- servers ------------------------------------------------------------------------------------------------------

    @contextmanager
    def addresses(self) -> Iterator[None]:
        """Inside, `embedded` speaks of this installation's servers."""
        before = os.environ.get("FIELDSERVICE_EMBEDDED_HOME")
        os.environ["FIELDSERVICE_EMBEDDED_HOME"] = str(self.home)
        try:
            yield
        finally:
            if before is None:
                del os.environ["FIELDSERVICE_EMBEDDED_HOME"]
            else:
                os.environ["FIELDSERVICE_EMBEDDED_HOME"] = before

    def servers(self, action: str, *names: str) -> None:
        """`start` or `stop` PostgreSQL and Redis, or those named."""
        self.run(sys.executable, "-m", "fieldservice.embedded", action, *(names or embedded.SERVICES))

    def run(self, *command: str) -> str:
        """Run a command of the project to its end; its output. Raises AssertionError with what it said."""
        done = subprocess.run(
            command, env=self.environment, cwd=locations.PROJECT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{shlex.join(command)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def restart_postgres(self, *, hard: bool = False) -> None:
        """Stop PostgreSQL and start it again; `hard`: kill -9 of the postmaster, then recovery."""
        if hard:
            with self.addresses():
                pid_file = embedded.home() / "postgres" / "data" / "postmaster.pid"
            os.kill(int(pid_file.read_text().split("\n", 1)[0]), signal.SIGKILL)
        else:
            self.servers("stop", "postgres")
        self.servers("start", "postgres")

    def flush_redis(self) -> None:
        """Everything in Redis is lost: wake-ups, dialogs, cache."""
        with self.addresses():
            path = str(locations.redis_socket())
        with redis.Redis(unix_socket_path=path) as client:
            client.flushall()

    def lose_redis(self, seconds: float) -> None:
        """Redis dies with its disk, and an empty one comes in its place so much later."""
        self.servers("stop", "redis")
        for dump in (self.home / "redis").glob("*.rdb"):
            dump.unlink()
        time.sleep(seconds)
        self.servers("start", "redis")

    # -- processes ----------------------------------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        """Start processes by their names in ops/Procfile.demo; a digit behind the name makes a further copy."""
        commands = procfile()
        for name in names:
            command = commands[name.rstrip("0123456789")]
            self.start_process(self.processes.setdefault(name, Process(name, command)))

    def start_process(self, process: Process) -> None:
        """From now on the supervisor keeps it alive."""
        process.wanted = True
        self._spawn(process)

    def kill(self, name: str, *, stay_dead: bool = False, child: bool = False, code: int = signal.SIGKILL) -> None:
        """kill -9 a process with all it forked, as a supervisor ends a unit; `child`: only one that it forked."""
        with self._lock:
            process = self.processes[name]
            process.wanted = process.wanted and not stay_dead
            if process.popen is None or not process.running:
                return
            with suppress(ProcessLookupError):
                if child and (forked := children(process.popen.pid)):
                    os.kill(forked[0], code)
                else:
                    os.killpg(process.popen.pid, code)
            if not child:
                process.popen.wait(30)
            process.kills += 1

    def up(self, *names: str, seconds: float = STEP_SECONDS) -> None:
        """Wait until these processes (all wanted ones) run, and the bots among them have said so."""
        wanted = [self.processes[name] for name in names] or [p for p in self.processes.values() if p.wanted]
        for process in wanted:
            until(lambda process=process: self._is_up(process), seconds, f"{process.name} ({process.codes}) is not up")

    def _is_up(self, process: Process) -> bool:
        # the sandbox may still hold the poll of a bot that was killed: only the log tells of the new one
        said = not process.name.endswith("_bot") or self._starts_said(process.name) > process.said_before
        return process.running and said

    def _starts_said(self, name: str) -> int:
        return self.log_of(name).count('"bot_started"')

    def sandbox(self, timeout: float = 5.0) -> SandboxClient:
        """The sandbox as people see it."""
        return SandboxClient(self.url, timeout=timeout)

    def log_of(self, name: str) -> str:
        """All a process has said."""
        path = self.home / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _spawn(self, process: Process) -> None:
        process.said_before = self._starts_said(process.name)
        with (self.home / f"{process.name}.log").open("ab") as log:
            process.popen = subprocess.Popen(
                [*process.prefix, "bash", "-c", process.command],
                env=self.environment | self.clocks.environment(process.name),
                cwd=locations.PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _supervise(self) -> None:
        while not self._ended.wait(0.1):
            with self._lock:
                for process in list(self.processes.values()):
                    self._look_after(process)

    def _look_after(self, process: Process) -> None:
        if not process.wanted or process.popen is None or process.popen.poll() is None:
            return
        if not process.died_at:
            process.died_at = time.monotonic()
            process.codes.append(process.popen.returncode)
            with suppress(ProcessLookupError):  # what a killed one left behind, as a supervisor does
                os.killpg(process.popen.pid, signal.SIGKILL)
            process.wanted = process.popen.returncode not in FOR_GOOD
        elif time.monotonic() - process.died_at >= RESTART_SECONDS:
            process.died_at = 0.0
            process.restarts += 1
            self._spawn(process)


def procfile() -> dict[str, str]:
    """Name → command line."""
    lines = (locations.PROJECT / "ops" / "Procfile.demo").read_text().splitlines()
    pairs = (line.partition(": ") for line in lines if line and not line.startswith("#"))
    return {name: command for name, _, command in pairs}


def answers(url: str) -> bool:
    """Whether a server answers there."""
    try:
        SandboxClient(url).bots()
    except SandboxError:
        return False
    return True


def children(pid: int) -> list[int]:
    """The processes that `pid` has forked."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]


def until(condition: Callable[[], object], seconds: float, complaint: str) -> None:
    """Wait until the condition holds. Raises AssertionError."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"{complaint} after {seconds:g} s"
        time.sleep(0.05)
