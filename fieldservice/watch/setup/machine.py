"""The settings of the web admin, and the folders and programs of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core import checks
from django.db import Error as DatabaseError
from django.utils import timezone

from fieldservice import embedded
from fieldservice.watch.checks import BACKUP, DISK_FULL, query
from fieldservice.watch.setup.finding import Finding, mind, ok, wrong

LOCAL = {"localhost", "127.0.0.1", "[::1]"}
KEY = "python -c 'import secrets; print(secrets.token_urlsafe(50))'"
BEAT = "SELECT beat_at FROM heartbeats WHERE name = 'backup'"


def web() -> Iterator[Finding]:
    """Who may reach the web admin, and how it keeps its secrets."""
    if settings.DEBUG:
        yield wrong("DEBUG", "is on: error pages show settings and data. Set DEBUG=false.")
    if not os.environ.get("SECRET_KEY"):
        yield mind("SECRET_KEY", f"not set: the demo's own is used. Set it to 50 or more random characters ({KEY}).")
    elif len(settings.SECRET_KEY) < 50 or len(set(settings.SECRET_KEY)) < 5:
        yield wrong("SECRET_KEY", f"is too simple: set it to 50 or more random characters ({KEY}).")
    else:
        yield ok("SECRET_KEY", "is long.")
    hosts = set(settings.ALLOWED_HOSTS)
    if "*" in hosts:
        yield wrong("ALLOWED_HOSTS", "lets every name in: name the web admin's own, like office.example.org.")
    elif hosts <= LOCAL:
        yield mind("ALLOWED_HOSTS", "names this machine only: add the name people type, like office.example.org.")
    else:
        yield ok("ALLOWED_HOSTS", ", ".join(sorted(hosts - LOCAL)))
    missing = [host for host in sorted(hosts - LOCAL - {"*"}) if not _is_trusted(host)]
    if missing:
        yield mind("CSRF_TRUSTED_ORIGINS", f"lacks https://{missing[0]}: forms sent through a proxy will be refused.")
    if not settings.REQUIRE_2FA:
        yield mind("REQUIRE_2FA", "is off: a stolen password is enough to get in. Set REQUIRE_2FA=true.")
    yield from _deployment()


def _is_trusted(host: str) -> bool:
    plain = host.lstrip(".")
    return any(
        origin.partition("://")[2].partition(":")[0].lstrip("*.") == plain for origin in settings.CSRF_TRUSTED_ORIGINS
    )


def _deployment() -> Iterator[Finding]:
    """Django's own list (`check --deploy`); silent where it is the demo, which is not for others."""
    if "postgres" in embedded.needed():
        return
    for found in checks.run_checks(include_deployment_checks=True):
        if found.level >= checks.WARNING and not found.is_silenced():
            yield mind(found.id or "check", " ".join(str(found.msg).split()))


def folders() -> Iterator[Finding]:
    """Where files are written and read."""
    for name, folder in (("media folder", Path(settings.MEDIA_ROOT)), ("backup folder", _backups())):
        yield _writable(name, folder)
    usage = shutil.disk_usage(settings.BASE_DIR)
    if usage.used > DISK_FULL * (usage.used + usage.free):
        yield wrong("disk", f"has {usage.free / 2**30:.1f} GB left: make room, PostgreSQL stops when it is full.")
    texts = Path(settings.BASE_DIR) / "locale" / "ru" / "LC_MESSAGES"
    if not (texts / "django.mo").is_file():
        yield wrong("texts", "are not compiled, people would read English: run `manage.py texts --compile`.")
    else:
        yield ok("texts", "are compiled.")
    if settings.WHITENOISE_USE_FINDERS:
        return
    if not (Path(settings.STATIC_ROOT) / "unfold").is_dir():
        yield wrong(
            "static files", "are not collected, pages would have no styles: run `manage.py collectstatic --noinput`."
        )
    else:
        yield ok("static files", "are collected.")


def _writable(name: str, folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError as error:
        who = f"the user with the number {os.getuid()}" if hasattr(os, "getuid") else "this user"
        return wrong(name, f"{folder} cannot be written ({error.strerror}): let {who} write there.")
    return ok(name, "can be written.")


def backups() -> Iterator[Finding]:
    """Can dumps be made, and are they?"""
    dump = _version_of("pg_dump")
    if dump is None:
        yield wrong(
            "pg_dump",
            "is missing, there can be no backup: install PostgreSQL's programs (apt-get install postgresql-client).",
        )
    else:
        yield from _fits(dump)
    try:
        last = query(BEAT)
    except DatabaseError:
        return
    if not last:
        yield mind(
            "backups", "there has been none: run `bash ops/backup_db.sh`, and put it into cron or start its timer."
        )
    elif timezone.now() - last[0][0] > BACKUP:
        hours = (timezone.now() - last[0][0]) // timedelta(hours=1)
        yield wrong("backups", f"the newest is {hours} hours old: look at cron's mail or the timer's log.")
    else:
        yield ok("backups", "there is a fresh one.")


def _fits(dump: int) -> Iterator[Finding]:
    try:
        server = int(query("SHOW server_version_num")[0][0]) // 10000
    except DatabaseError:
        return
    if dump < server:
        yield wrong(
            "pg_dump",
            f"of version {dump} cannot dump a server of version {server}: install postgresql-client-{server}.",
        )
    else:
        yield ok("pg_dump", f"version {dump} is there.")


def _version_of(program: str) -> int | None:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"(\d+)(?:\.\d+)?", said)
    return int(found[1]) if found else None


def _backups() -> Path:
    return Path(settings.BASE_DIR) / settings.BACKUP_DIR
