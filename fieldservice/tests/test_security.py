"""What docs/security.md promises and no other test holds; and that the tests it names exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import identify_hasher, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from fieldservice.celery import app
from fieldservice.tests.test_project import PRODUCTION, ROOT, run, text, tracked
from staff.tests.factories import StaffUserFactory

#: put together so that this file does not find itself
SECRETS = {
    # the number of Telegram's own examples is nobody's
    "a bot token": r"\b(?!123456789:)[0-9]{8,10}:A" r"A[A-Za-z0-9_-]{33}\b",
    "a private key": r"-----BEGIN [A-Z ]*PRIV" r"ATE KEY",
    "a cloud key": r"\bAK" r"IA[0-9A-Z]{16}\b",
    "a key of a code host": r"\bgh" r"[pousr]_[A-Za-z0-9]{36}\b",
    "a key of a chat": r"\bxo" r"x[abp]-[0-9A-Za-z-]{20,}",
    "a key of a payment service": r"\bsk_" r"live_[0-9A-Za-z]{20,}",
    "a Sentry address": r"https?://[0-9a-f]{32}@",
    "a password in an address": r"\b(?:postgres(?:ql)?|rediss?|https?)://[^\s:/@\"'`{}$<>]+:[^\s@\"'`{}$<>]{6,}"
    r"@(?!(?:db|host|redis|localhost|x)\b)",
    "a value set to a secret": r"(?i)\b\w*(?:secret|token|password|passwd|api_key)\w*\s*[=:]\s*"
    r"[\"'](?=[^\"']*\d)(?=[^\"']*[a-z])[A-Za-z0-9+/_-]{32,}[\"']",
}
PICTURES = {".png", ".jpg", ".ico", ".woff2", ".mo", ".gz"}


def references() -> list[str]:
    """The tests named in the table of ASVS lines."""
    return sorted(set(re.findall(r"`(\S+\.py::test_\w+)`", text("docs/security.md"))))


@pytest.mark.parametrize("reference", references())
def test_a_named_test_exists(reference: str) -> None:
    path, _sep, name = reference.partition("::")
    tree = ast.parse(text(path))
    found = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert name in found, reference


def test_every_line_has_a_test_or_a_reason() -> None:
    table = text("docs/security.md").split("## ASVS 5.0")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if re.match(r"\| \d", line)]
    assert len(rows) > 35
    for row in rows:
        held = row.strip("|").split("|")[-1].strip()
        assert ".py::test_" in held or held.startswith(("Does not apply: ", "Open: ")), row


@pytest.mark.parametrize(("what", "pattern"), SECRETS.items())
def test_no_file_holds_a_secret(what: str, pattern: str) -> None:
    found = []
    for name in tracked():
        if Path(name).suffix in PICTURES or name.startswith("requirements") or name == "ops/uv.txt":
            continue
        if what == "a password in an address" and "/tests/" in name:
            continue  # made-up ones, to see that they are hidden
        found += [f"{name}: {match[0][:12]}…" for match in re.finditer(pattern, text(name))]
    assert found == [], what


def test_the_patterns_find_what_they_are_for() -> None:
    samples = {
        "a bot token": "987654321:A" + "A" + "x1Y_-" * 6 + "abc",
        "a password in an address": "postgres://app:hunter" + "22@prod.internal/x",
        "a value set to a secret": 'API_TOKEN = "' + "a1B2c3D4" * 5 + '"',
        "a private key": "-----BEGIN RSA PRIV" + "ATE KEY-----",
    }
    for what, sample in samples.items():
        assert re.search(SECRETS[what], sample), what


def test_every_package_is_locked_with_hashes() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "ops/uv.txt"):
        blocks = re.split(r"\n(?=[A-Za-z0-9])", text(name))
        packages = [block for block in blocks if re.match(r"[A-Za-z0-9][\w.\[\],-]*==", block)]
        assert packages
        assert [block.split()[0] for block in packages if "--hash=sha256:" not in block] == []


def test_tasks_travel_as_json() -> None:
    assert app.conf.task_serializer == "json"
    assert set(app.conf.accept_content) == {"json"}


def test_passwords_are_hashed_slowly() -> None:
    shown = run(
        "-c",
        "import django; django.setup()\nfrom django.contrib.auth.hashers import make_password as m; print(m('x'))",
        **PRODUCTION,
    )
    algorithm, rounds = shown.strip().split("$")[:2]
    assert (algorithm, int(rounds) >= 600_000) == ("pbkdf2_sha256", True)
    assert identify_hasher(make_password("x")).algorithm == "md5"  # only the tests are in a hurry


@pytest.mark.parametrize("password", ["short1", "password", "12345678", "qwertyuiop"])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)


def test_cookies_and_headers_of_production() -> None:
    code = (
        "import django, json; django.setup(); from django.conf import settings as s; "
        "names = ['SESSION_COOKIE_SECURE', 'SESSION_COOKIE_HTTPONLY', 'CSRF_COOKIE_SECURE', 'SECURE_SSL_REDIRECT', "
        "'SECURE_CONTENT_TYPE_NOSNIFF', 'X_FRAME_OPTIONS', 'SECURE_REFERRER_POLICY', 'SESSION_COOKIE_SAMESITE']; "
        "print([getattr(s, name) for name in names], s.SECURE_HSTS_SECONDS >= 31536000)"
    )
    shown = run("-c", code, **PRODUCTION).strip()
    assert shown == "[True, True, True, True, True, 'DENY', 'same-origin', 'Lax'] True"


@pytest.mark.django_db
def test_a_form_of_somebody_else_is_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(StaffUserFactory(role="GLOBAL_ADMIN"))
    answer = client.post(reverse("admin:orders_order_add"), {"city": 1})
    assert answer.status_code == 403
    login = Client(enforce_csrf_checks=True).post(reverse("admin:login"), {"username": "a", "password": "b"})
    assert login.status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/metrics"])
def test_health_addresses_take_no_orders(client: Client, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for method in ("post", "put", "delete", "patch", "trace"):
        assert getattr(client, method)(address).status_code in {403, 405}, method
    answer = client.get(address + "?" + "x" * 2000, headers={"x-forwarded-for": "203.0.113.9", "host": "evil.example"})
    body = answer.content.decode()
    assert not answer.cookies
    for word in ("evil.example", "Traceback", "password", str(settings.BASE_DIR), settings.SECRET_KEY):
        assert word not in body


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/.env", "/.git/config", "/media/x.jpg", "/admin/../settings", "/backups/", "/x" * 500]
)
def test_an_unknown_address_tells_nothing(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code in {302, 404}
    body = answer.content.decode()
    for word in ("Traceback", "urlpatterns", "DEBUG", str(ROOT)):
        assert word not in body
