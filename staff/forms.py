"""Fields of the web admin's forms, checked by the validators of docs/fields.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from fieldservice.lib.errors import InvalidError


def of_changed(form: forms.ModelForm[Any], name: str, parse: Callable[[str], str]) -> str | None:
    """The field as it is stored, for a `clean_…`. What an old row has, and nobody touched, may stay."""
    if name not in form.changed_data:
        kept: str | None = form.initial.get(name)
        return kept
    try:
        return parse(form.cleaned_data[name] or "")
    except InvalidError as error:
        raise forms.ValidationError(str(error)) from error


def refuse_twin(form: forms.ModelForm[Any], name: str, text: str) -> None:
    """«москва» beside «Москва» would be the same thing twice."""
    rows = type(form.instance)._default_manager.exclude(pk=form.instance.pk)
    if name in form.changed_data and (twin := rows.filter(**{f"{name}__iexact": text}).first()):
        raise forms.ValidationError(_("There is one already: %(name)s.") % {"name": getattr(twin, name)})
