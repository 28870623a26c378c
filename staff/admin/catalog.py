"""Import of places in the web admin: upload, look at what would happen, confirm."""

from __future__ import annotations

import secrets
import zlib
from typing import Any

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import DomainError
from geo.catalog_file import COLUMNS, DELIMITERS, decode, read_catalog
from geo.services.catalog import Report, import_catalog
from staff.services.moderation import audit

#: more would keep a web process busy for too long; `manage.py import_catalog` has no limit
ROWS, MEGABYTES = 2_000, 2
KEPT = 30 * 60
SHOWN = 200
TEMPLATE = "staff/import_catalog.html"


class UploadForm(forms.Form):
    """A file of places."""

    file = forms.FileField(label=gettext_lazy("File"), widget=UnfoldAdminFileFieldWidget)
    delimiter = forms.ChoiceField(
        label=gettext_lazy("Between columns"),
        choices=[(name, name) for name in DELIMITERS],
        widget=UnfoldAdminSelectWidget,
    )
    with_doubtful = forms.BooleanField(
        label=gettext_lazy("Add doubtful rows, too"), required=False, widget=UnfoldBooleanSwitchWidget
    )


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page in its three steps: form, preview, done. The caller has checked the right."""
    if request.method != "POST":
        return _shown(request, context, form=UploadForm())
    if key := request.POST.get("confirm"):
        return _confirmed(request, context, key)
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            return _preview(request, context, form)
        except DomainError as error:
            form.add_error("file", str(error))
    return _shown(request, context, form=form)


def _preview(request: HttpRequest, context: dict[str, Any], form: UploadForm) -> HttpResponse:
    file, options = form.cleaned_data["file"], {k: form.cleaned_data[k] for k in ("delimiter", "with_doubtful")}
    if file.size > MEGABYTES * 2**20:
        form.add_error("file", _("The file is larger than %(size)s MB: use manage.py import_catalog.")
                       % {"size": MEGABYTES})  # fmt: skip
        return _shown(request, context, form=form)
    text = decode(file.read())
    report = _run(text, options, dry_run=True)
    key = ""
    if not report.bad and (report.added or report.filled):
        key = secrets.token_urlsafe(16)
        cache.set(_cached(request, key), (zlib.compress(text.encode()), options), KEPT)
    return _shown(request, context, report=report, key=key)


def _confirmed(request: HttpRequest, context: dict[str, Any], key: str) -> HttpResponse:
    """The same file once more, for good: what changed meanwhile is seen, too. A second click finds nothing to do."""
    kept = cache.get(_cached(request, key))
    cache.delete(_cached(request, key))
    if kept is None:
        messages.warning(request, _("This preview is gone or was imported already: choose the file again."))
        return redirect(request.path)
    try:
        with transaction.atomic():
            report = _run(zlib.decompress(kept[0]).decode(), kept[1], dry_run=False)
            if report.written:
                audit("places_imported", actor=Actor.of_staff(request.user, "web"), added=dict(report.added))
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(request.path)
    return _shown(request, context, report=report, done=report.written)


def _run(text: str, options: dict[str, Any], *, dry_run: bool) -> Report:
    catalog = read_catalog(text, delimiter=DELIMITERS[options["delimiter"]], most=ROWS + 1)
    if len(catalog.rows) + len(catalog.bad) > ROWS:
        raise DomainError(_("There are more than %(rows)s rows: use manage.py import_catalog.") % {"rows": ROWS})
    return import_catalog(catalog=catalog, dry_run=dry_run, with_doubtful=options["with_doubtful"])


def _cached(request: HttpRequest, key: str) -> str:
    return f"import-catalog:{request.user.pk}:{key[:40]}"


def _shown(request: HttpRequest, context: dict[str, Any], **more: Any) -> HttpResponse:
    report: Report | None = more.get("report")
    lists: list[tuple[str, list[Any]]] = [] if report is None else [
        (_("Wrong: correct them and upload the file again"), report.bad),
        (_("Doubtful, not added"), report.doubtful),
    ]  # fmt: skip
    more["lists"] = [(title, len(rows), rows[:SHOWN], len(rows) > SHOWN) for title, rows in lists if rows]
    if report is not None:
        names = {"city": _("Cities"), "district": _("Districts"), "street": _("Streets")}
        more["table"] = {
            "headers": ["", _("new"), _("already there"), _("centre filled in")],
            "rows": [
                [name, report.added[kind], report.duplicates[kind], report.filled[kind]] for kind, name in names.items()
            ],
        }
    return TemplateResponse(request, TEMPLATE, context | more | {"columns": ";".join(COLUMNS), "rows_limit": ROWS})
