"""What dispatch decided and how it went: the decision log and the assignment metrics."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, named_fk
from orders import words
from orders.models.order import Order
from staff.models import Master


class DispatchBatch(models.Model):
    """One batch of the engine: its decisions, and who was left out of them. Deleted when it is too old."""

    id = models.BigAutoField(primary_key=True)
    decided_at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        db_table = "dispatch_batches"
        verbose_name, verbose_name_plural = _("dispatch batch"), _("dispatch batches")
        indexes = [LongIndex(fields=["decided_at"], name="ix_dispatch_batches__decided_at")]

    def __str__(self) -> str:
        return f"{self.pk}"


class DispatchTrace(models.Model):
    """Masters of a city left out for one reason, for all orders of a batch that it concerns.

    `key`: the category for reason `skill`, the district for `district`, else empty. `masters`: a bit for each of the
    city's masters. Their ids stand in the row with reason `masters`, the ranking values of those who came out on top in
    the row `ranked` (`orders.dispatch.trace`). Written once per batch, not per order: the reasons are the same for all.
    """

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(DispatchBatch, models.CASCADE, db_index=False, db_constraint=False, related_name="traces")
    city = models.ForeignKey("geo.City", models.CASCADE, db_index=False, db_constraint=False, related_name="+")
    reason = models.CharField(max_length=16)
    key = models.CharField(max_length=32, default="", db_default="")
    masters = models.BinaryField()

    class Meta:
        db_table = "dispatch_traces"
        verbose_name, verbose_name_plural = _("dispatch trace"), _("dispatch traces")
        indexes = [LongIndex(fields=["batch", "city"], name="ix_dispatch_traces__batch_city")]

    def __str__(self) -> str:
        return f"{self.batch_id}: {self.reason} {self.key}"


class DispatchDecision(models.Model):
    """One decision about one order: what was done, and the best candidates.

    Written a thousand at a time and pruned by age: its orders and masters are no constraints of the database.
    """

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(
        Order, models.CASCADE, db_index=False, db_constraint=False, related_name="decisions", verbose_name=_("order")
    )
    batch = models.ForeignKey(
        DispatchBatch,
        models.CASCADE,
        null=True,
        db_index=False,
        db_constraint=False,
        related_name="decisions",
        editable=False,
    )
    decided_at = models.DateTimeField(_("when"), db_default=Now())
    search_number = models.IntegerField(_("search"))
    round_number = models.SmallIntegerField(_("round"))
    outcome = models.CharField(_("outcome"), max_length=32)
    master = models.ForeignKey(
        Master,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("master"),
    )
    candidates_count = models.SmallIntegerField(_("candidates"), default=0, db_default=0)
    #: {"top": [master_id, …], "citywide": …, "asked": […], "limit": […], …}
    details = models.JSONField(_("details"), default=dict, db_default={}, blank=True)

    class Meta:
        db_table = "dispatch_decisions"
        verbose_name, verbose_name_plural = _("dispatch decision"), _("decision log")
        indexes = [
            LongIndex(fields=["order", "decided_at"], name="ix_dispatch_decisions__order_decided_at"),
            LongIndex(fields=["batch"], name="ix_dispatch_decisions__batch"),
        ]

    @cached_property
    def traces(self) -> dict[tuple[str, str], bytes]:
        """What its batch kept about its city: (reason, key) → bytes."""
        rows = DispatchTrace.objects.filter(batch_id=self.batch_id, city_id=self.details.get("city"))
        return {(reason, key): bytes(masters) for reason, key, masters in rows.values_list("reason", "key", "masters")}

    def __str__(self) -> str:
        return f"#{self.order_id}: {words.outcome(self.outcome)}"


class DistributionMetric(models.Model):
    """One row per assignment, for the reports."""

    order = models.ForeignKey(Order, models.CASCADE, db_index=False, db_constraint=False, verbose_name=_("order"))
    master = models.ForeignKey(
        Master, models.SET_NULL, null=True, blank=True, db_index=False, db_constraint=False, verbose_name=_("master")
    )
    assigned_at = models.DateTimeField(_("assigned"), db_default=Now())
    round_number = models.SmallIntegerField(_("round"))
    candidates_count = models.SmallIntegerField(_("candidates"))
    time_to_assign_seconds = models.IntegerField(_("seconds to assignment"), null=True, blank=True)
    preferred_master_used = models.BooleanField(_("preferred master"), default=False, db_default=False)
    was_escalated_to_logist = models.BooleanField(_("escalated to a logist"), default=False, db_default=False)
    was_escalated_to_admin = models.BooleanField(_("escalated to an admin"), default=False, db_default=False)
    city = models.ForeignKey("geo.City", models.CASCADE, db_index=False, db_constraint=False, verbose_name=_("city"))
    district = models.ForeignKey(
        "geo.District",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        verbose_name=_("district"),
    )
    category = models.CharField(_("category"), max_length=32, null=True, blank=True)
    order_type = models.CharField(_("type"), max_length=32, null=True, blank=True)
    metadata_json = models.JSONField(_("details"), default=dict, db_default={}, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        db_table = "distribution_metrics"
        verbose_name, verbose_name_plural = _("assignment"), _("assignments")
        indexes = [
            LongIndex(fields=["order"], name="ix_distribution_metrics__order_id"),
            LongIndex(fields=["master"], name="ix_distribution_metrics__master_id"),
            LongIndex(fields=["city"], name="ix_distribution_metrics__city_id"),
            LongIndex(fields=["district"], name="ix_distribution_metrics__district_id"),
            LongIndex(fields=["-assigned_at"], name="ix_distribution_metrics__assigned_at_desc"),
            LongIndex(fields=["city", "assigned_at"], name="ix_distribution_metrics__city_assigned"),
            LongIndex(fields=["round_number", "time_to_assign_seconds"], name="ix_distribution_metrics__performance"),
        ]
        constraints = [
            named_fk("distribution_metrics", "order_id", "orders", "CASCADE"),
            named_fk("distribution_metrics", "master_id", "masters", "SET NULL"),
            named_fk("distribution_metrics", "city_id", "cities", "CASCADE"),
            named_fk("distribution_metrics", "district_id", "districts", "SET NULL"),
        ]

    def __str__(self) -> str:
        return f"#{self.order_id} → {self.master_id}"
