"""The environment: right values are read, a wrong one stops the start with one sentence that names the variable."""

from __future__ import annotations

import traceback
from datetime import time
from decimal import Decimal

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from fieldservice import env, links

READERS = {
    "DEBUG": lambda: env.flag("DEBUG"),
    "DISTRIBUTION_ROUNDS": lambda: env.integer("DISTRIBUTION_ROUNDS", 2, 1, 20),
    "GUARANTEE_COMPANY_PAYMENT": lambda: env.money("GUARANTEE_COMPANY_PAYMENT", "2500"),
    "WORKDAY_START": lambda: env.clock("WORKDAY_START", "10:00"),
    "ALLOWED_HOSTS": lambda: env.words("ALLOWED_HOSTS", "a,b"),
    "ALERTS_CHANNEL_ID": lambda: env.chat("ALERTS_CHANNEL_ID"),
    "GLOBAL_ADMINS_TG_IDS": lambda: env.ids("GLOBAL_ADMINS_TG_IDS"),
    "MASTER_BOT_TOKEN": lambda: env.token("MASTER_BOT_TOKEN"),
    "TIMEZONE": lambda: env.zone("TIMEZONE", "Europe/Moscow"),
    "REDIS_URL": lambda: env.url("REDIS_URL", "", "redis", "rediss", "unix"),
    "WEBHOOK_URL": lambda: env.url("WEBHOOK_URL", "", "https", "http"),
    "LANGUAGE_CODE": lambda: env.choice("LANGUAGE_CODE", "ru", "ru", "en"),
    "DATABASE_URL": lambda: env.database(lambda: {"NAME": "embedded"}),
}


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("DEBUG", False),
        ("DISTRIBUTION_ROUNDS", 2),
        ("GUARANTEE_COMPANY_PAYMENT", Decimal(2500)),
        ("WORKDAY_START", time(10)),
        ("ALLOWED_HOSTS", ["a", "b"]),
        ("ALERTS_CHANNEL_ID", None),
        ("GLOBAL_ADMINS_TG_IDS", []),
        ("MASTER_BOT_TOKEN", ""),
        ("TIMEZONE", "Europe/Moscow"),
        ("REDIS_URL", ""),
        ("LANGUAGE_CODE", "ru"),
        ("DATABASE_URL", {"NAME": "embedded"}),
    ],
)
@pytest.mark.parametrize("raw", [None, "", "  "])
def test_an_empty_variable_is_the_default(monkeypatch, name, default, raw):
    monkeypatch.delenv(name, raising=False)
    if raw is not None:
        monkeypatch.setenv(name, raw)
    assert READERS[name]() == default


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("DEBUG", "Yes", True),
        ("DEBUG", "0", False),
        ("DISTRIBUTION_ROUNDS", "20", 20),
        ("GUARANTEE_COMPANY_PAYMENT", "2500.50", Decimal("2500.50")),
        ("WORKDAY_START", "9:30", time(9, 30)),
        ("ALLOWED_HOSTS", " a.example, ,b.example ", ["a.example", "b.example"]),
        ("ALERTS_CHANNEL_ID", "-1001234567890", -1001234567890),
        ("GLOBAL_ADMINS_TG_IDS", "[111, 222]", [111, 222]),
        ("MASTER_BOT_TOKEN", "123:abc-DEF_1", "123:abc-DEF_1"),
        ("TIMEZONE", "Asia/Tokyo", "Asia/Tokyo"),
        ("REDIS_URL", "redis://localhost:6379/1", "redis://localhost:6379/1"),
        ("REDIS_URL", "unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("WEBHOOK_URL", "https://bot.example/hook", "https://bot.example/hook"),
        ("LANGUAGE_CODE", "en", "en"),
    ],
)
def test_a_right_value_is_read(monkeypatch, name, raw, value):
    monkeypatch.setenv(name, raw)
    assert READERS[name]() == value


WRONG = [
    ("DEBUG", "maybe"),
    ("DISTRIBUTION_ROUNDS", "two"),
    ("DISTRIBUTION_ROUNDS", "0"),
    ("DISTRIBUTION_ROUNDS", "21"),
    ("DISTRIBUTION_ROUNDS", "2.5"),
    ("GUARANTEE_COMPANY_PAYMENT", "free"),
    ("GUARANTEE_COMPANY_PAYMENT", "-1"),
    ("GUARANTEE_COMPANY_PAYMENT", "1.234"),
    ("GUARANTEE_COMPANY_PAYMENT", "NaN"),
    ("GUARANTEE_COMPANY_PAYMENT", "Infinity"),
    ("GUARANTEE_COMPANY_PAYMENT", "1E+30"),
    ("WORKDAY_START", "25:00"),
    ("WORKDAY_START", "ten"),
    ("WORKDAY_START", "10:00+03:00"),
    ("ALERTS_CHANNEL_ID", "@alerts"),
    ("GLOBAL_ADMINS_TG_IDS", "111;222"),
    ("MASTER_BOT_TOKEN", "SECRETVALUE"),
    ("MASTER_BOT_TOKEN", "12345:SECRET VALUE"),
    ("TIMEZONE", "Moscow"),
    ("TIMEZONE", "../etc/passwd"),
    ("REDIS_URL", "http://SECRETVALUE@localhost"),
    ("REDIS_URL", "redis://user:SECRETVALUE@localhost:port"),
    ("WEBHOOK_URL", "https:SECRETVALUE"),
    ("WEBHOOK_URL", "https://[SECRETVALUE"),
    ("WEBHOOK_URL", "https://SECRETVALUE:99999/"),
    ("LANGUAGE_CODE", "de"),
    ("DATABASE_URL", "mysql://user:SECRETVALUE@localhost/db"),
    ("DATABASE_URL", "postgres:SECRETVALUE"),
    ("DATABASE_URL", "SECRETVALUE"),
    ("DATABASE_URL", "postgres://user:SECRETVALUE@localhost"),
    ("DATABASE_URL", "postgres://user:SECRETVALUE@localhost/"),
    ("DATABASE_URL", "postgres://user:SECRETVALUE@localhost:port/db"),
]


