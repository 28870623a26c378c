"""`bench accept`: masters accept live offers through the real door, beside pgbench doing one-row assign UPDATEs."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.db import connection, connections

from fieldservice.bench import seed
from fieldservice.bench.harness import Result, Series, execute
from fieldservice.embedded import locations
from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import DomainError
from orders.services import offers

LIVE = """
INSERT INTO offers(order_id, master_id, state, expires_at, delivered_at)
  SELECT o.id, 1 + (row_number() OVER (ORDER BY o.id) - 1) % (SELECT count(*) FROM masters), 'SENT',
         now() + interval '1 hour', now()
    FROM orders o WHERE o.status = 'SEARCHING'"""
ASSIGN = """\\set id random(1, :count)
UPDATE orders SET status = 'ASSIGNED', assigned_master_id = 1 + :id % 1000, version = version + 1, updated_at = now()
 WHERE id = :first + :id;
"""


def run(*, rivals: int, count: int, runs: int) -> list[Result]:
    """Throughput of `rivals` threads accepting `count` offers, and races of 2, 8, 32, 100 threads for one order."""
    seed.company(seed.Shape(masters=2_000, history=20_000))
    result = Result("accept", {"threads": rivals, "offers": count}, floor=Series(), goal=round(1 / 0.15, 2))
    assert result.floor is not None
    for _ in range(runs):
        offers_ready = _offers(count)
        seconds = _together([_accepting(offers_ready[i::rivals]) for i in range(rivals)])
        result.work.times.append(seconds * 1000 / count)
        result.floor.times.append(1000 / _pgbench(rivals, count))
    result.extra = {
        "accepts_per_second": round(1000 / result.work.median),
        "floor_per_second": round(1000 / result.floor.median),
        "share_of_floor": round(result.floor.median / result.work.median, 3),
    }
    return [result, _races()]


def _offers(count: int) -> list[tuple[int, int]]:
    """Live offers, each of another order: (offer, master)."""
    seed.due(count)
    execute(LIVE)
    execute("VACUUM ANALYZE offers")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, master_id FROM offers ORDER BY id")
        return cursor.fetchall()


def _accepting(mine: Sequence[tuple[int, int]]) -> Callable[[], None]:
    def work() -> None:
        for offer_id, master_id in mine:
            offers.accept(offer_id=offer_id, actor=Actor("MASTER", master_id=master_id, via="bot"))

    return work


def _together(works: Sequence[Callable[[], None]]) -> float:
    """Run in threads that start at one moment, connections open; seconds until the last is done."""
    barrier = threading.Barrier(len(works) + 1)
    failures: list[BaseException] = []

    def body(work: Callable[[], None]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait()
            work()
        except BaseException as error:  # noqa: BLE001 - told below, in the main thread
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=body, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    barrier.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return time.perf_counter() - began


def _races() -> Result:
    """One order offered to everybody at once: exactly one winner."""
    result = Result("accept race", {"threads": [2, 8, 32, 100]})
    winners = []
    for rivals in (2, 8, 32, 100):
        seed.due(1)
        order_id = seed.scalar("SELECT id FROM orders WHERE status = 'SEARCHING'")
        execute(
            "INSERT INTO offers(order_id, master_id, state, expires_at) "
            "SELECT %s, g, 'SENT', now() + interval '1 hour' FROM generate_series(1, %s) g",
            [order_id, rivals],
        )
        won: list[int] = []
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, master_id FROM offers ORDER BY id")
            rows = cursor.fetchall()
        result.work.times.append(_together([_racing(row, won) for row in rows]) * 1000)
        winners.append(len(won))
    result.extra = {"winners": winners}
    return result


def _racing(row: tuple[int, int], won: list[int]) -> Callable[[], None]:
    def work() -> None:
        try:
            offers.accept(offer_id=row[0], actor=Actor("MASTER", master_id=row[1], via="bot"))
            won.append(row[1])
        except DomainError:
            return

    return work


def _pgbench(clients: int, count: int) -> float:
    """Transactions a second of the one-row UPDATE, by the server's own tool with as many clients."""
    settings: dict[str, Any] = connections["default"].settings_dict
    package = locations.postgres_package()
    program = shutil.which("pgbench") or str(package and package / "pginstall" / "bin" / "pgbench")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "assign.sql"
        script.write_text(ASSIGN)
        first = seed.scalar("SELECT min(id) - 1 FROM orders WHERE status = 'ASSIGNED'")
        command = [
            program, "-n", "-c", str(clients), "-j", str(min(clients, 2)), "-t", str(max(count // clients, 1)),
            "-D", f"first={first}", "-D", f"count={count}", "-f", str(script),
            "-h", settings["HOST"] or "localhost", "-U", settings["USER"] or "postgres", settings["NAME"],
        ]  # fmt: skip
        port = ["-p", str(settings["PORT"])] if settings.get("PORT") else []
        done = subprocess.run([*command[:1], *port, *command[1:]], capture_output=True, text=True, check=True)
    match = re.search(r"tps = ([\d.]+)", done.stdout)
    if match is None:
        raise RuntimeError(f"pgbench said nothing of its speed: {done.stdout[-300:]}")
    return float(match[1])
