"""One row per message to a person or a channel (spec §11)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, named_fk


class Lane(models.IntegerChoices):
    """Who goes first: an offer never waits behind a broadcast."""

    OFFER = 0, _("Offer")
    PERSONAL = 1, _("Personal")
    CHANNEL = 2, _("Channel")
    BROADCAST = 3, _("Broadcast")


class Outcome(models.TextChoices):
    """How a processed row ended; empty while it waits."""

    SENT = "SENT", _("Sent")
    SKIPPED = "SKIPPED", _("Skipped: no longer true")
    FAILED = "FAILED", _("Failed for good")


class BotName(models.TextChoices):
    MASTER = "master", _("Master bot")
    ADMIN = "admin", _("Admin bot")


class Notification(models.Model):
    """A message to send: to a master, a staff member or a channel (`chat_id`).

    A row with master, event and payload only, as v1.2 wrote it, is valid: `payload["message"]` is its text.
    """

    master = models.ForeignKey(
        "staff.Master",
        models.CASCADE,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("master"),
    )
    event = models.CharField(_("event"), max_length=64)
    payload = models.JSONField(_("payload"), default=dict, db_default={}, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    processed_at = models.DateTimeField(_("processed"), null=True, blank=True)
    attempt_count = models.IntegerField(_("attempts"), default=0, db_default=0)
    last_error = models.TextField(_("last error"), null=True, blank=True)
    # --- new columns
    bot = models.CharField(_("bot"), max_length=8, choices=BotName.choices, default="master", db_default="master")
    staff = models.ForeignKey(
        "staff.StaffUser",
        models.CASCADE,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("staff member"),
    )
    #: a channel; after sending, the chat the message went to
    chat_id = models.BigIntegerField(_("chat"), null=True, blank=True)
    #: after sending: what an edit of this message needs
    message_id = models.BigIntegerField(_("message"), null=True, blank=True)
    #: the message this one edits: rows with the same key are one message on the screen
    edits_key = models.CharField(_("edits"), max_length=80, null=True, blank=True)
    lane = models.SmallIntegerField(
        _("lane"), choices=Lane.choices, default=Lane.PERSONAL, db_default=Lane.PERSONAL.value
    )
    due_at = models.DateTimeField(_("due"), db_default=Now())
    expires_at = models.DateTimeField(_("stale after"), null=True, blank=True)
    dedup_key = models.CharField(_("dedup key"), max_length=120, null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices, null=True, blank=True)
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True)

    class Meta:
        db_table = "notifications_outbox"
        verbose_name, verbose_name_plural = _("message"), _("outbox")
        indexes = [
            LongIndex(fields=["master"], name="ix_notifications_outbox_master"),
            LongIndex(fields=["created_at"], name="ix_notifications_outbox_created"),
            LongIndex(
                fields=["bot", "lane", "due_at", "id"],
                name="ix_notifications_outbox__due",
                condition=Q(processed_at__isnull=True),
            ),
            LongIndex(
                fields=["edits_key", "id"], name="ix_notifications_outbox__edits", condition=Q(edits_key__isnull=False)
            ),
            # what was said of an order, and of its commission; offers have neither and pay nothing
            LongIndex(
                KeyTransform("order_id", "payload"),
                name="ix_notifications_outbox__order",
                condition=Q(payload__has_key="order_id"),
            ),
            LongIndex(
                KeyTransform("commission_id", "payload"),
                name="ix_notifications_outbox__commission",
                condition=Q(payload__has_key="commission_id"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dedup_key"], name="uq_notifications_outbox__dedup_key", condition=Q(dedup_key__isnull=False)
            ),
            named_fk("notifications_outbox", "master_id", "masters", "CASCADE"),
            named_fk("notifications_outbox", "staff_id", "staff_users", "CASCADE"),
        ]

    def __str__(self) -> str:
        return f"{self.event} #{self.pk}"
