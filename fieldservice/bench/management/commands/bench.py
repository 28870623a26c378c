"""`manage.py bench NAME`: measure on a database of its own, beside the floor of the same run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from fieldservice.bench import accept, admin, bot, dispatch, export, harness, offers, outbox, seed, street
from fieldservice.bench.harness import Result

#: masters who tap once a run; the bots let each through three times a second
TAPPING = 500


class Command(BaseCommand):
    help = "Measure speed: every figure beside its floor."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=sorted(BENCHES))
        parser.add_argument("--orders", type=int, default=1000)
        parser.add_argument("--masters", type=int, default=10_000)
        parser.add_argument("--cities", type=int, default=10)
        parser.add_argument("--history", type=int, default=200_000)
        parser.add_argument("--rivals", type=int, default=4)
        parser.add_argument("--messages", type=int, default=10_000)
        parser.add_argument("--runs", type=int, default=5)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        with harness.own_database():
            results = BENCHES[options["name"]](options)
        if options["json"]:
            self.stdout.write(json.dumps([result.as_dict() for result in results], indent=2))
            return
        for result in results:
            self.stdout.write(result.line())


def _dispatch(options: dict[str, Any]) -> list[Result]:
    shape = seed.Shape(cities=options["cities"], masters=options["masters"], history=options["history"])
    return [dispatch.run(orders=options["orders"], shape=shape, runs=options["runs"])]


def _accept(options: dict[str, Any]) -> list[Result]:
    return accept.run(rivals=options["rivals"], count=options["orders"], runs=options["runs"])


def _export(options: dict[str, Any]) -> list[Result]:
    shape = seed.Shape(cities=options["cities"], masters=options["masters"])
    return export.run(orders=options["orders"], shape=shape, runs=options["runs"])


BENCHES: dict[str, Callable[[dict[str, Any]], list[Result]]] = {
    "accept": _accept,
    "admin": lambda options: admin.run(
        orders=max(options["orders"], 10_000), masters=options["masters"], runs=options["runs"]
    ),
    "bot": lambda options: bot.run(masters=TAPPING, runs=options["runs"]),
    "dispatch": _dispatch,
    "growth": lambda options: dispatch.run_growth(orders=options["orders"], runs=options["runs"]),
    "export": _export,
    "expiry": lambda options: offers.run_expiry(),
    "offers": lambda options: offers.run(orders=options["orders"]),
    "outbox": lambda options: outbox.run(messages=options["messages"]),
    "street": lambda options: street.run(),
}
