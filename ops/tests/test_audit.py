"""ops/audit.sh with a pip-audit of the tests (the real one needs the network), and a history with a secret."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

OPS = Path(__file__).resolve().parents[1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with the scripts in it."""
    (tmp_path / "ops").mkdir()
    for name in ("audit.sh", "lib.sh", "tools.py"):
        shutil.copy(OPS / name, tmp_path / "ops" / name)
    (tmp_path / "requirements.txt").write_text("x==1 --hash=sha256:0\n")
    git(tmp_path, "init", "-q")
    commit(tmp_path, "README.md", "nothing")
    return tmp_path


def git(project: Path, *words: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *who, *words], cwd=project, check=True, capture_output=True)


def commit(project: Path, name: str, content: str) -> None:
    (project / name).write_text(content)
    git(project, "add", "-A")
    git(project, "commit", "-qm", "x")


def audit(project: Path, *words: str, says: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
    tools = project.parent / "bin"
    tools.mkdir(exist_ok=True)
    (tools / "pip-audit").write_text(f"#!/bin/sh\necho \"$@\" >{tools}/asked\ncat <<'X'\n{says}\nX\nexit {code}\n")
    (tools / "pip-audit").chmod(0o755)
    environment = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "ops/audit.sh", *words], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def test_nothing_to_tell(project: Path) -> None:
    done = audit(project, says="No known vulnerabilities found")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Nothing found.")
    assert "--require-hashes --disable-pip" in (project.parent / "bin" / "asked").read_text()


def test_a_hole_is_told_and_fails(project: Path) -> None:
    done = audit(project, says="Found 1 known vulnerability in 1 package\ndjango 5.2 PYSEC-1", code=1)
    assert done.returncode == 1
    assert "PYSEC-1" in done.stdout


def test_no_network_is_not_all_is_well(project: Path) -> None:
    done = audit(project, says="ConnectionError: no route", code=1)
    assert done.returncode == 3
    assert "Is the package index reachable?" in done.stderr


def test_a_secret_that_was_removed_is_still_in_the_history(project: Path) -> None:
    commit(project, "config.py", "TOKEN = '123456789:A" + "A" + "x1Y_-" * 6 + "abc'")
    commit(project, "config.py", "TOKEN = ''")
    done = audit(project, "--history-only")
    assert done.returncode == 1
    assert "Commits with something like" in done.stdout


def test_a_wrong_option(project: Path) -> None:
    assert audit(project, "--all").returncode == 1
