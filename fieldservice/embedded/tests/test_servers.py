"""The life of the two servers: start, share, kill, restart, stop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fieldservice import embedded
from fieldservice.embedded import accounts, locations, locks
from fieldservice.embedded.postgres import Postgres
from fieldservice.embedded.redis import Redis
from fieldservice.embedded.tests.conftest import Command, ask, client, kill


def starts(python: list[str]) -> bool:
    """Whether this command is a Python of a fitting version."""
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([*python, "-c", check], capture_output=True, cwd="/", check=False).returncode == 0


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="is about what root does; run as root to see it")


def test_start_serves_and_stop_stops(home: Path) -> None:
    assert embedded.start(["redis", "postgres"]) == ["postgres", "redis"]
    assert embedded.start(embedded.SERVICES) == []
    assert ask("select current_database(), current_setting('listen_addresses'), current_setting('jit')") == [
        ("app", "", "off")
    ]
    assert ask("select current_setting('max_connections'), current_setting('timezone')") == [("200", "UTC")]
    assert client().ping()
    assert client().config_get("port") == {"port": "0"}
    assert locations.socket_dir().stat().st_mode & 0o777 == 0o700
    assert embedded.stop() == ["postgres", "redis"]
    assert embedded.stop() == []
    assert not any(map(embedded.running, embedded.SERVICES))
    assert not locks.held(Postgres().alive)


def test_the_command_line(run: Command) -> None:
    def said(*arguments: str, code: int = 0, **environment: str) -> str:
        process = run(*arguments, **environment)
        out, err = process.communicate()
        assert process.returncode == code, err
        return out + err

    nothing = {"DATABASE_URL": "", "REDIS_URL": ""}
    assert said("status", code=1, **nothing) == "postgres: stopped\nredis: stopped\n"
    assert said("start", DATABASE_URL="postgres://db/app", REDIS_URL="") == "redis\n"
    assert said("status", DATABASE_URL="postgres://db/app", REDIS_URL="") == (
        "postgres: stopped (not needed: DATABASE_URL is set)\nredis: running\n"
    )
    assert said("start", **nothing) == "postgres\n"
    shown = subprocess.check_output(
        ["/bin/sh", "-c", 'eval "$1"; psql -Atc "select 6 * 7"', "sh", said("env")], text=True, cwd="/"
    )
    assert shown.strip() == "42"
    assert said("stop") == "postgres\nredis\n"
    assert "choose services" in said("start", "mysql", code=2)


def test_concurrent_starts_give_one_server(run: Command) -> None:
    processes = [run("start", "postgres", "redis") for _ in range(4)]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert sorted("".join(outputs).split()) == ["postgres", "redis"]
    assert ask("select 1") == [(1,)]


def test_killed_servers_start_again_with_their_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIELDSERVICE_EMBEDDED_FAST")  # durable, as in a demo
    embedded.start(embedded.SERVICES)
    ask("create table kept as select 'Ёжик' as name")
    client().set("dialog", "step 3")
    client().save()
    kill(Postgres())
    kill(Redis())
    assert not any(map(embedded.running, embedded.SERVICES))
    assert Postgres().pid_file.exists()
    assert embedded.start(embedded.SERVICES) == ["postgres", "redis"]
    assert ask("select name from kept") == [("Ёжик",)]
    assert client().get("dialog") == b"step 3"


def test_redis_keeps_dialogs_over_a_clean_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIELDSERVICE_EMBEDDED_FAST")
    embedded.start(["redis"])
    client().set("dialog", "step 3")
    embedded.stop()
    embedded.start(["redis"])
    assert client().get("dialog") == b"step 3"


@pytest.mark.parametrize("stranger", ["living", "zombie", "garbage"])
def test_a_stale_pid_file_does_not_block_the_start(stranger: str) -> None:
    embedded.start(["postgres"])
    server = Postgres()
    lines = server.pid_file.read_text().split("\n")
    kill(server)
    other = subprocess.Popen(["sleep", "60"])
    try:
        if stranger == "zombie":
            other.kill()
            os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        pid = "nonsense" if stranger == "garbage" else str(other.pid)
        server.pid_file.write_text("\n".join([pid, *lines[1:]]))
        Path(f"{server.socket}.lock").write_text("\n".join([pid, *lines[1:]]))
        assert embedded.start(["postgres"]) == ["postgres"]
        assert ask("select 1") == [(1,)]
        if stranger == "living":
            assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_stranger_with_the_pid_of_the_server_is_never_signalled() -> None:
    embedded.start(["redis"])
    server = Redis()
    true_pid = server.pid_file.read_text()
    server.pid_file.write_text(f"{os.getpid()}\n")
    assert server.pid() is None
    server.pid_file.write_text(true_pid)
    assert embedded.stop() == ["redis"]


def test_a_killed_initdb_leaves_no_half_made_data(home: Path) -> None:
    draft = home / "postgres" / "data.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    assert embedded.start(["postgres"]) == ["postgres"]
    assert not draft.exists()


def test_a_long_home_with_spaces_quotes_and_cyrillic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    long = tmp_path / ("проект, 'мой' \"demo\" $HOME `x` %2F " + "x" * 80)
    monkeypatch.setenv("FIELDSERVICE_EMBEDDED_HOME", str(long))
    assert embedded.start(embedded.SERVICES) == ["postgres", "redis"]
    assert ask("select 1") == [(1,)]
    assert client().ping()


@pytest.mark.parametrize("locale", ["C", "ru_RU.UTF-8", "no_SUCH"])
def test_cyrillic_is_right_under_any_locale(locale: str, run: Command) -> None:
    process = run("start", "postgres", LC_ALL=locale, LANG=locale, PGPORT="1", PGHOST="elsewhere")
    assert process.communicate() == ("postgres\n", "")
    assert ask("select upper('ёжик'), 'Ёжик' ilike 'ёЖИК', 'ЩУКА' ~* 'щука'") == [("ЁЖИК", True, True)]


def test_a_start_that_fails_leaves_nothing_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fieldservice.embedded.redis.binary", lambda: shutil.which("false"))
    with pytest.raises(
        embedded.EmbeddedError, match=r"The embedded Redis did not start: .* Its log is .*server\.log\."
    ):
        embedded.start(embedded.SERVICES)
    assert not embedded.running("postgres")


def test_a_broken_configuration_is_told_with_the_log(home: Path) -> None:
    embedded.start(["postgres"])
    embedded.stop()
    (home / "postgres" / "data" / "postgresql.auto.conf").write_text("shared_buffers = 'much'\n")
    with pytest.raises(embedded.EmbeddedError, match=r"did not start: .*errors.* Its log is .*postgres/server\.log\."):
        embedded.start(["postgres"])


def test_missing_programs_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("fieldservice.embedded.locations.find_spec", lambda name: None)
    monkeypatch.setattr("fieldservice.embedded.redis.find_spec", lambda name: None)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(embedded.EmbeddedError, match=r"bootstrap\.sh.*set DATABASE_URL"):
        embedded.start(["postgres"])
    with pytest.raises(embedded.EmbeddedError, match="set REDIS_URL"):
        embedded.start(["redis"])
    with pytest.raises(embedded.EmbeddedError, match="no embedded mysql"):
        embedded.start(["mysql"])


def test_a_home_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FIELDSERVICE_EMBEDDED_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(embedded.EmbeddedError, match=r"out of reach.*FIELDSERVICE_EMBEDDED_HOME"):
        embedded.start(["redis"])
    monkeypatch.setenv("FIELDSERVICE_EMBEDDED_HOME", str(tmp_path / "home"))


def test_a_socket_folder_of_a_stranger_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    locations.socket_dir().symlink_to(tmp_path)
    try:
        with pytest.raises(embedded.EmbeddedError, match="belongs to another user"):
            embedded.start(["redis"])
    finally:
        locations.socket_dir().unlink()


def test_ctrl_c_in_the_terminal_does_not_reach_the_servers(run: Command) -> None:
    process = run("start", "redis")
    process.communicate()
    pid = Redis().pid()
    assert pid is not None
    assert os.getsid(pid) != os.getsid(0)
    os.kill(pid, signal.SIGHUP)  # nor does closing it
    assert client().ping()


@as_root
def test_root_without_user_namespaces_uses_nobody(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr(accounts, "namespace_works", lambda: False)
    monkeypatch.setattr(accounts, "open_to_all", lambda path: False)  # as with a virtualenv below /root
    outside = Path("/var/tmp") / f"fieldservice-{locations.home_hash()}"
    try:
        assert embedded.start(embedded.SERVICES) == ["postgres", "redis"]
        pid = Postgres().pid()
        assert pid is not None
        assert os.stat(f"/proc/{pid}").st_uid == accounts.nobody().uid
        assert Postgres().data.parent == outside
        kill(Postgres())
        assert embedded.start(["postgres"]) == ["postgres"]
        assert ask("select 1") == [(1,)]
        embedded.stop()
        shutil.rmtree(outside)  # cleaned away by the machine
        assert embedded.start(["postgres"]) == ["postgres"]
    finally:
        embedded.stop()
        shutil.rmtree(outside, ignore_errors=True)


@as_root
@pytest.mark.skipif(not shutil.which("runuser"), reason="runuser is not installed")
def test_an_ordinary_user(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    become = ("runuser", "-u", "nobody", "--")
    python = next((path for path in (sys.executable, "/usr/bin/python3") if starts([*become, path])), None)
    if python is None:
        pytest.skip("no Python 3.11 that another user may run: it is in a closed folder")
    nobody = accounts.nobody()
    home = Path(tempfile.mkdtemp())  # not in tmp_path: pytest's folders are closed to others
    nobody.own(home)
    monkeypatch.setenv("FIELDSERVICE_EMBEDDED_HOME", str(home))
    packages = str((locations.postgres_package() or Path()).parent)
    process = run("start", "postgres", "redis", python=(*become, python), PYTHONPATH=packages)
    assert process.communicate() == ("postgres\nredis\n", "")
    for server in (Postgres(), Redis()):
        assert os.stat(f"/proc/{server.pid()}").st_uid == nobody.uid
    embedded.stop()
    assert embedded.start(embedded.SERVICES) == ["postgres", "redis"]  # root in that user's checkout
    for server in (Postgres(), Redis()):
        assert os.stat(f"/proc/{server.pid()}").st_uid == nobody.uid
    assert ask("select 1") == [(1,)]
    embedded.stop()
    shutil.rmtree(home)
