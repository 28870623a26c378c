"""`manage.py check_ledger`: recompute all money from the orders; exit code 1 and a line for each difference."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fieldservice.lib.money import show_money
from finance.enums import Account
from finance.services import ledger


class Command(BaseCommand):
    help = (
        "Recompute commissions, rewards and payouts from the orders and compare them with their rows and the journal."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--take-over", action="store_true", help="first write opening entries for imported rows without any"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["take_over"]:
            self.stdout.write(f"{ledger.take_over()} opening entries written")
        report = ledger.check()
        for account, balance in report.balances.items():
            self.stdout.write(f"{Account(account).label}: {show_money(balance)}")
        for sentence in report.differences:
            self.stdout.write(sentence)
        if not report.agrees:
            raise CommandError(f"{report.total} differences")
        self.stdout.write("everything agrees")
