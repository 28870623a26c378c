"""What a log may not hold is hidden; what it needs stays."""

from __future__ import annotations

import json
import logging

import pytest

from fieldservice.lib.masking import is_luhn, mask, mask_card, mask_phone
from fieldservice.logs import JsonFormatter

TOKEN = "123456789:AAExampleExampleExampleExample_Exam"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("call +79991234567", "call +7*** ***-45-67"),
        ("call 8 (999) 123-45-67 now", "call 8*** ***-45-67 now"),
        ('{"phone": "89991234567"}', '{"phone": "8*** ***-45-67"}'),
        ("https://t.me/+79991234567", "https://t.me/+7*** ***-45-67"),
        ("card 2200000000000004", "card **** 0004"),
        ("4111 1111 1111 1111", "**** 1111"),
        ("4111-1111-1111-1112", "**** 1112"),  # a mistyped card is a card
        ("6222020000000000000", "**** 0000"),
        (f"token {TOKEN}", "token <token>"),
        (f"https://api.telegram.org/bot{TOKEN}/sendMessage", "https://api.telegram.org/bot<token>/sendMessage"),
        ("postgres://app:pass@db/name", "postgres://***@db/name"),
        ("postgres://app:p@ss@db/name", "postgres://***@db/name"),
        ("https://key@sentry.example/1", "https://***@sentry.example/1"),
    ],
)
def test_personal_data_and_secrets_are_hidden(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T12:03:04.123456+00:00",
        "2026-11-22 12:03:04,123",
        "created=1763812984 updated=1763812984123 micro=1763812984123456",
        "took 0.12345678901234567 s",
        "order=7 city=12 district=345",
        "chat=-1001234567890 user=7000000001",
        "callback 4382389284392838433",
        "123e4567-e89b-12d3-a456-426614174000",
        "sum 9999999.99",
        "top=[7001(car=1 avg=7000 rating=4.9) 7002(car=0 avg=0 rating=5.0)]",
    ],
)
def test_times_and_identifiers_stay(text):
    assert mask(text) == text


def test_a_log_line_is_masked_json():
    record = logging.makeLogRecord(
        {"msg": "client %s", "args": ("+79991234567",), "levelname": "INFO", "name": "x", "url": f"/bot{TOKEN}/getMe"}
    )
    line = JsonFormatter().format(record)
    assert json.loads(line) | {"time": ""} == {
        "time": "",
        "level": "INFO",
        "logger": "x",
        "message": "client +7*** ***-45-67",
        "url": "/bot<token>/getMe",
    }


@pytest.mark.parametrize(
    ("phone", "masked"),
    [("+79991234567", "+7 *** ***-45-67"), ("89991234567", "+7 *** ***-45-67"), ("123", "***"), ("", ""), (None, "")],
)
def test_a_masked_phone_keeps_its_last_four_digits(phone, masked):
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(("card", "masked"), [("2200 0000 0000 0004", "**** 0004"), ("12", ""), ("", ""), (None, "")])
def test_a_masked_card_keeps_its_last_four_digits(card, masked):
    assert mask_card(card) == masked


def test_the_check_digit_is_the_scheme_s():
    assert is_luhn("4111111111111111")
    assert not is_luhn("4111111111111112")
