"""`manage.py check_setup`: what is missing before people can rely on this installation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError

from bots import set_up
from fieldservice.runtime import registry
from fieldservice.watch.setup import machine, servers
from fieldservice.watch.setup.finding import Finding, Level, wrong

MARKS = {Level.OK: "ok  ", Level.MIND: "mind", Level.WRONG: "WRONG"}


class Command(BaseCommand):
    help = "Tell what the set-up lacks, and what to do. Exit codes: 0 nothing is wrong, 1 something is."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--strict", action="store_true", help="what is only to be minded counts as wrong")
        parser.add_argument("--offline", action="store_true", help="do not ask Telegram")

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(findings(offline=options["offline"]))
        bad = {Level.WRONG, Level.MIND} if options["strict"] else {Level.WRONG}
        count = sum(finding.level in bad for finding in found)
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in found], ensure_ascii=False, indent=2))
        else:
            for finding in sorted(found, key=lambda finding: list(Level).index(finding.level)):
                self.stdout.write(f"{MARKS[finding.level]:<5}  {finding.what}: {finding.text}")
            self.stdout.write("Nothing is wrong." if not count else f"To be mended: {count}.")
        if count:
            raise SystemExit(1)


def findings(*, offline: bool) -> Iterator[Finding]:
    """All findings; a check that fails itself is one, too."""
    parts: list[Callable[[], Iterator[Finding]]] = [
        servers.database, servers.replica_for_exports, servers.queue, machine.web, machine.folders, machine.backups,
        set_up.addresses,
    ]  # fmt: skip
    if not offline:
        parts.append(_telegram)
    for part in parts:
        try:
            yield from part()
        except Exception as error:  # noqa: BLE001 - the rest is worth knowing all the same
            yield wrong(getattr(part, "__name__", "check"), f"could not be looked at ({type(error).__name__}).")


def _telegram() -> Iterator[Finding]:
    return set_up.telegram({variable: _channel(variable) for variable in set_up.CHANNELS})


def _channel(variable: str) -> int | None:
    """The setting, or its variable while the database is away."""
    try:
        found: int | None = registry.get(variable.lower())
    except DatabaseError:
        found = getattr(settings, variable)
    return found
