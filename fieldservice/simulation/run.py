"""One day from an empty database to its report, and two days side by side."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from fieldservice.simulation import report, world
from fieldservice.simulation.crew import Crew
from fieldservice.simulation.day import Day
from fieldservice.simulation.office import Office
from fieldservice.simulation.plan import Plan
from fieldservice.simulation.report import Report


def run(plan: Plan) -> tuple[Report, float]:
    """The report and the real seconds it took. Raises InvariantBroken. The database is emptied first."""
    began = time.perf_counter()
    with _quiet():
        day = Day(plan.check(), world.build(plan))
        Office(day, Crew(day))
        day.run()
        return report.make(day), time.perf_counter() - began


def lines(reports: dict[str, Report]) -> Iterator[str]:
    """A table: a row for each figure, a column for each report."""
    columns = {name: dict(_flat(report.as_dict())) for name, report in reports.items()}
    width = max(14, *(len(name) + 2 for name in columns))
    groups = [field.name for field in fields(Report)]
    rows = {row for column in columns.values() for row in column}
    yield f"{'':<52}" + "".join(f"{name:>{width}}" for name in columns)
    for row in sorted(rows, key=lambda row: (groups.index(row.partition(":")[0]), row)):
        yield f"{row:<52}" + "".join(f"{_shown(column.get(row, 0)):>{width}}" for column in columns.values())


def _flat(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            for key in sorted(value):
                yield f"{name}: {key}", value[key]
        else:
            yield name, value


def _shown(value: Any) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


@contextmanager
def _quiet() -> Iterator[None]:
    """The engine's log lines of a whole day are not for the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
