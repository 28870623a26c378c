"""`manage.py import_catalog FILE.csv`: cities, districts and streets, all rows or none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from fieldservice.lib.errors import DomainError
from geo.catalog_file import COLUMNS, DELIMITERS, decode, read_catalog
from geo.services.catalog import Report, import_catalog

SHOWN = 1000
WIDTH = 40


class Command(BaseCommand):
    help = "Import places from CSV: " + ";".join(COLUMNS) + ". One bad row, and nothing is written (exit code 1)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="CSV in UTF-8; - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="report, write nothing")
        parser.add_argument("--with-doubtful", action="store_true", help="insert the doubtful rows, too")
        parser.add_argument("--delimiter", choices=sorted(DELIMITERS), default=";")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            catalog = read_catalog(_content(options["file"]), delimiter=DELIMITERS[options["delimiter"]])
            report = import_catalog(
                catalog=catalog, dry_run=options["dry_run"], with_doubtful=options["with_doubtful"],
                progress=self._progress,
            )  # fmt: skip
        except DomainError as error:
            raise CommandError(str(error)) from error
        self._show(report)
        if report.bad:
            raise CommandError(_("Nothing was written: correct the rows above and run it again."))

    def _progress(self, done: int, of: int) -> None:
        if not self.stderr.isatty():
            return
        bar = "█" * (WIDTH * done // of)
        self.stderr.write(f"\r{bar:░<{WIDTH}} {100 * done // of:3} %  {done}/{of}", ending="\n" if done == of else "")

    def _show(self, report: Report) -> None:
        self.stdout.write(_("Added: %(counts)s") % {"counts": _counts(report.added)})
        self.stdout.write(_("Already there: %(counts)s") % {"counts": _counts(report.duplicates)})
        if report.filled:
            self.stdout.write(_("Centre filled in: %(counts)s") % {"counts": _counts(report.filled)})
        for title, rows in ((_("Doubtful, not added"), report.doubtful), (_("Wrong"), report.bad)):
            if rows:
                self.stdout.write(f"{title}: {len(rows)}")
                for row in rows[:SHOWN]:
                    self.stdout.write(f"  {row}")
                if len(rows) > SHOWN:
                    self.stdout.write("  …")
        if not report.written and not report.bad:
            self.stdout.write(_("A trial: nothing was written."))


def _content(name: str) -> str:
    if name == "-":
        return decode(sys.stdin.buffer.read())
    try:
        return decode(Path(name).read_bytes())
    except OSError as error:
        raise CommandError(
            _("«%(name)s» cannot be read: %(error)s.") % {"name": name, "error": error.strerror}
        ) from error


def _counts(counter: Any) -> str:
    return _("%(city)s cities, %(district)s districts, %(street)s streets") % {
        kind: counter[kind] for kind in ("city", "district", "street")
    }
