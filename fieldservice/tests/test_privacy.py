"""Errors are told without the people they are about: in our logs, and in Sentry, which is another company's server."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest
import sentry_sdk
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from sentry_sdk.transport import Transport

from fieldservice import sentry
from fieldservice.logs import JsonFormatter
from geo.tests.factories import CityFactory
from orders.models import Order
from orders.services import intake
from staff.tests.factories import StaffUserFactory

SECRETS = ("Секретов", "Тайная", "1234567", "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw")


def broken_rows(order: Any) -> list[DatabaseError]:
    """Errors of the database that quote a client: the whole row in one, the statement in the other."""
    errors = []
    for changes in ({"timeslot_start_utc": timezone.now()}, {"version": "Секретов"}):
        try:
            with transaction.atomic():
                Order.objects.filter(pk=order.pk).extra(
                    where=["client_name = 'Секретов' AND %s"], params=["Тайная" if "version" in changes else True]
                ).update(**{k: v for k, v in changes.items() if k != "version"}, house="Тайная")
        except DatabaseError as error:
            errors.append(error)
    return errors


@pytest.mark.django_db
def test_a_log_line_does_not_quote_rows_and_statements() -> None:
    order = Order.objects.create(
        city=CityFactory(), client_name="Секретов", client_phone="+79991234567", description="Тайная\n\nстрока"
    )
    errors = broken_rows(order)
    assert len(errors) == 2
    for error in errors:
        assert "Секретов" in str(error)  # that is what PostgreSQL says
        for text in ("failed", f"Task raised unexpected: {error!r}"):
            record = logging.LogRecord("x", logging.ERROR, __file__, 1, text, (), (type(error), error, None))
            line = json.loads(JsonFormatter().format(record))
            assert type(error).__name__ in line["exception"]
            assert not [secret for secret in SECRETS if secret in json.dumps(line, ensure_ascii=False)]


def test_what_follows_in_a_traceback_stays() -> None:
    try:
        try:
            raise ValueError("no\nDETAIL:  Failing row contains (Секретов,\nТайная).")
        except ValueError as error:
            raise KeyError("after") from error
    except KeyError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    text = json.loads(JsonFormatter().format(record))["exception"]
    assert "Секретов" not in text
    assert "KeyError: 'after'" in text
    assert "test_privacy.py" in text


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.sent: list[str] = []

    def capture_envelope(self, envelope: Any) -> None:
        self.sent += [item.payload.get_bytes().decode() for item in envelope.items]


@pytest.fixture
def events() -> Any:
    transport = Kept()
    sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", transport=transport, **sentry.options())
    yield transport.sent
    sentry_sdk.init()


@pytest.mark.django_db
def test_sentry_gets_no_forms_phones_and_tokens(events: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**kwargs: Any) -> None:
        logging.getLogger("x").warning("call https://api.telegram.org/bot700000001:%s/sendMessage", SECRETS[-1])
        raise RuntimeError("phone +79991234567\nDETAIL:  Failing row contains (Секретов)")

    monkeypatch.setattr(intake, "create", fail)
    monkeypatch.setattr(intake, "check", lambda **kwargs: None)
    client = Client(raise_request_exception=False)
    client.force_login(StaffUserFactory(role="GLOBAL_ADMIN"))
    form = {
        "client_phone": "+79991234567", "client_name": "Секретов", "city": CityFactory().pk, "category": "PLUMBING",
        "slot": "asap", "description": "Тайная",
    }  # fmt: skip
    assert client.post(reverse("admin:orders_order_add") + "?q=%2B79991234567", form).status_code == 500
    sent = "\n".join(events)
    assert "RuntimeError" in sent
    assert "admin/orders/order/add" in sent
    assert not [secret for secret in SECRETS if secret in sent or json.dumps(secret)[1:-1] in sent]
