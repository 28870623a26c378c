"""Files of a period for a person: asked for, written in the background, fetched while they last.

One at work per person (an index), one at a time in all (dispatch needs the other worker). The queue is the rows; a
process that dies leaves a row whose `beat_at` grows old, and the sweep says so to the person.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from fieldservice.runtime import registry, replica, wake
from finance import export_files
from finance.enums import ExportFormat, ExportKind, ExportStatus
from finance.export_tables import TABLES, spans
from finance.models import Export
from finance.periods import Period
from staff import access, scope
from staff.models import StaffUser
from staff.services.moderation import audit

log = logging.getLogger(__name__)
#: a running export without a sign of life for so long is dead
SILENCE = timedelta(minutes=10)
#: a workbook is put together when its last row has been read
PATIENT = "SET LOCAL idle_in_transaction_session_timeout = '15min'"
FAILED = gettext_noop("It could not be written; the administrator was told. Try again later.")
INTERRUPTED = gettext_noop("It was interrupted by a restart. Ask for it again.")


class Unwanted(Exception):
    """Nobody waits for the file any more."""


@transaction.atomic
def ask(
    *,
    member: StaffUser,
    kind: str,
    fmt: str,
    period: Period,
    city_ids: Sequence[int] | None = None,
    to_reports: bool = False,
    via: str = "web",
    now: datetime | None = None,
) -> Export:
    """Put an export into the queue. `city_ids` None: all the member's cities; no cities mean an empty file."""
    _require(member)
    if kind not in ExportKind.values or fmt not in ExportFormat.values:
        raise InvalidError({"kind": _("There is no such export.")})
    own = sorted(scope.cities(member).values_list("pk", flat=True))
    wanted = own if city_ids is None else sorted(set(city_ids))
    if not set(wanted) <= set(own):
        raise InvalidError({"city": _("There is nothing like that in your cities.")})
    try:
        with transaction.atomic():
            export = Export.objects.create(
                staff=member, kind=kind, format=fmt, date_from=period.first, date_to=period.last, city_ids=wanted,
                to_reports=to_reports, via=via, created_at=now or timezone.now(),
            )  # fmt: skip
    except IntegrityError:
        raise ConflictError(
            _("Your last export is still being written: wait for it, or cancel it."), code="one_at_a_time"
        ) from None
    audit("export_asked", actor=Actor.of_staff(member, via=via), export_id=export.pk, kind=kind, period=str(period),
          cities=len(wanted))  # fmt: skip
    wake.after_commit("finance.tasks.write_exports")
    return export


@transaction.atomic
def cancel(*, export_id: int, member: StaffUser, now: datetime | None = None) -> Export:
    """The person does not want it any more; what is being written stops at its next page."""
    export = _own(member, Export.objects.select_for_update(no_key=True), export_id)
    if export.status not in ExportStatus.LIVE:
        raise ConflictError(
            _("Export #%(id)s is «%(status)s»: there is nothing to cancel.")
            % {"id": export.pk, "status": export.get_status_display()}
        )
    export.status, export.finished_at = ExportStatus.CANCELED, now or timezone.now()
    export.save(update_fields=["status", "finished_at"])
    return export


def fetch(*, export_id: int, member: StaffUser, now: datetime | None = None) -> tuple[Export, Path]:
    """The file, for who asked for it and may still see all of it, until it expires. Each download is audited."""
    now = now or timezone.now()
    _require(member)
    export = _own(member, Export.objects.all(), export_id)
    path = folder() / export.stored_as
    gone = export.expires_at is None or export.expires_at <= now or not export.stored_as or not path.is_file()
    if export.status != ExportStatus.DONE or gone:
        raise NotFoundError(_("This file is not there (any more): ask for it again."))
    if not set(export.city_ids) <= set(scope.cities(member).values_list("pk", flat=True)):
        raise ForbiddenError(_("The file holds a city that is not yours any more: ask for a new one."))
    audit("export_downloaded", actor=Actor.of_staff(member, via="web"), export_id=export.pk)
    return export, path


def file_name(export: Export) -> str:
    """`orders_20251001T120000Z.csv`: what, and when it was made, UTC."""
    made = export.finished_at or export.created_at
    return f"{_stem(export)}_{made:%Y%m%dT%H%M%SZ}.{export_files.extension(export.format, TABLES[export.kind])}"


def period_of(export: Export) -> Period:
    """Its days."""
    return Period(export.date_from, export.date_to)


def content(export: Export, *, limit: int) -> bytes:
    """The whole file, for a messenger; empty when it is gone or larger than `limit` bytes."""
    path = folder() / export.stored_as
    if export.status != ExportStatus.DONE or not export.stored_as or not 0 < export.size <= limit or not path.is_file():
        return b""
    return path.read_bytes()


def folder() -> Path:
    """Where the files lie: private, and outside of anything that is served."""
    path = Path(settings.MEDIA_ROOT) / "exports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_queued() -> int:
    """Write what waits, one after the other. Returns how many were taken."""
    taken = 0
    while export := _claim(timezone.now()):
        taken += 1
        _write(export)
    return taken


