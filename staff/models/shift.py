"""When masters were on shift, on a break, off."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, PgEnumField, named_fk
from staff.enums import ShiftStatus
from staff.models.master import Master


class ShiftChange(models.Model):
    """A change of `Master.shift_status`, written by a trigger whoever makes it; kept for 90 days."""

    id = models.BigAutoField(primary_key=True)
    master = models.ForeignKey(Master, models.CASCADE, db_index=False, db_constraint=False, related_name="+")
    status = PgEnumField(_("shift"), enum_type="shift_status", choices=ShiftStatus.choices)
    at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        db_table = "master_shift_changes"
        verbose_name, verbose_name_plural = _("change of shift"), _("changes of shifts")
        indexes = [
            LongIndex(fields=["master", "at"], name="ix_master_shift_changes__master_at"),
            LongIndex(fields=["at"], name="ix_master_shift_changes__at"),
        ]
        constraints = [named_fk("master_shift_changes", "master_id", "masters", "CASCADE")]

    def __str__(self) -> str:
        return f"{self.master_id}: {self.status}"
