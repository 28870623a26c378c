"""Small jobs for the scripts of this folder that shell does badly. Standard library only, except for `env`.

env FILE            the variables of FILE that are not set yet, as NAME=value, each ended by a NUL byte
port FIRST          the first free local TCP port from FIRST on
wait [--web URL] [--sandbox URL] [--ready URL] [--bots N] [--pid PID] [--seconds S]
                    until all of that answers; exit code 1 with a sentence when it does not, 2 when PID has ended
pgenv               what DATABASE_URL says, as the variables that PostgreSQL's own programs read: PGHOST=… and so on
marked MARK         end the processes of an earlier run that carry MARK in their environment
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

PORTS_TO_TRY = 100
SCHEMES = {"postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg", "pgsql"}
#: parameters of the address that PostgreSQL's programs know by another name; others are Django's and are left out
PARAMETERS = {
    "host": "PGHOST", "port": "PGPORT", "options": "PGOPTIONS", "connect_timeout": "PGCONNECT_TIMEOUT",
    "ssl": "PGSSLMODE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}  # fmt: skip


def env(path: Path) -> Iterator[str]:
    """NAME=value for every variable the file adds, read by the library that Django's settings use."""
    import environ  # noqa: PLC0415 - the other jobs need nothing installed

    before = set(os.environ)
    if path.is_file():
        environ.Env.read_env(str(path), overwrite=False)
    for name in os.environ.keys() - before:
        if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            yield f"{name}={os.environ[name]}"


def pg_environment(url: str) -> Iterator[str]:
    """NAME=value for libpq. A password in the environment is not seen by `ps`, one in an argument is."""
    try:
        parts = urlsplit(url)
        found = {"PGHOST": parts.hostname, "PGPORT": str(parts.port or ""), "PGUSER": parts.username,
                 "PGPASSWORD": parts.password, "PGDATABASE": parts.path.lstrip("/")}  # fmt: skip
    except ValueError:
        sys.exit("DATABASE_URL is not valid; expected postgres://user:password@host/name.")
    if parts.scheme not in SCHEMES or not found["PGDATABASE"]:
        sys.exit("DATABASE_URL is not valid; expected postgres://user:password@host/name.")
    values = {name: unquote(value) for name, value in found.items() if value}
    values |= {PARAMETERS[name]: value for name, value in parse_qsl(parts.query) if name in PARAMETERS}
    yield from (f"{name}={value}" for name, value in values.items())


def free_port(first: int) -> int:
    """The first local port from `first` on that nobody listens on. Exits with a sentence if there is none."""
    for port in range(first, min(first + PORTS_TO_TRY, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just left by a server is free
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    sys.exit(f"No free port between {first} and {first + PORTS_TO_TRY}: set WEB_PORT or SANDBOX_PORT to a free one.")


def get(url: str) -> tuple[int, bytes]:
    """Status and body; (0, b"") while nobody answers. Never through a proxy: the address is local."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, b""
    except OSError:
        return 0, b""


def web_answers(base: str) -> bool:
    """Whether the web admin serves its login page (or says that it is healthy)."""
    return get(f"{base}/healthz")[0] == 200 or get(f"{base}/admin/login/")[0] == 200


def polling_bots(sandbox: str) -> int:
    """How many bots are asking the sandbox for updates now."""
    status, body = get(f"{sandbox}/sandbox/api/bots")
    if status != 200:
        return 0
    bots: list[dict[str, Any]] = json.loads(body)
    return sum(1 for bot in bots if bot.get("polling"))


def wait(options: argparse.Namespace) -> None:
    """Return when everything asked for answers; exits with a sentence and 1 when too late, with 2 when PID ended."""
    checks: dict[str, Callable[[], bool]] = {}
    if options.sandbox:
        checks["the Telegram sandbox"] = lambda: get(options.sandbox)[0] == 200
    if options.web:
        checks["the web admin"] = lambda: web_answers(options.web)
    if options.ready:
        checks[options.ready] = lambda: get(options.ready)[0] == 200
    if options.bots:
        checks["the bots"] = lambda: polling_bots(options.sandbox) >= options.bots
    deadline = time.monotonic() + options.seconds
    while checks:
        checks = {name: check for name, check in checks.items() if not check()}
        if options.pid and not alive(options.pid):
            sys.exit(2)
        if checks and time.monotonic() > deadline:
            sys.exit(f"No answer within {options.seconds} s from {' and '.join(checks)}.")
        if checks:
            time.sleep(0.1)


def alive(pid: int) -> bool:
    """Whether a process runs (not as a zombie)."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self").exists()  # a system without /proc
    except OSError:
        return False


def marked(mark: str) -> list[int]:
    """The processes whose environment holds MARK. Only where there is a /proc."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0") and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found


def end_marked(mark: str) -> None:
    """Ask the marked processes to end, then make them."""
    for step, seconds in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
        for pid in marked(mark):
            with contextlib.suppress(OSError):
                os.kill(pid, step)
        deadline = time.monotonic() + seconds
        while marked(mark) and time.monotonic() < deadline:
            time.sleep(0.05)


def main() -> None:
    """Run one job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    jobs = parser.add_subparsers(dest="job", required=True)
    jobs.add_parser("env").add_argument("file", type=Path)
    jobs.add_parser("port").add_argument("first", type=int)
    jobs.add_parser("pgenv")
    jobs.add_parser("marked").add_argument("mark")
    waiting = jobs.add_parser("wait")
    waiting.add_argument("--web")
    waiting.add_argument("--sandbox")
    waiting.add_argument("--ready")
    waiting.add_argument("--bots", type=int, default=0)
    waiting.add_argument("--pid", type=int)
    waiting.add_argument("--seconds", type=int, default=120)
    options = parser.parse_args()
    if options.job == "env":
        sys.stdout.write("".join(f"{pair}\0" for pair in env(options.file)))
    elif options.job == "pgenv":
        sys.stdout.write("".join(f"{pair}\0" for pair in pg_environment(os.environ.get("DATABASE_URL", "").strip())))
    elif options.job == "port":
        print(free_port(options.first))  # noqa: T201 - the answer
    elif options.job == "marked":
        end_marked(options.mark)
    else:
        wait(options)


if __name__ == "__main__":
    main()