def sweep(*, now: datetime) -> None:
    """Delete files that have expired, give up exports whose process died, take files nobody knows away."""
    dead = Export.objects.filter(status=ExportStatus.RUNNING, beat_at__lt=now - SILENCE)
    for export in dead:
        _finish(export, ExportStatus.FAILED, now=now, error=INTERRUPTED)
    for export in Export.objects.filter(status=ExportStatus.DONE, expires_at__lte=now)[:500]:
        (folder() / export.stored_as).unlink(missing_ok=True)
        Export.objects.filter(pk=export.pk).update(status=ExportStatus.EXPIRED, stored_as="")
    known = set(Export.objects.filter(status__in=("DONE", "RUNNING")).values_list("stored_as", flat=True))
    for path in folder().iterdir():
        old = datetime.fromtimestamp(path.stat().st_mtime, tz=now.tzinfo) < now - timedelta(hours=1)
        if path.name.removesuffix(".part") not in known and old:
            path.unlink(missing_ok=True)


@transaction.atomic
def _claim(now: datetime) -> Export | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('exports'))")
    if Export.objects.filter(status=ExportStatus.RUNNING, beat_at__gte=now - SILENCE).exists():
        return None
    export = Export.objects.select_for_update(no_key=True).filter(status=ExportStatus.QUEUED).order_by("id").first()
    if export is None:
        return None
    export.status, export.beat_at = ExportStatus.RUNNING, now
    export.stored_as = f"{secrets.token_hex(16)}.{export_files.extension(export.format, TABLES[export.kind])}"
    export.save(update_fields=["status", "beat_at", "stored_as"])
    return export


def _write(export: Export) -> None:
    """Write the file beside its final name, then rename: a reader never sees half of one."""
    path = folder() / export.stored_as
    part = path.with_name(path.name + ".part")
    try:
        part.touch(mode=0o600)
        with _Progress(export.pk) as progress:
            rows = _read(export, part, progress)
        part.rename(path)
    except Unwanted:
        part.unlink(missing_ok=True)
        return
    except Exception:
        log.exception("export_failed", extra={"export": export.pk})
        part.unlink(missing_ok=True)
        _finish(export, ExportStatus.FAILED, now=timezone.now(), error=FAILED)
        return
    if not _finish(export, ExportStatus.DONE, now=timezone.now(), rows=rows, size=path.stat().st_size):
        path.unlink(missing_ok=True)  # cancelled in the last moment


def _read(export: Export, part: Path, progress: _Progress) -> int:
    """Fill the file; from the beginning and from the main server when the replica breaks off."""
    params = spans(period_of(export), export.city_ids)
    tables = TABLES[export.kind]
    for using in (options := replica.sources()):
        try:
            with transaction.atomic(using=using):
                with connections[using].cursor() as cursor:
                    cursor.execute(PATIENT)
                progress.total(export_files.count(tables, params, using))
                return export_files.write(
                    part, fmt=export.format, tables=tables, params=params, tell=progress.tell, using=using
                )
        except DatabaseError as error:
            if using == options[-1]:
                raise
            log.warning("replica_broke_off", extra={"export": export.pk, "error": type(error).__name__})
    raise AssertionError  # unreachable: the last one returns or raises


@transaction.atomic
def _finish(
    export: Export, status: ExportStatus, *, now: datetime, error: str = "", rows: int = 0, size: int = 0
) -> bool:
    keep = timedelta(hours=registry.get("export_keep_hours"))
    done = Export.objects.filter(pk=export.pk, status=ExportStatus.RUNNING).update(
        status=status, finished_at=now, error=error, size=size, expires_at=now + keep, beat_at=None,
        **({"rows_done": rows, "rows_total": rows} if status == ExportStatus.DONE else {}),
    )  # fmt: skip
    if done:
        event = "export_ready" if status == ExportStatus.DONE else "export_failed"
        payload = {"export_id": export.pk}
        outbox.enqueue(Message(event=event, staff_id=export.staff_id, payload=payload))
        channel = registry.get("reports_channel_id") if export.to_reports and status == ExportStatus.DONE else 0
        if channel:
            outbox.enqueue(Message(event="export_posted", chat_id=channel, payload=payload))
    return bool(done)


class _Progress:
    """Says how far it is through a connection of its own: the file's transaction shows nothing to others."""

    def __init__(self, export_id: int) -> None:
        self.export_id = export_id
        self.connection = connection.copy()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_error: object) -> None:
        self.connection.close()

    def total(self, rows: int) -> None:
        self._note("rows_total", rows)

    def tell(self, rows: int) -> None:
        """Note the rows written. Raises Unwanted when the export was cancelled meanwhile."""
        self._note("rows_done", rows)

    def _note(self, column: str, rows: int) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE exports SET {column} = %s, beat_at = now() WHERE id = %s AND status = 'RUNNING'",
                [rows, self.export_id],
            )
            if not cursor.rowcount:
                raise Unwanted


def _stem(export: Export) -> str:
    return "export" if export.kind == ExportKind.ALL else export.kind


def _require(member: StaffUser) -> None:
    if not member.is_active or not access.may(member.role, "export"):
        raise ForbiddenError(_("Your role does not allow this."))


def _own(member: StaffUser, rows: Any, export_id: int) -> Export:
    export: Export | None = rows.filter(pk=export_id, staff_id=member.pk).first()
    if export is None:
        raise NotFoundError(_("There is no export #%(id)s.") % {"id": export_id})
    return export