@pytest.mark.parametrize(("name", "raw"), WRONG)
def test_a_wrong_value_is_named_and_a_secret_is_never_shown(monkeypatch, name, raw):
    monkeypatch.setenv(name, raw)
    with pytest.raises(ImproperlyConfigured) as caught:
        READERS[name]()
    sentence = str(caught.value)
    assert sentence.startswith(f"{name}: ")
    assert "; expected " in sentence
    assert "\n" not in sentence
    # a server prints the whole chain of causes, not only the sentence
    assert "SECRETVALUE" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (
            "postgres://app:p%40ss@db.example:5433/orders",
            {"NAME": "orders", "USER": "app", "PASSWORD": "p@ss", "HOST": "db.example", "PORT": 5433},
        ),
        ("postgresql://app@db.example/orders", {"NAME": "orders", "USER": "app", "HOST": "db.example"}),
        # as v1.2 had it
        (
            "postgresql+asyncpg://app:x@127.0.0.1:5432/orders?ssl=disable",
            {"NAME": "orders", "HOST": "127.0.0.1", "OPTIONS": {"sslmode": "disable"}},
        ),
        ("postgres://app@db.example/orders?sslmode=require", {"OPTIONS": {"sslmode": "require"}}),
    ],
)
def test_the_database_is_read_from_its_address(monkeypatch, raw, wanted):
    monkeypatch.setenv("DATABASE_URL", raw)
    entry = env.database(lambda: {"NAME": "embedded"})
    assert entry["ENGINE"] == "django.db.backends.postgresql"
    assert {name: entry[name] for name in wanted} == wanted


def test_a_connection_notices_a_dead_other_side_and_the_address_wins():
    entry = links.watched(
        {"NAME": "orders", "OPTIONS": {"connect_timeout": 2, "options": "-c work_mem=1GB"}}, jit="off"
    )
    options = entry["OPTIONS"]
    assert (options["connect_timeout"], options["keepalives_idle"], options["tcp_user_timeout"]) == (2, 10, 20_000)
    assert "-c idle_in_transaction_session_timeout=60000 " in options["options"]
    assert options["options"].endswith("-c jit=off -c work_mem=1GB")  # of two, PostgreSQL takes the last


def test_the_server_has_taken_these_settings(db):
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)
        cursor.execute("SHOW client_connection_check_interval")
        assert cursor.fetchone() == ("10s",)


@pytest.fixture
def dotenv(tmp_path, monkeypatch):
    """Write a `.env` and load it; names set by it are gone after the test."""
    for name in ("FIRST", "SECOND", "THIRD"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)

    def load(content: bytes) -> None:
        path = tmp_path / ".env"
        path.write_bytes(content)
        env.load(path)

    return load


def test_a_file_is_read_and_variables_that_are_set_win(dotenv, monkeypatch):
    monkeypatch.setenv("SECOND", "mine")
    dotenv(b"# a comment\n\nFIRST=1\n  export THIRD='three words'\nSECOND=file\n")
    assert [env.text(name) for name in ("FIRST", "SECOND", "THIRD")] == ["1", "mine", "three words"]


def test_a_file_from_windows_is_read(dotenv):
    dotenv(b"\xef\xbb\xbfFIRST=1\r\nTHIRD=3\r\n")
    assert (env.text("FIRST"), env.text("THIRD")) == ("1", "3")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"FIRST=1\nMASTER_BOT_TOKEN SECRETVALUE\n", ".env: line 2 is not valid; expected NAME=value."),
        (b"FIRST = SECRETVALUE\n", ".env: line 1 is not valid; expected NAME=value."),
        (b"\xff\xfeF\x00", ".env: not a UTF-8 text file."),
    ],
)
def test_a_line_that_sets_nothing_stops_the_start(dotenv, content, sentence):
    with pytest.raises(ImproperlyConfigured) as caught:
        dotenv(content)
    assert str(caught.value) == sentence


def test_no_file_is_no_error(tmp_path):
    env.load(tmp_path / ".env")
