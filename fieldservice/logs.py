"""Logging: one JSON object a line, with phones, cards and tokens masked before they are written."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from fieldservice.lib.masking import mask, unquote

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """A record as JSON; `extra=` values become keys; everything passes through `mask`, errors through `unquote`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": unquote(record.getMessage()),
        }
        line |= {key: value for key, value in vars(record).items() if key not in STANDARD}
        if record.exc_info:
            line["exception"] = unquote(self.formatException(record.exc_info))
        return mask(json.dumps(line, ensure_ascii=False, default=str))


def logging_config(level: str) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error at `level`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "json"},
            "alerts": {"()": "fieldservice.watch.error_alerts.AlertHandler"},
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            **{name: {"handlers": ["alerts"]} for name in ("django.request", "celery.app.trace", "dispatch")},
            "aiogram": {"level": "WARNING"},
            "aiohttp.access": {"level": "WARNING"},
            # httpx-like libraries put whole addresses, tokens included, into INFO lines
            "urllib3": {"level": "WARNING"},
            "geopy": {"level": "WARNING"},  # its DEBUG lines hold the key and the address
        },
    }
