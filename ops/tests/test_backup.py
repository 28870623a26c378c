"""Backup and restore, as an operator runs them, on a server of the tests; the drill compares everything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import tree_sitter_powershell
from django.db import connection
from django.utils import timezone
from psycopg import sql
from tree_sitter import Language, Node, Parser

from fieldservice.embedded.locations import postgres_package
from finance.tests.factories import OwnerRequisitesFactory
from orders.tests.factories import OrderFactory

OPS = Path(__file__).resolve().parents[1]
ROOT = OPS.parent
DAY = 24 * 3600


def address(name: str, *, scheme: str = "postgres", **query: str) -> str:
    """A DATABASE_URL of the tests' server."""
    settings = connection.settings_dict
    query |= {"host": settings["HOST"] or "localhost", "port": str(settings["PORT"] or 5432)}
    user = quote(settings["USER"]) + (f":{quote(settings['PASSWORD'], safe='')}" if settings["PASSWORD"] else "")
    return f"{scheme}://{user}@/{name}?" + "&".join(f"{key}={quote(value)}" for key, value in query.items())


def server(name: str = "postgres") -> psycopg.Connection[Any]:
    settings = connection.settings_dict
    given = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"],
             "password": settings["PASSWORD"]}  # fmt: skip
    return psycopg.connect(dbname=name, autocommit=True, **{key: value for key, value in given.items() if value})


