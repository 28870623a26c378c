"""Who did what to whom."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, named_fk
from staff import words
from staff.models.master import Master
from staff.models.member import StaffUser


class AuditLog(models.Model):
    """One action of a staff member. Append-only."""

    admin = models.ForeignKey(
        StaffUser, models.SET_NULL, null=True, blank=True, db_index=False, db_constraint=False, verbose_name=_("who")
    )
    master = models.ForeignKey(
        Master, models.SET_NULL, null=True, blank=True, db_index=False, db_constraint=False, verbose_name=_("master")
    )
    action = models.CharField(_("action"), max_length=64)
    payload_json = models.JSONField(_("details"), default=dict, db_default={}, blank=True)
    created_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)

    class Meta:
        db_table = "admin_audit_log"
        verbose_name, verbose_name_plural = _("audit record"), _("audit log")
        indexes = [
            LongIndex(fields=["admin"], name="ix_admin_audit_log_admin_id"),
            LongIndex(fields=["master"], name="ix_admin_audit_log_master_id"),
            LongIndex(fields=["created_at"], name="ix_admin_audit_log_created_at"),
        ]
        constraints = [
            named_fk("admin_audit_log", "admin_id", "staff_users", "SET NULL"),
            named_fk("admin_audit_log", "master_id", "masters", "SET NULL"),
        ]

    def __str__(self) -> str:
        return words.action(self.action)
