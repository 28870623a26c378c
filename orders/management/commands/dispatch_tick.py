"""`manage.py dispatch_tick`: one tick of the engine, and what it decided."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orders.dispatch import engine, trace


class Command(BaseCommand):
    help = "Run one dispatch tick and print its decisions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        report = engine.tick()
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(report), ensure_ascii=False, indent=2))
            return
        for decision in report.decisions:
            self.stdout.write(trace.line(decision))
        self.stdout.write(
            f"{len(report.decisions)} decision(s), {report.expired} expired, {len(report.woken)} woken, "
            f"{len(report.escalated_to_admins)} escalated to admins, {len(report.set_aside)} set aside"
        )


def _as_json(report: engine.Report) -> dict[str, Any]:
    return {
        "decisions": [trace.as_json(decision) for decision in report.decisions],
        "expired": report.expired,
        "woken": report.woken,
        "escalated_to_admins": report.escalated_to_admins,
        "set_aside": report.set_aside,
    }
