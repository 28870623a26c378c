"""What Sentry is told: where and what kind, never whom it was about. It is another company's server."""

from __future__ import annotations

from typing import Any

from fieldservice.lib.masking import mask, unquote


def options() -> dict[str, Any]:
    """Arguments of `sentry_sdk.init`."""
    return {
        "include_local_variables": False,
        # a form of the web admin is a client's name, phone and address
        "max_request_body_size": "never",
        "before_send": _before_send,
        "before_breadcrumb": lambda crumb, _hint: _clean(crumb),
    }


def _before_send(event: Any, _hint: Any) -> Any:
    for kept in ("data", "query_string", "cookies", "env"):
        event.get("request", {}).pop(kept, None)
    return _clean(event)


def _clean(value: Any) -> Any:
    """The same with every text masked."""
    if isinstance(value, str):
        return mask(unquote(value))
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
