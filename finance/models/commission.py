"""What a master owes for a closed order."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, PgEnumField, named_fk
from finance.enums import CommissionStatus
from finance.models.requisites import OwnerRequisites
from orders.models import Order
from staff.models import Master, StaffUser

#: a payment somebody has to look for: reported in time, or after the deadline, which leaves it OVERDUE (spec §8); a
#: rejection takes the report away. The same in SQL, and for a row: `Commission.waits_for_check`
TO_CHECK = Q(status=CommissionStatus.REPORTED) | Q(status=CommissionStatus.OVERDUE, paid_reported_at__isnull=False)
TO_CHECK_SQL = "(status = 'REPORTED' OR status = 'OVERDUE' AND paid_reported_at IS NOT NULL)"


class Commission(models.Model):
    """What a master owes for a closed order. `finance.services.commissions` is the only writer of `status`."""

    order = models.ForeignKey(Order, models.CASCADE, db_index=False, db_constraint=False, verbose_name=_("order"))
    master = models.ForeignKey(
        Master,
        models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="commissions",
        verbose_name=_("master"),
    )
    amount = models.DecimalField(_("to be paid"), max_digits=10, decimal_places=2)
    percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True, editable=False)  # before v1.2
    status = PgEnumField(_("status"), enum_type="commission_status", choices=CommissionStatus.choices)
    deadline_at = models.DateTimeField(_("deadline"))
    paid_at = models.DateTimeField(null=True, blank=True, editable=False)  # before v1.2
    blocked_applied = models.BooleanField(_("master blocked"), default=False, db_default=False)
    blocked_at = models.DateTimeField(_("blocked at"), null=True, blank=True)
    payment_reference = models.CharField(_("remark"), max_length=120, null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True, db_default=Now())
    rate = models.DecimalField(_("rate"), max_digits=5, decimal_places=2, null=True, blank=True)
    paid_reported_at = models.DateTimeField(_("payment reported"), null=True, blank=True)
    paid_approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    paid_amount = models.DecimalField(_("paid"), max_digits=10, decimal_places=2, null=True, blank=True)
    is_paid = models.BooleanField(_("is paid"), default=False, db_default=False)
    has_checks = models.BooleanField(_("has receipts"), default=False, db_default=False)
    pay_to_snapshot = models.JSONField(_("requisites"), null=True, blank=True)
    # --- new columns
    requisites = models.ForeignKey(
        OwnerRequisites,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("requisites version"),
    )
    approved_by_staff = models.ForeignKey(
        StaffUser,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("approved by"),
    )
    amount_reason = models.CharField(_("why another amount"), max_length=200, null=True, blank=True)
    #: of the last rejection, in full (`payment_reference` of v1.2 holds 120 characters)
    reject_reason = models.CharField(_("why rejected"), max_length=200, null=True, blank=True)
    #: the last reminder of the deadline; the rejection, which names the new one, counts as one
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True, editable=False)
    #: admins were told that the report waits
    report_alerted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "commissions"
        verbose_name, verbose_name_plural = _("commission"), _("commissions")
        indexes = [
            LongIndex(fields=["is_paid", "deadline_at"], name="ix_commissions__ispaid_deadline"),
            LongIndex(fields=["status", "deadline_at"], name="ix_commissions__status_deadline"),
            LongIndex(fields=["master", "status"], name="ix_commissions__master_status"),
            LongIndex(fields=["-created_at"], name="ix_commissions__created_at"),
            LongIndex(
                fields=["-paid_approved_at", "-id"], name="ix_commissions__approved", condition=Q(status="APPROVED")
            ),
            LongIndex(
                fields=["paid_reported_at"],
                name="ix_commissions__report_waits",
                condition=Q(is_paid=False, paid_reported_at__isnull=False, report_alerted_at__isnull=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["order"], name="uq_commissions__order_id"),
            named_fk("commissions", "order_id", "orders", "CASCADE"),
            named_fk("commissions", "master_id", "masters", "CASCADE"),
            named_fk("commissions", "requisites_id", "owner_requisites", "RESTRICT"),
            named_fk("commissions", "approved_by_staff_id", "staff_users", "SET NULL"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def waits_for_check(self) -> bool:
        """`TO_CHECK` of this row."""
        late = self.status == CommissionStatus.OVERDUE and self.paid_reported_at is not None
        return late or self.status == CommissionStatus.REPORTED

    @property
    def state(self) -> str:
        """The status in words; an overdue one says whether a payment is reported."""
        if self.status == CommissionStatus.OVERDUE and self.waits_for_check:
            return gettext("Overdue, payment reported")
        return self.get_status_display()


class CommissionDeadlineNotification(models.Model):
    """A reminder of v1.2 (hours before the deadline), kept for imports."""

    commission = models.ForeignKey(Commission, models.CASCADE, db_index=False, db_constraint=False)
    hours_before = models.SmallIntegerField()
    sent_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "commission_deadline_notifications"
        verbose_name, verbose_name_plural = _("deadline reminder"), _("deadline reminders")
        indexes = [LongIndex(fields=["commission"], name="ix_commission_deadline_notifications__commission")]
        constraints = [
            models.UniqueConstraint(
                fields=["commission", "hours_before"], name="uq_commission_deadline_notifications__commission_hours"
            ),
            models.CheckConstraint(
                name="commission_deadline_notifications_hours_before_check", condition=Q(hours_before__in=(1, 6, 24))
            ),
            named_fk(
                "commission_deadline_notifications",
                "commission_id",
                "commissions",
                "CASCADE",
                name="fk_commission_deadline_notifications__commission_id__co_998c",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.commission_id}: {self.hours_before}"
