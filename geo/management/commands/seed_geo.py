from typing import Any

from django.core.management.base import BaseCommand

from geo.seed import seed_geo


class Command(BaseCommand):
    help = "Adds the missing cities and districts of the built-in lists; changes nothing staff have changed."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(str(seed_geo()))
