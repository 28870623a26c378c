"""Checks of `reply_markup`: the four kinds, their limits, and the refusals of the real server."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from .errors import JSON, bad_request

MAX_BUTTONS = 100
INLINE_ACTIONS = (
    "callback_data", "url", "copy_text", "web_app", "login_url", "switch_inline_query",
    "switch_inline_query_current_chat", "switch_inline_query_chosen_chat", "callback_game", "pay",
)  # fmt: skip


def check_markup(markup: Any) -> JSON | None:
    """Validate and return the markup, None for none.

    Raises ApiError 400 with the real description (BUTTON_DATA_INVALID, "… is invalid: Wrong HTTP URL" …).
    """
    if markup in (None, "", {}):
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        rows = [[_inline_button(b) for b in row] for row in _rows(markup, "inline_keyboard")]
        return {"inline_keyboard": [row for row in rows if row]}
    if "keyboard" in markup:
        rows = [[_reply_button(b) for b in row] for row in _rows(markup, "keyboard")]
        return {**markup, "keyboard": [row for row in rows if row]}
    if markup.get("remove_keyboard") or markup.get("force_reply"):
        return markup
    raise bad_request("object expected as reply markup")


def is_inline(markup: JSON | None) -> bool:
    """True for an inline keyboard (the only kind that lives in the message itself)."""
    return bool(markup) and "inline_keyboard" in (markup or {})


def _rows(markup: JSON, field: str) -> list[list[Any]]:
    rows = markup[field]
    if not isinstance(rows, list):
        raise bad_request(f'field "{field}" must be of type Array')
    if not all(isinstance(row, list) for row in rows):
        raise bad_request(f'field "{field}" must be an Array of Arrays')
    if sum(len(row) for row in rows) > MAX_BUTTONS:
        raise bad_request("reply markup is too long")
    return rows


def _inline_button(button: Any) -> JSON:
    where = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise bad_request(where + "expected an Object")
    text = button.get("text")
    if not isinstance(text, str) or not text:
        raise bad_request(where + 'Can\'t find field "text"')
    actions = [a for a in INLINE_ACTIONS if button.get(a) is not None]
    if not actions:
        raise bad_request(where + "Text buttons are unallowed in the inline keyboard")
    _check_action(actions[0], button[actions[0]])
    style = {"style": button["style"]} if button.get("style") else {}
    return {"text": text, actions[0]: button[actions[0]], **style}


def _check_action(action: str, value: Any) -> None:
    if action == "callback_data":
        if not isinstance(value, str) or not 1 <= len(value.encode()) <= 64:
            raise bad_request("BUTTON_DATA_INVALID")
    elif action == "url":
        check_url(str(value))
    elif action == "copy_text":
        text = value.get("text") if isinstance(value, dict) else None
        if not isinstance(text, str) or not 1 <= len(text) <= 256:
            raise bad_request("BUTTON_COPY_TEXT_INVALID")
    elif action == "web_app":
        url = str(value.get("url", "")) if isinstance(value, dict) else ""
        if not url.startswith("https://"):
            raise bad_request(f"inline keyboard button Web App URL '{url}' is invalid: Only HTTPS links are allowed")


def check_url(url: str) -> None:
    """Refuse addresses Telegram refuses: other protocols (tel:), hosts without a dot (localhost), blanks."""
    prefix = f"inline keyboard button URL '{url}' is invalid: "
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", url)
    if scheme and scheme[1].lower() not in ("http", "https", "tg", "ton", "tonsite") and not _is_host_port(url):
        raise bad_request(prefix + "Unsupported URL protocol")
    if scheme and scheme[1].lower() in ("tg", "ton"):
        return
    if not url.strip():
        raise bad_request(prefix + "URL host is empty")
    try:
        host = urlsplit(url if "://" in url else f"http://{url}").hostname or ""
    except ValueError:
        host = ""
    if " " in url or not _is_public_name(host):
        raise bad_request(prefix + "Wrong HTTP URL")


def _is_host_port(url: str) -> bool:
    return bool(re.match(r"[\w.-]+\.[\w-]+:\d+(/|$)", url))


def _is_public_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
        return True
    except ValueError:
        return bool(re.fullmatch(r"[\w-]+(\.[\w-]+)+", host))


def _reply_button(button: Any) -> JSON:
    if isinstance(button, str):
        return {"text": button}
    if not isinstance(button, dict) or not isinstance(button.get("text"), str) or not button["text"]:
        raise bad_request("can't parse reply keyboard button: Can't find field \"text\"")
    return {key: value for key, value in button.items() if value not in (None, False)}
