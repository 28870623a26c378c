"""The bench's tools: a database of its own, repeated runs, counted statements, a result beside its floor."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

DATABASE = "fieldservice_bench"


@dataclass(slots=True)
class Series:
    """Times of one kind of work, milliseconds."""

    times: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    def as_dict(self) -> dict[str, Any]:
        """Median, min, max, number of runs."""
        low, high = min(self.times), max(self.times)
        return {"median_ms": round(self.median, 2), "min_ms": round(low, 2), "max_ms": round(high, 2),
                "runs": len(self.times)}  # fmt: skip


@dataclass(slots=True)
class Result:
    """One figure: the work, its floor in the same run, the goal for their ratio."""

    name: str
    sizes: dict[str, Any]
    work: Series = field(default_factory=Series)
    floor: Series | None = None
    goal: float | None = None
    statements: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Work / floor."""
        return round(self.work.median / self.floor.median, 2) if self.floor and self.floor.times else None

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": self.name, "sizes": self.sizes, "work": self.work.as_dict(),
            "floor": self.floor.as_dict() if self.floor else None, "ratio": self.ratio, "goal": self.goal,
            "statements": self.statements, **self.extra,
        }  # fmt: skip

    def line(self) -> str:
        """For people."""
        sizes = " ".join(f"{key}={value}" for key, value in self.sizes.items())
        text = f"{self.name:<18} {sizes}: {self.work.median:.1f} ms"
        if self.floor:
            text += f", floor {self.floor.median:.1f} ms, {self.ratio}x"
        if self.goal is not None:
            text += f" (goal {self.goal}x)"
        if self.statements is not None:
            text += f", {self.statements} statements"
        return text + "".join(f", {key} {value}" for key, value in self.extra.items())


@contextmanager
def own_database() -> Iterator[None]:
    """Point the default connection at a fresh, migrated database; drop it afterwards."""
    settings = connections["default"].settings_dict
    original = settings["NAME"]
    _recreate(settings)
    connections.close_all()
    settings["NAME"] = DATABASE
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connections.close_all()
        settings["NAME"] = original
        _drop(settings)


def repeat(times: int, work: Callable[[], Any], *, prepare: Callable[[], Any] = lambda: None) -> Series:
    """Run `work` so often, `prepare` before each (untimed)."""
    series = Series()
    for _ in range(times):
        prepare()
        began = time.perf_counter()
        work()
        series.times.append((time.perf_counter() - began) * 1000)
    return series


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements executed inside, on the default connection."""
    seen: list[str] = []

    def note(execute: Callable[..., Any], statement: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(statement)
        return execute(statement, params, many, context)

    with connection.execute_wrapper(note):
        yield seen


def execute(statement: str, params: Any = None) -> None:
    """One statement on the default connection."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` (0–1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _server(settings: dict[str, Any]) -> psycopg.Connection[Any]:
    keys = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
    given = {name: settings[key] for key, name in keys.items() if settings.get(key)}
    return psycopg.connect(dbname="postgres", autocommit=True, **given)


def _recreate(settings: dict[str, Any]) -> None:
    _drop(settings)
    with _server(settings) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _drop(settings: dict[str, Any]) -> None:
    with _server(settings) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE)))
