"""Where commissions are paid to."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import named_fk
from staff.models import StaffUser


class OwnerRequisites(models.Model):
    """One version of where commissions are paid to. Never changed: a new version is a new row."""

    methods = models.JSONField(_("methods"), default=list, db_default=[])
    card_number = models.CharField(_("card number"), max_length=19, blank=True, default="", db_default="")
    card_holder = models.CharField(_("card holder"), max_length=120, blank=True, default="", db_default="")
    card_bank = models.CharField(_("card's bank"), max_length=80, blank=True, default="", db_default="")
    sbp_phone = models.CharField(_("SBP phone"), max_length=16, blank=True, default="", db_default="")
    sbp_bank = models.CharField(_("SBP bank"), max_length=80, blank=True, default="", db_default="")
    sbp_qr = models.BinaryField(_("QR image"), null=True, blank=True)
    other_text = models.TextField(_("other"), blank=True, default="", db_default="")
    comment_template = models.CharField(_("payment comment"), max_length=200, blank=True, default="", db_default="")
    created_by_staff = models.ForeignKey(
        StaffUser,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("changed by"),
    )
    created_at = models.DateTimeField(_("since"), db_default=Now(), editable=False)

    class Meta:
        db_table = "owner_requisites"
        verbose_name, verbose_name_plural = _("requisites"), _("requisites")
        constraints = [named_fk("owner_requisites", "created_by_staff_id", "staff_users", "SET NULL")]

    def __str__(self) -> str:
        return f"v{self.pk}"
