"""`manage.py smoke --sandbox URL`: one order through the running bots; exit 0, or the step that failed."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fieldservice.demo.smoke import Smoke, StepFailed


class Command(BaseCommand):
    help = "Drive one order from creation to CLOSED through the running bots and the Telegram sandbox."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sandbox", default="http://127.0.0.1:8081", help="address of the sandbox")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        try:
            number = Smoke(options["sandbox"], self.stdout.write).run()
        except StepFailed as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{time.monotonic() - began:6.2f} s  smoke passed: order #{number} is CLOSED")
