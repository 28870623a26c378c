"""Several hosts on one machine: network namespaces on a bridge, whose cables can be pulled (Linux, root, iproute2).

PostgreSQL, Redis and the sandbox listen on the bridge's address; the processes of a host reach them by TCP through its
cable.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

from fieldservice.embedded.accounts import Account
from fieldservice.embedded.postgres import Postgres
from fieldservice.embedded.redis import Redis
from fieldservice.tests.chaos.processes import Installation, Process, procfile

#: a network for examples and tests (RFC 2544)
NET, CENTRE = "198.18.77", "198.18.77.1"
BRIDGE = "fs-bridge"
REDIS_PORT, HOOK_PORT = 56379, 8082


def impossible() -> str:
    """Why this machine cannot have such hosts; empty when it can."""
    if os.geteuid() != 0:
        return "Hosts in network namespaces need root."
    if not shutil.which("ip"):
        return "Hosts in network namespaces need `ip` (Debian: apt-get install iproute2)."
    try:
        ip("netns", "add", "fs-probe")
        ip("netns", "del", "fs-probe")
    except AssertionError as error:
        return f"This machine forbids network namespaces: {error}"
    return ""


def ip(*arguments: str) -> None:
    """Run `ip`. Raises AssertionError with what it said."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr.strip()}"


class Host:
    """A namespace with a cable to the bridge."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self.address = name, f"{NET}.{number}"
        self.space, self.cable = f"fs-{name}", f"fs-cable-{name}"
        self.prefix = ("ip", "netns", "exec", self.space)

    def make(self) -> None:
        """Plugged in."""
        ip("netns", "add", self.space)
        ip("link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", self.space)
        ip("link", "set", self.cable, "master", BRIDGE, "up")
        for command in (("link", "set", "lo", "up"), ("addr", "add", f"{self.address}/24", "dev", "eth0"),
                        ("link", "set", "eth0", "up")):  # fmt: skip
            ip("-n", self.space, *command)

    def cut(self) -> None:
        """The switch's end of the cable is pulled: what the host sends is lost, and nobody is told."""
        ip("link", "set", self.cable, "down")

    def join(self) -> None:
        """Plugged in again."""
        ip("link", "set", self.cable, "up")

    def remove(self) -> None:
        """Whatever there is of it."""
        for arguments in (("netns", "del", self.space), ("link", "del", self.cable)):
            with suppress(AssertionError):
                ip(*arguments)


class OpenPostgres(Postgres):
    """Listens on the bridge, too."""

    def prepare(self) -> tuple[list[str], Account]:
        command, account = super().prepare()
        rules, line = self.data / "pg_hba.conf", f"host all all {NET}.0/24 trust\n"
        if line not in rules.read_text():
            with rules.open("a") as file:
                file.write(line)
        return [*command, "-c", f"listen_addresses={CENTRE}"], account


class OpenRedis(Redis):
    """Listens on the bridge, too."""

    def prepare(self) -> tuple[list[str], Account]:
        command, account = super().prepare()
        options = {"port": str(REDIS_PORT), "bind": CENTRE, "protected-mode": "no", "set-proc-title": "no"}
        return [*command, *(part for name, value in options.items() for part in (f"--{name}", value))], account


class Campus(Installation):
    """An installation whose processes run on the hosts `a` and `b`."""

    address = CENTRE

    def __init__(self, home: Path, *, port: int, settings: dict[str, str] | None = None) -> None:
        addresses = {
            "DATABASE_URL": f"postgres://postgres@{CENTRE}:5432/app",
            "REDIS_URL": f"redis://{CENTRE}:{REDIS_PORT}/0",
            "SECRET_KEY": "only-for-tests-" * 5,
        }
        super().__init__(home.with_name(home.name + "-hosts"), port=port, settings=addresses | (settings or {}))
        self.hosts = {name: Host(name, number) for number, name in enumerate("ab", 2)}
        self.processes["sandbox"] = Process("sandbox", f"{procfile()['sandbox']} --host {CENTRE}")

    def __enter__(self) -> Campus:
        with ExitStack() as undo:
            undo.callback(self._remove)
            self._remove()
            ip("link", "add", BRIDGE, "type", "bridge")
            ip("addr", "add", f"{CENTRE}/24", "dev", BRIDGE)
            ip("link", "set", BRIDGE, "up")
            for host in self.hosts.values():
                host.make()
            super().__enter__()
            undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None = None, error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:  # fmt: skip
        try:
            super().__exit__(kind, error, trace)
        finally:
            self._remove()

    def _remove(self) -> None:
        for host in self.hosts.values():
            host.remove()
        with suppress(AssertionError):
            ip("link", "del", BRIDGE)

    def servers(self, action: str, *names: str) -> None:
        with self.addresses():
            for server in (OpenPostgres(), OpenRedis()):
                if not names or server.folder.name in names:
                    server.start() if action == "start" else server.stop()

    def start_on(self, name: str, *kinds: str) -> None:
        """Start processes by their names in ops/Procfile.demo on a host: `a_worker`. The master bot is a replica."""
        host = self.hosts[name]
        for kind in kinds:
            command = procfile()[kind]
            if kind == "master_bot":
                command += f" --webhook --listen {host.address}:{HOOK_PORT}"
            process = Process(f"{name}_{kind}", command, prefix=host.prefix)
            self.start_process(self.processes.setdefault(process.name, process))

    def of(self, name: str) -> list[Process]:
        """The processes of a host."""
        return [process for process in self.processes.values() if process.prefix == self.hosts[name].prefix]
