"""The scripts' helper, run as the scripts run it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

OPS = Path(__file__).resolve().parents[1]
PAGES: dict[str, tuple[int, str]] = {}


def tools(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `tools.py` to its end."""
    return subprocess.run(
        [sys.executable, str(OPS / "tools.py"), *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Pages(BaseHTTPRequestHandler):
    """Answers with what PAGES holds."""

    def do_GET(self) -> None:
        code, body = PAGES.get(self.path, (404, ""))
        self.send_response(code)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """The address of a web server that serves PAGES."""
    PAGES.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_taken_port_gives_the_next_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert int(tools("port", str(port)).stdout) > port
    assert int(tools("port", str(port)).stdout) == port


def test_env_reads_without_running_and_never_overrides(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    file = tmp_path / "env"
    file.write_text(f"NEW_ONE='a b'\nexport NEW_TWO=$(touch {trap})\nPATH=/nowhere\nKNOWN=file\n1BAD=x\n# NO=x\n")
    out = tools("env", str(file), KNOWN="")
    assert out.returncode == 0, out.stderr
    assert sorted(out.stdout.split("\0")) == ["", "NEW_ONE=a b", f"NEW_TWO=$(touch {trap})"]
    assert not trap.exists()
    assert tools("env", str(tmp_path / "none")).stdout == ""


def test_wait_returns_when_everything_answers(site: str) -> None:
    PAGES["/"] = (200, "page")
    PAGES["/admin/login/"] = (200, "form")
    PAGES["/sandbox/api/bots"] = (200, '[{"username": "a", "polling": true}, {"username": "b", "polling": true}]')
    done = tools("wait", "--web", site, "--sandbox", site, "--bots", "2", "--pid", str(os.getpid()))
    assert (done.returncode, done.stderr) == (0, "")


def test_wait_names_what_is_missing(site: str) -> None:
    PAGES["/"] = (200, "page")
    PAGES["/sandbox/api/bots"] = (200, '[{"username": "a", "polling": true}, {"username": "b", "polling": false}]')
    done = tools("wait", "--web", site, "--sandbox", site, "--bots", "2", "--seconds", "0")
    assert (done.returncode, done.stderr) == (1, "No answer within 0 s from the web admin and the bots.\n")


def test_wait_ends_with_its_process(site: str) -> None:
    ended = subprocess.Popen(["true"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # a zombie, as a shell's child is for a moment
    assert tools("wait", "--web", site, "--pid", str(ended.pid)).returncode == 2
    ended.wait()


def test_only_marked_processes_are_ended(tmp_path: Path) -> None:
    mark = f"FIELDSERVICE_DEMO={tmp_path}"
    name, value = mark.split("=")
    mine = subprocess.Popen(["sleep", "60"], env=os.environ | {name: value})
    other = subprocess.Popen(["sleep", "60"], env=os.environ | {name: f"{value}2"})
    waiting = threading.Thread(target=mine.wait)
    waiting.start()
    try:
        assert tools("marked", mark).returncode == 0
        waiting.join(5)
        assert mine.returncode == -15
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


SCRIPTS = [*sorted(OPS.glob("*.sh")), OPS.parent / ".ci" / "run"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_clean(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
    if shutil.which("shellcheck"):
        done = subprocess.run(
            ["shellcheck", "-x", str(script)], cwd=OPS.parent, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_wrong_arguments_are_told() -> None:
    for script in ("bootstrap.sh", "demo.sh"):
        done = subprocess.run(["bash", str(OPS / script), "--wrong"], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("usage: bash ops/")
