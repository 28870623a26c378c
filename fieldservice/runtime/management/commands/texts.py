"""`manage.py texts`: the Russian catalogue."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fieldservice.lib import texts

LANGUAGE = "ru"


class Command(BaseCommand):
    help = "Collect texts into locale/ru (--update), compile them (--compile), or tell what is missing (--check)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument("--update", action="store_true")
        group.add_argument("--compile", action="store_true")
        group.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["update"]:
            texts.update(LANGUAGE)
        if options["update"] or options["compile"]:
            texts.compile_catalog(LANGUAGE)
            return
        found = texts.problems(LANGUAGE)
        if found:
            raise CommandError("\n".join([*found, f"{len(found)} problem(s): edit locale/ru, then texts --compile."]))
        self.stdout.write("Every text is translated.")
