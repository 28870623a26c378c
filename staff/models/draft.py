"""Applications that are being filled in."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, named_fk
from staff.models.codes import MasterInviteCode


class MasterDraft(models.Model):
    """The answers of somebody who applies, by field; gone when the application is sent, or after 30 idle days."""

    tg_user_id = models.BigIntegerField(_("Telegram id"))
    invite = models.ForeignKey(
        MasterInviteCode,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("invite code"),
    )
    data = models.JSONField(default=dict, db_default={})
    #: the field that is being changed from the summary; empty while they are asked in turn
    editing = models.CharField(max_length=16, blank=True, default="", db_default="")
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True, db_default=Now())

    class Meta:
        db_table = "master_drafts"
        verbose_name, verbose_name_plural = _("unfinished application"), _("unfinished applications")
        indexes = [LongIndex(fields=["updated_at"], name="ix_master_drafts__updated_at")]
        constraints = [
            models.UniqueConstraint(fields=["tg_user_id"], name="uq_master_drafts__tg_user_id"),
            named_fk("master_drafts", "invite_id", "master_invite_codes", "SET NULL"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
