"""Exports from the bot: what, for which days; progress on the screen, then the file."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm
from bots.admin import finance
from bots.admin.menu import menu_button
from bots.buttons import back, tap
from bots.callbacks import on
from bots.screens import Button, Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.localtime import zone
from fieldservice.runtime import registry
from finance import periods
from finance.enums import ExportFormat, ExportKind, ExportStatus
from finance.models import Export
from finance.services import exports
from staff.models import StaffUser

DATES = "adm:rep:dates"


@on("adm:rep", needs="export")
def overview(visit: Visit) -> Reply:
    """The last export, and what can be had."""
    return _shown(visit)


@on("adm:rep:what", needs="export", back=lambda visit, *rest: overview(visit))
def choose(visit: Visit, kind: str, fmt: str = "csv", post: int = 0) -> Reply:
    """For which days, as what, and whether the REPORTS channel gets it, too."""
    return Reply(_choice(kind, fmt, post))


@on("adm:rep:go", needs="export", back=lambda visit, *rest: overview(visit))
def ask(visit: Visit, kind: str, fmt: str, post: int, preset: str) -> Reply:
    """A preset of days."""
    today = timezone.now().astimezone(zone(None)).date()
    return _asked(visit, kind, fmt, post, periods.preset(preset, today=today))


@on("adm:rep:own", needs="export", back=lambda visit, *rest: overview(visit))
def ask_dates(visit: Visit, kind: str, fmt: str, post: int) -> Reply:
    """Other days, typed."""
    data = {"kind": kind, "fmt": fmt, "post": post}
    return Reply(_choice(kind, fmt, post, asked=True), dialog=Dialog(DATES, data))


@fsm.step(DATES, ask=lambda visit: _choice(*_answers(visit), asked=True), needs="export")
def take_dates(visit: Visit) -> Reply:
    """Two dates as people type them."""
    kind, fmt, post = _answers(visit)
    return _asked(visit, kind, fmt, post, periods.parse(visit.incoming.text))


@on("adm:rep:stop", needs="export", back=lambda visit, export_id: overview(visit))
def stop(visit: Visit, export_id: int) -> Reply:
    """It is not wanted any more."""
    exports.cancel(export_id=export_id, member=visit.member)
    return Reply(_shown(visit).screen, toast=_("The export is canceled."))


def _asked(visit: Visit, kind: str, fmt: str, post: int, period: periods.Period) -> Reply:
    exports.ask(member=visit.member, kind=kind, fmt=fmt, period=period, to_reports=bool(post), via="bot")
    shown = _shown(visit)
    return Reply(shown.screen, toast=_("The file is being written; you may go on working."), live=shown.live)


def _shown(visit: Visit) -> Reply:
    member_id = visit.member.pk
    export = _latest(member_id)
    running = export is not None and export.status in ExportStatus.LIVE
    return Reply(_overview(export), live=(lambda: _again(member_id)) if running else None)


def _again(member_id: int) -> tuple[Screen, bool] | None:
    """The screen as it is now, and whether it will change by itself; None for who may not look any more."""
    member = StaffUser.objects.filter(pk=member_id, is_active=True).first()
    if member is None:
        return None
    export = _latest(member_id)
    return _overview(export), export is not None and export.status in ExportStatus.LIVE


def _latest(member_id: int) -> Export | None:
    return Export.objects.filter(staff_id=member_id).order_by("-id").first()


def _overview(export: Export | None) -> Screen:
    live = export is not None and export.status in ExportStatus.LIVE
    rows: list[list[Button]] = []
    if export and live:
        rows.append([tap(_("✖️ Stop writing"), "adm:rep:stop", export.pk), tap(_("🔄 Refresh"), "adm:rep")])
    else:
        buttons = [tap(str(label), "adm:rep:what", name) for name, label in ExportKind.choices]
        rows += [buttons[:2], buttons[2:]]
    rows.append([tap(_("💳 Commissions"), "adm:f:aw"), menu_button()])
    context = {"export": export, "period": exports.period_of(export) if export else "",
               "error": _(export.error) if export and export.error else ""}  # fmt: skip
    return page("admin/reports.html", rows, **context)


def _choice(kind: str, fmt: str, post: int, *, asked: bool = False) -> Screen:
    if kind not in ExportKind.values or fmt not in ExportFormat.values:
        raise InvalidError(_("There is no such export."))
    days = [tap(str(label), "adm:rep:go", kind, fmt, post, name) for name, label in periods.PRESETS.items()]
    days.append(tap(_("Other dates"), "adm:rep:own", kind, fmt, post))
    formats = [
        tap(finance.here(str(label), name == fmt), "adm:rep:what", kind, name, post)
        for name, label in ExportFormat.choices
    ]
    rows = [formats, days[:2], days[2:4], days[4:]]
    if registry.get("reports_channel_id"):
        caption = _("☑️ Also to the REPORTS channel") if post else _("⬜️ Also to the REPORTS channel")
        rows.append([tap(caption, "adm:rep:what", kind, fmt, 0 if post else 1)])
    rows.append([back("adm:rep"), menu_button()])
    return page("admin/report_period.html", rows, title=ExportKind(kind).label, asked=asked)


def _answers(visit: Visit) -> tuple[str, str, int]:
    data: dict[str, Any] = visit.dialog.data if visit.dialog else {}
    return data.get("kind", ""), data.get("fmt", "csv"), int(data.get("post", 0))
