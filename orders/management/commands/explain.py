"""`manage.py explain ORDER`: what happened to an order and why; with --master, why he was asked or not."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from fieldservice.lib.errors import DomainError
from orders.dispatch import explain, explain_master


class Command(BaseCommand):
    help = "Tell in words what dispatch did with an order and why, and what comes next."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("order", type=int, help="its number")
        parser.add_argument("--master", type=int, help="a master's number: why was he asked or not?")
        parser.add_argument("--json", action="store_true", help="sentences and values as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        order, master, now = options["order"], options["master"], timezone.now()
        try:
            if master is None:
                story = explain.explain(order_id=order, now=now)
            else:
                story = explain_master.explain(order_id=order, master_id=master, now=now)
        except DomainError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(story.as_dict(), ensure_ascii=False, indent=2))
        else:
            self.stdout.write("\n".join(story.lines()))
