"""`manage.py seed_demo`: people to play with; `--logins` prints who may enter the web admin."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fieldservice import embedded
from fieldservice.demo import people
from geo.models import City


class Command(BaseCommand):
    help = "Add demo staff and masters (idempotent)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--logins", action="store_true", help="print the web logins only")
        parser.add_argument("--force", action="store_true", help="seed a database of your own, too")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["logins"]:
            for login, role, cities, _tg in people.STAFF:
                self.stdout.write(
                    f"{login} / {people.password()} ({role.label}{': ' if cities else ''}{', '.join(cities)})"
                )
            return
        if "postgres" not in embedded.needed() and not options["force"]:
            raise CommandError(
                "DATABASE_URL is set: demo people belong to the demo database. Add --force to seed yours."
            )
        if not City.objects.exists():
            raise CommandError("There are no cities yet: run `manage.py seed_geo` first.")
        added = people.seed()
        self.stdout.write(", ".join(f"{count} {what} added" for what, count in added.items()))
