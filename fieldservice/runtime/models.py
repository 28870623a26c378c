"""Settings people may change, and signs of life of the processes."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, named_fk


class Setting(models.Model):
    """A value that overrides the default; what keys exist: `fieldservice.runtime.registry`."""

    key = models.CharField(_("key"), max_length=80, primary_key=True)
    value = models.TextField(_("value"))
    value_type = models.CharField(_("type"), max_length=16, default="STR", db_default="STR")
    description = models.TextField(_("description"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True, db_default=Now())
    updated_by_staff = models.ForeignKey(
        "staff.StaffUser",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        editable=False,
        verbose_name=_("changed by"),
    )

    class Meta:
        db_table = "settings"
        verbose_name, verbose_name_plural = _("setting"), _("settings")
        constraints = [named_fk("settings", "updated_by_staff_id", "staff_users", "SET NULL")]

    def __str__(self) -> str:
        return self.key


class Heartbeat(models.Model):
    """The last sign of life of a process or a periodic job."""

    name = models.CharField(_("name"), max_length=64, primary_key=True)
    beat_at = models.DateTimeField(_("last seen"), db_default=Now())
    details = models.JSONField(_("details"), default=dict, db_default={}, blank=True)

    class Meta:
        db_table = "heartbeats"
        verbose_name, verbose_name_plural = _("heartbeat"), _("heartbeats")

    def __str__(self) -> str:
        return self.name


class BotUpdate(models.Model):
    """An update that a webhook replica took: several replicas behind one address handle each once.

    What the person wrote is not kept. Rows older than Telegram's memory (24 h) are of no use and are deleted.
    """

    pk = models.CompositePrimaryKey("bot", "update_id")
    bot = models.CharField(max_length=8)
    update_id = models.BigIntegerField()
    chat_id = models.BigIntegerField()
    #: the replica that has it
    holder = models.CharField(max_length=32)
    claimed_at = models.DateTimeField(db_default=Now())
    #: until then nobody else may take it; its holder prolongs this while it works
    leased_until = models.DateTimeField()
    handled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "bot_updates"
        indexes = [
            LongIndex(fields=["bot", "chat_id", "claimed_at"], name="ix_bot_updates__chat"),
            LongIndex(fields=["claimed_at"], name="ix_bot_updates__claimed"),
        ]
