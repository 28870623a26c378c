"""Files that people sent: acts, receipts, documents."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, PgEnumField, named_fk
from orders.enums import AttachmentEntity, FileType
from staff.models import Master, StaffUser


class Attachment(models.Model):
    """A Telegram file; `file_id` is good for the bot that received it (`bot`) only."""

    entity_type = PgEnumField(_("belongs to"), enum_type="attachment_entity", choices=AttachmentEntity.choices)
    entity_id = models.BigIntegerField(_("number"))
    file_type = PgEnumField(_("kind"), enum_type="attachment_file_type", choices=FileType.choices)
    file_id = models.CharField(max_length=256)
    file_unique_id = models.CharField(max_length=256, null=True, blank=True)
    file_name = models.CharField(_("file name"), max_length=256, null=True, blank=True)
    mime_type = models.CharField(max_length=128, null=True, blank=True)
    size = models.IntegerField(_("bytes"), null=True, blank=True)
    caption = models.TextField(_("caption"), null=True, blank=True)
    uploaded_by_master = models.ForeignKey(
        Master,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("from master"),
    )
    uploaded_by_staff = models.ForeignKey(
        StaffUser,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("from staff"),
    )
    created_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)
    document_type = models.CharField(_("document"), max_length=32, null=True, blank=True)
    # new: which bot's token the file id belongs to
    bot = models.CharField(max_length=8, default="master", db_default="master", editable=False)

    class Meta:
        db_table = "attachments"
        verbose_name, verbose_name_plural = _("attachment"), _("attachments")
        indexes = [LongIndex(fields=["entity_type", "entity_id"], name="ix_attachments__etype_eid")]
        constraints = [
            named_fk("attachments", "uploaded_by_master_id", "masters", "SET NULL"),
            named_fk("attachments", "uploaded_by_staff_id", "staff_users", "SET NULL"),
        ]

    def __str__(self) -> str:
        return f"{self.get_entity_type_display()} #{self.entity_id}: {self.get_file_type_display()}"
