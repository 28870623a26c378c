"""A page of the web admin that asks and then calls one service: what the service refuses stands beside its field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminTextareaWidget

from fieldservice.lib.errors import DomainError, ForbiddenError, InvalidError

TEMPLATE = "staff/service_page.html"


class ReasonForm(forms.Form):
    """Why? 3–200 characters, checked by the service."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"] = forms.CharField(
            label=_("Reason"), max_length=1000, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
        )


def service_page(
    request: HttpRequest,
    page: ModelAdmin[Any],
    *,
    title: str,
    form: forms.Form,
    call: Callable[[dict[str, Any]], str],
    back: str,
    button: str,
    text: str = "",
    danger: bool = False,
    headers: Sequence[str] = (),
    rows: Sequence[Sequence[Any]] = (),
    hidden: Sequence[tuple[str, Any]] = (),
) -> HttpResponse:
    """Show the form; on POST run `call` with the answers, tell what it returned and go back.

    `headers`, `rows`: what it is about, as a table. `hidden`: fields that come back with the form.
    """
    if request.method == "POST" and form.is_bound and form.is_valid():
        try:
            messages.success(request, call(form.cleaned_data))
            return HttpResponseRedirect(back)
        except ForbiddenError as error:
            raise PermissionDenied(str(error)) from error
        except InvalidError as error:
            for field, sentence in error.fields.items():
                form.add_error(field if field in form.fields else None, sentence)
        except DomainError as error:
            form.add_error(None, str(error))
    context = {
        **page.admin_site.each_context(request), "title": title, "form": form, "back": back, "button": button,
        "text": text, "danger": danger, "table": {"headers": headers, "rows": rows}, "hidden": hidden,
        "opts": page.model._meta, "has_file_field": form.is_multipart(), "media": page.media + form.media,
    }  # fmt: skip
    return TemplateResponse(request, TEMPLATE, context)
