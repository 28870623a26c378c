"""What a form changed, old → new: for the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Model, QuerySet
from django.forms import BaseForm

#: never written down
SECRET = {"password", "password1", "password2", "usable_password", "payout_data", "seen", "page_key"}


def of_form(form: BaseForm) -> dict[str, list[Any]]:
    """Field → [old, new] as people read them."""
    names = [name for name in form.changed_data if name not in SECRET]
    changed = {name: [_text(form.get_initial_for_field(form.fields[name], name)), _text(form.cleaned_data.get(name))]
               for name in names if name in form.fields}  # fmt: skip
    for name in set(form.changed_data) & {"password", "password1"}:
        changed[name] = ["***", "***"]
    return changed


def _text(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list | tuple | set | QuerySet) or (isinstance(value, Iterable) and not isinstance(value, str)):
        return sorted(str(_text(item)) for item in value)
    return str(value)[:500] if not isinstance(value, Model) else str(value)
