"""Units, compose file and image: read by the programs that will read them, or by a parser; every command exists."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class

OPS = Path(__file__).resolve().parents[1]
ROOT = OPS.parent
UNITS = sorted(path.name for path in (OPS / "systemd").iterdir())
SERVICES = [name for name in UNITS if name.endswith(".service")]
LONG_RUNNING = [name for name in SERVICES if name != "fieldservice-backup.service"]
COMPOSE: dict[str, Any] = yaml.safe_load((OPS / "compose.yml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if name not in {"postgres", "redis"}}
#: exit codes that a restart does not mend: bots/runner.py
FOR_GOOD = {"78", "2"}


def unit(name: str) -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(OPS / "systemd" / name)
    return parser


def command_of(name: str) -> list[str]:
    command = shlex.split(unit(name)["Service"]["ExecStart"].replace("%i", "8082"))
    return [word.replace("/opt/fieldservice/.venv/bin/", "").replace("/opt/fieldservice/", "") for word in command]


def commands() -> list[Any]:
    found = [pytest.param(command_of(name), id=name) for name in SERVICES]
    for name, service in OURS.items():
        words = service["command"]
        several = words[2].split(" && ") if words[:2] == ["sh", "-c"] else [shlex.join(words)]
        found += [pytest.param(shlex.split(one), id=f"compose {name}") for one in several]
    image = (OPS / "Dockerfile").read_text()
    found.append(pytest.param(yaml.safe_load(re.findall(r"^CMD (.*)$", image, re.M)[0]), id="image"))
    return found


@pytest.mark.parametrize("words", commands())
def test_every_command_exists_and_takes_its_options(words: list[str]) -> None:
    program, *rest = words
    if program == "python" and rest[0] == "manage.py":
        name, *options = rest[1:]
        load_command_class(get_commands()[name], name).create_parser("manage.py", name).parse_args(options)
    elif program == "celery":
        celery(rest)
    elif program == "gunicorn":
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "fieldservice.settings"}
        done = subprocess.run(
            [sys.executable, "-m", "gunicorn", "--check-config", *rest], cwd=ROOT, env=environment, check=False
        )
        assert done.returncode == 0
    else:
        assert program in {"bash", "/bin/bash"}
        assert (ROOT / rest[0]).is_file()
        assert subprocess.run(["bash", "-n", ROOT / rest[0]], check=False).returncode == 0


def celery(words: list[str]) -> None:
    """Let Celery's own parser read the options, without starting anything."""
    from celery.bin.beat import beat
    from celery.bin.worker import worker

    from fieldservice.celery import app

    assert words[:3] == ["--quiet", "-A", "fieldservice"]
    assert app.main == "fieldservice"
    options = {"worker": worker, "beat": beat}[words[3]].make_context(words[3], words[4:], resilient_parsing=True)
    assert options.args == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    for name in UNITS:
        text = (OPS / "systemd" / name).read_text().replace("/opt/fieldservice", str(ROOT))
        (tmp_path / name.replace("@.", "@8082.")).write_text(
            text.replace(f"{ROOT}/.venv/bin", str(Path(sys.executable).parent))
        )
    files = sorted(tmp_path.iterdir())
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    for file in files:
        if file.suffix == ".service":
            done = subprocess.run(
                ["systemd-analyze", "security", "--offline=yes", "--threshold=20", file],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout[-300:]


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_a_unit_comes_back_but_not_after_78(name: str) -> None:
    service = unit(name)["Service"]
    assert service["Restart"] == "always"
    assert set(service["RestartPreventExitStatus"].split()) == FOR_GOOD
    assert unit(name)["Unit"]["StartLimitIntervalSec"] == "0"
    assert unit(name)["Install"]["WantedBy"] == "fieldservice.target"


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_may_do_little(name: str) -> None:
    service = unit(name)["Service"]
    wanted = {
        "User": "fieldservice", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes",
        "PrivateTmp": "yes", "CapabilityBoundingSet": "", "UMask": "0077",
    }  # fmt: skip
    assert {key: service[key] for key in wanted} == wanted


def test_the_compose_file_has_every_process() -> None:
    assert {"postgres", "redis", "migrate", "web", "worker", "beat", "master_bot", "admin_bot"} <= set(
        COMPOSE["services"]
    )
    for name, service in OURS.items():
        if name != "migrate":
            assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}, name
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        assert (OPS / service["build"]["context"] / service["build"]["dockerfile"]).is_file(), name
        held = service["restart"] != "no"
        assert held == ("entrypoint" not in service), f"{name} is restarted: it must go through ops/hold.sh"
    named = {volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", [])}
    assert named == set(COMPOSE["volumes"])
    assert [port for service in COMPOSE["services"].values() for port in service.get("ports", [])] == [
        "127.0.0.1:8000:8000"
    ]


def test_the_image_can_dump_the_server_of_the_compose_file() -> None:
    image = (OPS / "Dockerfile").read_text()
    client = re.search(r"postgresql-client-(\d+)", image)
    assert client
    assert COMPOSE["services"]["postgres"]["image"] == f"postgres:{client[1]}"
    assert re.search(r"^USER fieldservice$", image, re.M)
    assert '"/app/ops/hold.sh"' in image
    for copied in re.findall(r"^COPY (?!--from)(\S+) ", image, re.M):
        assert (ROOT / copied).exists()


def test_no_secret_gets_into_the_image() -> None:
    ignored = (OPS / "Dockerfile.dockerignore").read_text().splitlines()
    assert {".env", ".env.*", ".git", ".embedded*", "backups", "media"} <= set(ignored)


# -- a container that must not come back -------------------------------------------------------------------------------


def held(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(["sh", OPS / "hold.sh", *command], stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("code", [0, 1, 3, 137])
def test_hold_ends_as_its_command_does(code: int) -> None:
    process = held("sh", "-c", f"exit {code}")
    assert process.wait(10) == code
    process.communicate()


@pytest.mark.parametrize("code", [78, 2])
def test_hold_stays_where_a_restart_mends_nothing(code: int) -> None:
    process = held("sh", "-c", f"exit {code}")
    assert process.stderr
    assert f"Ended with {code}" in process.stderr.readline()
    time.sleep(0.3)
    assert process.poll() is None
    process.terminate()
    assert process.wait(10) == code
    process.communicate()


SLOW = """
import signal, sys, time
from pathlib import Path
def end(*_):
    time.sleep(0.5)
    Path(sys.argv[1]).write_text("finished")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up", file=sys.stderr, flush=True)
time.sleep(30)
"""


def test_hold_passes_sigterm_on_and_waits_for_the_end(tmp_path: Path) -> None:
    process = held(sys.executable, "-c", SLOW, str(tmp_path / "end"))
    assert process.stderr
    process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert (tmp_path / "end").read_text() == "finished"
    process.communicate()
