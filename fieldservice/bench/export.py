"""`bench export`: a million orders to CSV beside COPY of the same columns; memory, and a workbook for comparison."""

from __future__ import annotations

import tempfile
import time
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from fieldservice.bench import seed
from fieldservice.bench.harness import Result, Series, execute, repeat
from finance import export_files
from finance.export_tables import ORDERS, spans
from finance.periods import Period

PERIOD = Period(date(2000, 1, 1), date(2100, 12, 30))
#: what an order looks like that went its whole way
FILL = """
UPDATE orders SET house = (id % 200)::text, apartment = '1', client_name = 'Клиент ' || id, lat = 55.75, lon = 37.61,
       client_phone = '+7999' || lpad((id % 10000000)::text, 7, '0'), timeslot_start_utc = created_at,
       timeslot_end_utc = created_at + interval '3 hours', closed_at = created_at + interval '5 hours',
       district_id = (SELECT min(d.id) FROM districts d WHERE d.city_id = orders.city_id)"""
RAW = "COPY (SELECT {columns} FROM {source} ORDER BY {created}, {number}) TO STDOUT WITH (FORMAT csv, DELIMITER ';')"


def run(*, orders: int, shape: seed.Shape, runs: int) -> list[Result]:
    """Seed, then the floor and the work in turns; each in the same folder, on the same server."""
    seed.company(seed.Shape(cities=shape.cities, districts=shape.districts, masters=shape.masters, history=orders))
    execute(FILL)
    execute("VACUUM (FULL, ANALYZE) orders")
    params = spans(PERIOD, _cities())
    result = Result("export", {"orders": orders, "masters": shape.masters, "cities": shape.cities}, floor=Series())
    before = _memory("VmRSS")
    with tempfile.TemporaryDirectory() as folder:
        path, floor = Path(folder) / "orders.csv", Path(folder) / "floor.csv"
        for _run in range(runs):
            assert result.floor is not None
            result.floor.times += repeat(1, partial(_floor, floor)).times
            result.work.times += repeat(1, partial(_work, path, params, "csv")).times
        result.extra = {"goal_of_copy": 0.3, "goal_memory_mb": 150, "memory_growth_mb": _memory("VmHWM") - before,
                        "file_mb": path.stat().st_size // 2**20}  # fmt: skip
        began = time.perf_counter()
        _work(path, params, "xlsx")
        result.extra |= {"xlsx_seconds": round(time.perf_counter() - began, 1),
                         "xlsx_memory_growth_mb": _memory("VmHWM") - before}  # fmt: skip
    result.extra["of_copy"] = round(result.floor.median / result.work.median, 2) if result.floor else None
    return [result]


def _memory(name: str) -> int:
    """Resident megabytes of this process: now (VmRSS) or the most so far (VmHWM). Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(name))


def _cities() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM cities")
        return [row[0] for row in cursor.fetchall()]


def _work(path: Path, params: dict[str, Any], fmt: str) -> None:
    with transaction.atomic():
        export_files.count([ORDERS], params)
        export_files.write(path, fmt=fmt, tables=[ORDERS], params=params, tell=lambda rows: None)


def _floor(path: Path) -> None:
    """The same columns, as they are, straight from the server into a file."""
    statement = RAW.format(
        columns=", ".join(column.sql for column in ORDERS.columns), source=ORDERS.source, created=ORDERS.created,
        number=ORDERS.number,
    )  # fmt: skip
    with connection.cursor() as cursor, path.open("wb") as file, cursor.copy(statement) as copy:
        for block in copy:
            file.write(block)
