"""A file somebody asked for."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, named_fk
from finance.enums import ExportFormat, ExportKind, ExportStatus
from staff.models import StaffUser


class Export(models.Model):
    """Rows of a period as a file, made in the background; the file is deleted when it expires."""

    id = models.BigAutoField(primary_key=True)
    staff = models.ForeignKey(
        StaffUser, models.CASCADE, db_index=False, db_constraint=False, related_name="+", verbose_name=_("for")
    )
    kind = models.CharField(_("what"), max_length=16, choices=ExportKind.choices)
    format = models.CharField(_("format"), max_length=8, choices=ExportFormat.choices)
    #: local days of each row's city, both included
    date_from = models.DateField(_("from"))
    date_to = models.DateField(_("to"))
    #: frozen when it was asked for; the download checks that they are still the person's
    city_ids = ArrayField(models.IntegerField(), verbose_name=_("cities"))
    status = models.CharField(
        _("status"), max_length=8, choices=ExportStatus.choices, default=ExportStatus.QUEUED, db_default="QUEUED"
    )
    rows_total = models.IntegerField(_("rows in all"), default=0, db_default=0)
    rows_done = models.IntegerField(_("rows written"), default=0, db_default=0)
    #: the file's name in the private folder; unguessable, and never shown
    stored_as = models.CharField(max_length=80, blank=True, default="", db_default="", editable=False)
    size = models.BigIntegerField(_("bytes"), default=0, db_default=0)
    error = models.CharField(_("error"), max_length=200, blank=True, default="", db_default="")
    to_reports = models.BooleanField(_("also to the REPORTS channel"), default=False, db_default=False)
    via = models.CharField(max_length=8, default="web", db_default="web", editable=False)
    created_at = models.DateTimeField(_("asked for"), db_default=Now(), editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(_("kept until"), null=True, blank=True, editable=False)
    #: the last sign of life of the process that writes it
    beat_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "exports"
        verbose_name, verbose_name_plural = _("export"), _("exports")
        indexes = [
            LongIndex(fields=["staff", "-id"], name="ix_exports__staff"),
            LongIndex(fields=["expires_at"], name="ix_exports__expires", condition=Q(status="DONE")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["staff"], name="uq_exports__one_per_person", condition=Q(status__in=("QUEUED", "RUNNING"))
            ),
            named_fk("exports", "staff_id", "staff_users", "CASCADE"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