@pytest.fixture
def run(tmp_path):
    """Run a script of ops/ with its dumps in a folder of the test."""

    def script(name: str, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        tools = [str(package / "pginstall" / "bin")] if (package := postgres_package()) else []
        usual = {"BACKUP_DIR": str(tmp_path / "dumps"), "PATH": os.pathsep.join([*tools, os.environ["PATH"]])}
        return subprocess.run(
            ["bash", str(OPS / name), *arguments], input=stdin, env=os.environ | usual | environment,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return script


@pytest.fixture
def empty() -> Iterator[str]:
    """The name of a fresh database."""
    name = f"drill_{os.getpid()}"
    with server() as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield name
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def dumps(folder: Path) -> list[str]:
    """Everything in the folder but the lock."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def counts(name: str) -> dict[str, int]:
    """Table → rows."""
    with server(name) as here:
        tables = [row[0] for row in here.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        query = sql.SQL("SELECT count(*) FROM {}")
        return {t: here.execute(query.format(sql.Identifier(t))).fetchone()[0] for t in sorted(tables)}  # type: ignore[index]


def manage(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=os.environ | {"DATABASE_URL": address(name)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_drill_from_dump_to_an_empty_server(run, empty, tmp_path):
    """Equal counts in every table, the ledger agrees, no migration is missing, and the next order gets its number."""
    OwnerRequisitesFactory()
    for _ in range(3):
        OrderFactory(in_payment=True)
    here = connection.settings_dict["NAME"]
    made = run("backup_db.sh", DATABASE_URL=address(here, scheme="postgresql+asyncpg", conn_max_age="60"))
    assert made.returncode == 0, made.stderr
    (dump,) = dumps(tmp_path / "dumps")
    assert re.fullmatch(r"pg_\d{8}_\d{6}Z\.dump", dump)
    assert abs(datetime.strptime(dump, "pg_%Y%m%d_%H%M%SZ.dump").replace(tzinfo=UTC) - timezone.now()).seconds < 60
    assert (tmp_path / "dumps" / dump).stat().st_mode & 0o077 == 0
    before = counts(here)
    assert before["orders"] == 3
    done = run("restore_db.sh", str(tmp_path / "dumps" / dump), DATABASE_URL=address(empty))
    assert done.returncode == 0, done.stderr
    assert counts(empty) == before | {"heartbeats": before["heartbeats"] - 1}  # the backup's own was written after it
    for command in (["check_ledger"], ["migrate", "--check"]):
        said = manage(empty, *command)
        assert said.returncode == 0, said.stdout + said.stderr
    with server(empty) as there, server(here) as source:
        last = "SELECT last_value FROM orders_id_seq"
        assert there.execute(last).fetchone() == source.execute(last).fetchone()


@pytest.mark.django_db(transaction=True)
def test_the_moment_of_the_last_backup_is_known_to_the_product(run):
    from fieldservice.runtime.models import Heartbeat

    assert run("backup_db.sh", DATABASE_URL=address(connection.settings_dict["NAME"])).returncode == 0
    beat = Heartbeat.objects.get(name="backup")
    assert beat.details["bytes"] > 1000
    assert beat.details["file"].startswith("pg_")


def test_old_dumps_go_only_when_a_new_one_is_there(run, empty, tmp_path):
    folder = tmp_path / "dumps"
    folder.mkdir()
    for name, days in (("pg_20200101_000000Z.dump", 8.1), ("pg_20200102_000000Z.dump", 6.9), ("notes.txt", 100)):
        (folder / name).write_text("x")
        os.utime(folder / name, (time.time() - days * DAY,) * 2)
    failed = run("backup_db.sh", DATABASE_URL=address("no_such_database"))
    assert failed.returncode == 1
    assert "The dump failed" in failed.stderr
    assert len(dumps(folder)) == 3  # no empty dump was left, and no old one is gone
    assert run("backup_db.sh", DATABASE_URL=address(empty)).returncode == 0
    old, *rest = dumps(folder)
    assert old == "notes.txt"
    assert rest[0] == "pg_20200102_000000Z.dump"
    assert len(rest) == 2


def test_a_killed_backup_leaves_nothing_the_next_one_does_not_clear(run, empty, tmp_path):
    folder = tmp_path / "dumps"
    folder.mkdir()
    (folder / ".pg_20200101_000000Z.dump.part").write_text("half")
    assert run("backup_db.sh", DATABASE_URL=address(empty)).returncode == 0
    assert [name[:3] for name in dumps(folder)] == ["pg_"]


def test_two_backups_at_once(run, empty, tmp_path):
    """The second leaves at once and says so."""
    import fcntl

    (tmp_path / "dumps").mkdir()
    with (tmp_path / "dumps" / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        said = run("backup_db.sh", DATABASE_URL=address(empty))
    assert (said.returncode, said.stderr) == (1, "Another backup is running.\n")
    assert dumps(tmp_path / "dumps") == []


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "postgres://u:secret@h", "postgres://u:secret@h:port/d"])
def test_a_wrong_address_is_told_without_its_password(run, url):
    for script in ("backup_db.sh", "restore_db.sh"):
        said = run(script, *([__file__] if script == "restore_db.sh" else []), DATABASE_URL=url)
        assert said.returncode == 1
        assert "postgres://user:password@host/name" in said.stderr
        assert "secret" not in said.stdout + said.stderr


@pytest.mark.django_db(transaction=True)
class TestRestore:
    def dump(self, run, tmp_path) -> str:
        assert run("backup_db.sh", DATABASE_URL=address(connection.settings_dict["NAME"])).returncode == 0
        return str(tmp_path / "dumps" / dumps(tmp_path / "dumps")[0])

    def test_a_database_with_tables_is_replaced_only_when_its_name_is_typed(self, run, empty, tmp_path):
        dump = self.dump(run, tmp_path)
        with server(empty) as there:
            there.execute("CREATE TABLE precious(id int)")
        for answer in ("", "yes\n"):
            said = run("restore_db.sh", dump, stdin=answer, DATABASE_URL=address(empty))
            assert (said.returncode, "Nothing was changed" in said.stderr) == (1, True)
            assert counts(empty) == {"precious": 0}
        assert run("restore_db.sh", dump, stdin=f"{empty}\n", DATABASE_URL=address(empty)).returncode == 0
        assert "precious" not in counts(empty)
        assert "orders" in counts(empty)

    def test_a_broken_dump_changes_nothing(self, run, empty, tmp_path):
        whole = Path(self.dump(run, tmp_path)).read_bytes()
        with server(empty) as there:
            there.execute("CREATE TABLE precious(id int)")
        for number, content in enumerate((b"", b"nonsense", whole[: len(whole) // 2])):
            broken = tmp_path / f"broken{number}.dump"
            broken.write_bytes(content)
            said = run("restore_db.sh", str(broken), "--yes", DATABASE_URL=address(empty))
            assert said.returncode != 0
            assert counts(empty) == {"precious": 0}, number


# --- Windows: there is no PowerShell here, so the grammar is checked, and that both scripts promise the same ----------
def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def test_the_windows_script_is_powershell():
    tree = Parser(Language(tree_sitter_powershell.language())).parse((OPS / "backup_db.ps1").read_bytes())
    assert [node.start_point for node in nodes(tree.root_node) if node.type == "ERROR" or node.is_missing] == []


def test_the_windows_script_keeps_the_same_promises():
    text = (OPS / "backup_db.ps1").read_text()
    shell = (OPS / "backup_db.sh").read_text()
    for promise in (
        "--format=custom",
        "--list",
        "pg_*.dump",
        "'backup', now()",
        "The dump failed",
        "cannot be read back",
    ):
        assert promise in text, promise
        assert promise in shell, promise
    order = [text.index(step) for step in ("& pg_dump", "& pg_restore", "Move-Item", "AddDays(-7)", "& psql")]
    assert order == sorted(order)
    assert "$DatabaseUrl" not in "".join(re.findall(r"& \w+.*", text))  # no password on a command line


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="no PowerShell here")
def test_the_windows_script_runs(empty, tmp_path):
    done = subprocess.run(
        ["pwsh", "-File", str(OPS / "backup_db.ps1"), "-DatabaseUrl", address(empty), "-BackupDir", str(tmp_path)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("pg_*.dump"))) == 1
