"""`python -m fieldservice.embedded start|stop|status|env [postgres] [redis]`

start   start what is needed (or named); prints the names of those started by this call, one a line
stop    stop what runs (or is named); prints the names of those stopped
status  one line for each service; exit code 0 when all that are needed run, else 1
env     settings for the shell: eval "$(python -m fieldservice.embedded env)" lets psql and pg_dump reach the database
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys

from fieldservice import embedded
from fieldservice.embedded import locations


def environment() -> dict[str, str]:
    """The environment with what `.env` adds, as Django will see it. Only whether a value is empty matters here."""
    try:
        lines = (locations.PROJECT / ".env").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    found = (re.match(r"\A(?:export )?(\w+)=(.*)\Z", line) for line in lines)
    from_file = {match[1]: match[2].strip().strip("'\"") for match in found if match}
    return from_file | dict(os.environ)


def status(services: set[str]) -> int:
    """Print the state of every service; 0 when all of `services` run."""
    for service in embedded.SERVICES:
        state = "running" if embedded.running(service) else "stopped"
        note = "" if service in services else f" (not needed: {locations.VARIABLES[service]} is set)"
        print(f"{service}: {state}{note}")  # noqa: T201 - the answer of a command
    return 0 if all(embedded.running(service) for service in services) else 1


def shell_settings() -> str:
    """Variables that lead PostgreSQL's tools and redis-cli to the embedded servers."""
    database = embedded.database()
    values = {
        "PGHOST": database["HOST"],
        "PGUSER": database["USER"],
        "PGDATABASE": database["NAME"],
        "EMBEDDED_REDIS_SOCKET": str(locations.redis_socket()),
    }
    package = locations.postgres_package()
    lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    if package is not None:
        lines.append(f'export PATH={shlex.quote(str(package / "pginstall" / "bin"))}:"$PATH"')
    return "\n".join(lines)


def main() -> int:
    """Run one command; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m fieldservice.embedded",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=["start", "stop", "status", "env"])
    parser.add_argument("services", nargs="*", metavar="postgres|redis")
    arguments = parser.parse_args()
    if not set(arguments.services) <= set(embedded.SERVICES):
        parser.error(f"choose services from {' and '.join(embedded.SERVICES)}")
    services = set(arguments.services) or embedded.needed(environment())
    if arguments.command == "env":
        print(shell_settings())  # noqa: T201
        return 0
    if arguments.command == "status":
        return status(services)
    if arguments.command == "start":
        changed = embedded.start(services)
    else:
        changed = embedded.stop(arguments.services or embedded.SERVICES)
    for service in changed:
        print(service)  # noqa: T201
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except embedded.EmbeddedError as error:
        sys.exit(str(error))
