"""Under which user a server runs: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fieldservice.embedded.errors import EmbeddedError

NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534")


@dataclass(frozen=True)
class Account:
    """How to start a process: a command to put before it, or a user to become. Empty: as we are."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        """Give `path` to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def for_folder(folder: Path) -> Account:
    """The account for a server whose data is in the existing `folder`: for root, the folder's owner."""
    owner = folder.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return Account()
    return Account(uid=owner.st_uid, gid=owner.st_gid)


def without_root(data: Path) -> Account:
    """The account for a server that must not be root, whether its folder `data` exists yet or not.

    For root: the owner of existing data; else root in a user namespace that looks like `nobody` (the files stay root's,
    nothing is created or opened up on the machine); where namespaces are forbidden, as in most containers, `nobody`.
    """
    if os.geteuid() != 0:
        return Account()
    existing = for_folder(data) if data.exists() else Account()
    if existing.uid is not None:
        return existing
    if namespace_works():
        return Account(prefix=NAMESPACE)
    if data.exists():
        raise EmbeddedError(
            f"The data in {data} was made by root in a user namespace, which this machine forbids now: allow user "
            "namespaces, set FIELDSERVICE_EMBEDDED_HOME to a new folder, or set DATABASE_URL."
        )
    return nobody()


def nobody() -> Account:
    """The account of the user `nobody`."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError(
            "PostgreSQL cannot run as root, and this machine has neither user namespaces nor a user `nobody`: "
            "run as an ordinary user or set DATABASE_URL."
        ) from None
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


@cache
def namespace_works() -> bool:
    """Whether this root may make a user namespace (tried, because kernels and containers forbid it in many ways)."""
    if not shutil.which("unshare"):
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def open_to_all(path: Path) -> bool:
    """Whether any user may walk down to `path`."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))
