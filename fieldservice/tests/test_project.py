"""The house rules, checked over every file of the project: style, types, layers, sizes, settings, migrations."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.core.management import call_command
from django.db.migrations import AddIndex, CreateModel
from django.db.migrations.loader import MigrationLoader

ROOT = Path(__file__).resolve().parents[2]
LINES, FUNCTION = 400, 40
#: read by people, line by line; data, texts and locked lists are not
CODE = {".py", ".sh", ".ps1", ".js", ".css", ".html", ".toml", ".yml"}
SIGNALS = ("django.dispatch", "django.db.models.signals", "django.core.signals", "django.db.backends.signals")
#: (what, pattern), put together so that this file does not find itself
FORBIDDEN = [
    ("a path of somebody's machine", r"/(?:ho" r"me|Us" r"ers|ro" r"ot|wo" r"rk)/\w"),
    ("a path of somebody's machine", r"[A-Z]:\\\\?Us" r"ers"),
    ("an address of a package registry", r"py" r"pi\.org|npm" r"js\.(?:org|com)|files\.python" r"hosted"),
    ("an address of a package index", r"--(?:extra-)?ind" r"ex-url|arti" r"factory|nex" r"us\.\w+\."),
]


@cache
def tracked() -> tuple[str, ...]:
    """The files we wrote, relative to the root; without git (an archive), whatever lies there unhidden."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.split("\0") if listed.returncode == 0 else map(str, _walk())
    return tuple(sorted(name for name in names if name and "/vendor/" not in name and (ROOT / name).is_file()))


def _walk() -> Iterator[Path]:
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in {"node_modules", "backups"}]
        yield from (Path(folder, name).relative_to(ROOT) for name in files if not name.startswith("."))


def python_files(*, tests: bool = True) -> list[str]:
    """Our Python files; migrations are written by Django."""
    names = [name for name in tracked() if name.endswith(".py") and "/migrations/" not in name]
    return names if tests else [name for name in names if "/tests/" not in name and name != "conftest.py"]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def run(*command: str, **env: str) -> str:
    """The output of a command that must end well."""
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | env
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def test_ruff_finds_nothing():
    run("-m", "ruff", "check", "--quiet", "--force-exclude", *[name for name in tracked() if name.endswith(".py")])


@pytest.mark.timeout(300)  # without its cache, on a busy machine
def test_mypy_finds_nothing():
    run("-m", "mypy", "--no-error-summary", *python_files(tests=False))


def test_imports_go_down_the_column_only():
    run("-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())")


def test_nobody_uses_signals():
    """What must happen is called; a listener somewhere else is found by nobody."""
    found = [
        f"{name}:{node.lineno}"
        for name in python_files(tests=False)
        for node in ast.walk(ast.parse(text(name)))
        for module in _imported(node)
        if module.startswith(SIGNALS)
    ]
    assert found == []


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def test_no_file_is_too_long():
    code = [name for name in tracked() if Path(name).suffix in CODE and "/migrations/" not in name]
    long = {name: count for name in code if (count := text(name).count("\n")) > LINES}
    assert long == {}


def test_no_function_is_too_long():
    long = {
        f"{name}:{node.lineno} {node.name}": length
        for name in python_files(tests=False)
        for node in ast.walk(ast.parse(text(name)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION
    }
    assert long == {}


@pytest.mark.parametrize(("what", "pattern"), FORBIDDEN)
def test_no_file_names_a_machine_or_a_registry(what, pattern):
    found = []
    for name in tracked():
        if name == "fieldservice/tests/test_project.py" or Path(name).suffix in {".png", ".ico", ".woff2"}:
            continue
        found += [f"{name}: {line.strip()[:100]}" for line in text(name).splitlines() if re.search(pattern, line)]
    assert found == [], what


@pytest.mark.django_db
def test_the_models_have_their_migrations():
    output = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=output)
    assert output.getvalue() == "No changes detected\n"


#: written while nobody had these tables yet
OLD_INDEXES = {"orders": 9, "finance": 3}


def test_an_index_of_a_table_in_use_is_built_beside_the_work():
    """docs/deployment.md: a plain CREATE INDEX lets nobody write until it is done."""
    found = []
    for (app, name), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        made = {step.name.lower() for step in migration.operations if isinstance(step, CreateModel)}
        plain = {step.model_name for step in migration.operations
                 if isinstance(step, AddIndex) and not isinstance(step, AddIndexConcurrently)}  # fmt: skip
        if plain - made and int(name[:4]) > OLD_INDEXES.get(app, 0):
            found.append(f"{app}.{name}: {', '.join(sorted(plain - made))}")
    assert found == []


PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "fieldservice.settings",
    "DATABASE_URL": "postgres://app:secret@db.example/fieldservice",
    "REDIS_URL": "redis://redis.example:6379/0",
    "SECRET_KEY": "k7-" + "aB3dE5fG7hJ9" * 6,
    "ALLOWED_HOSTS": "office.example",
    "CSRF_TRUSTED_ORIGINS": "https://office.example",
    "MASTER_BOT_TOKEN": "123456789:" + "A" * 35,
    "ADMIN_BOT_TOKEN": "987654321:" + "B" * 35,
    "REQUIRE_2FA": "true",
    "DEBUG": "false",
}


def test_a_production_set_up_passes_django_s_own_checks():
    shown = run(
        "-W", "error::RuntimeWarning", "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION
    )
    assert "System check identified no issues" in shown


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY: not set; expected 50 or more random characters"),
        ({"DATABASE_URL": "mysql://app:hunter2@db/x"}, "DATABASE_URL: its value is not valid; expected postgres://"),
        ({"WORKDAY_START": "20:00"}, "WORKDAY_START: must be earlier than WORKDAY_END."),
        ({"MASTER_BOT_TOKEN": "hunter2"}, "MASTER_BOT_TOKEN: its value is not valid; expected a bot token"),
        (
            {"DISTRIBUTION_ROUNDS": "many"},
            "DISTRIBUTION_ROUNDS: 'many' is not valid; expected a whole number from 1 to",
        ),
    ],
)
def test_a_wrong_set_up_stops_with_one_sentence(changes, sentence):
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | PRODUCTION | changes,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.stdout + done.stderr
