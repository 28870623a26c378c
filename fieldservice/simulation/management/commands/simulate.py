"""`manage.py simulate`: a day on a virtual clock, through the real engine, on a database of its own."""

from __future__ import annotations

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fieldservice.bench import harness
from fieldservice.simulation import run
from fieldservice.simulation.invariants import InvariantBroken
from fieldservice.simulation.plan import NUMBERS, BadPlan, Plan


class Command(BaseCommand):
    help = "Simulate a day of dispatch and report how it went; a broken rule stops it with a sentence."

    def add_arguments(self, parser: CommandParser) -> None:
        usual = Plan()
        for name, kind in NUMBERS.items():
            parser.add_argument("--" + name.replace("_", "-"), type=kind, default=getattr(usual, name))
        change = "NAME=VALUE: a name above, a key of the settings table, or rounds, sla, tick, limit, citywide"
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=change)
        parser.add_argument("--compare", action="append", default=[], metavar="NAME=VALUE", help="a second column")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            plans = _plans(options)
            with harness.own_database():
                done = [run.run(plan) for plan in plans.values()]
        except (BadPlan, InvariantBroken) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            reports = [{"plan": name, **report.as_dict()} for name, (report, _) in zip(plans, done, strict=True)]
            self.stdout.write(json.dumps(reports, indent=2))
            return
        for line in run.lines({name: report for name, (report, _) in zip(plans, done, strict=True)}):
            self.stdout.write(line)
        took = sum(seconds for _, seconds in done)
        self.stdout.write(f"Took {took:.0f} s, {time.process_time():.0f} s of them this process computed.")
        self.stdout.write("Every rule held at every minute.")


def _plans(options: dict[str, Any]) -> dict[str, Plan]:
    plan = Plan(**{name: options[name] for name in NUMBERS}).check()
    for change in options["set"]:
        plan = plan.changed(change)
    plans = {"as it is": plan}
    for change in options["compare"]:
        plans[change] = plan.changed(change)
    return plans
