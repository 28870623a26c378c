"""Who invited whom, what it earned, and how it is paid out."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, PgEnumField, named_fk
from finance.enums import PayoutStatus, RewardStatus
from finance.models.commission import Commission
from staff.models import Master, StaffUser

#: accrued and in no batch yet
TO_PAY = Q(status="ACCRUED", payout__isnull=True)


class Referral(models.Model):
    """Who invited a master; one inviter each."""

    master = models.ForeignKey(
        Master, models.CASCADE, db_index=False, db_constraint=False, related_name="+", verbose_name=_("master")
    )
    referrer = models.ForeignKey(
        Master,
        models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="referrals",
        verbose_name=_("invited by"),
    )
    created_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)

    class Meta:
        db_table = "referrals"
        verbose_name, verbose_name_plural = _("referral"), _("referrals")
        indexes = [
            LongIndex(fields=["master"], name="ix_referrals__master"),
            LongIndex(fields=["referrer"], name="ix_referrals__referrer"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["master"], name="uq_referrals__master_id"),
            named_fk("referrals", "master_id", "masters", "CASCADE"),
            named_fk("referrals", "referrer_id", "masters", "CASCADE"),
        ]

    def __str__(self) -> str:
        return f"{self.master_id} ← {self.referrer_id}"


class ReferralReward(models.Model):
    """What an inviter earned from a commission; once per commission and level."""

    referrer = models.ForeignKey(
        Master,
        models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="rewards",
        verbose_name=_("inviter"),
    )
    referred_master = models.ForeignKey(
        Master, models.CASCADE, db_index=False, db_constraint=False, related_name="+", verbose_name=_("for master")
    )
    commission = models.ForeignKey(
        Commission,
        models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="rewards",
        verbose_name=_("commission"),
    )
    level = models.SmallIntegerField(_("level"))
    percent = models.DecimalField(_("percent"), max_digits=5, decimal_places=2)
    amount = models.DecimalField(_("amount"), max_digits=10, decimal_places=2)
    status = PgEnumField(_("status"), enum_type="referral_reward_status", choices=RewardStatus.choices)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    # --- new columns
    #: the master asked for the money
    requested_at = models.DateTimeField(_("requested"), null=True, blank=True, editable=False)
    payout = models.ForeignKey(
        "Payout",
        models.RESTRICT,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="rewards",
        verbose_name=_("payout"),
    )
    cancel_reason = models.CharField(_("why canceled"), max_length=200, null=True, blank=True)

    class Meta:
        db_table = "referral_rewards"
        verbose_name, verbose_name_plural = _("reward"), _("rewards")
        indexes = [
            LongIndex(fields=["referrer", "status"], name="ix_ref_rewards__referrer_status"),
            LongIndex(fields=["referred_master"], name="ix_ref_rewards__referred"),
            LongIndex(fields=["referrer", "created_at"], name="ix_ref_rewards__referrer_created"),
            LongIndex(fields=["created_at"], name="ix_ref_rewards__created_at"),
            LongIndex(fields=["payout"], name="ix_ref_rewards__payout", condition=Q(payout__isnull=False)),
            LongIndex(fields=["referrer"], name="ix_ref_rewards__to_pay", condition=TO_PAY),
        ]
        constraints = [
            models.UniqueConstraint(fields=["commission", "level"], name="uq_referral_rewards__commission_level"),
            named_fk("referral_rewards", "referrer_id", "masters", "CASCADE"),
            named_fk("referral_rewards", "referred_master_id", "masters", "CASCADE"),
            named_fk("referral_rewards", "commission_id", "commissions", "CASCADE"),
            named_fk("referral_rewards", "payout_id", "referral_payouts", "RESTRICT"),
        ]

    def __str__(self) -> str:
        return f"{self.referrer_id}: {self.amount}"


class Payout(models.Model):
    """A batch of rewards handed to the bank together. OPEN until staff say that the money has gone."""

    status = models.CharField(
        _("status"), max_length=8, choices=PayoutStatus.choices, default=PayoutStatus.OPEN, db_default="OPEN"
    )
    total = models.DecimalField(_("sum"), max_digits=12, decimal_places=2)
    masters_count = models.IntegerField(_("masters"))
    created_by_staff = models.ForeignKey(
        StaffUser,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    closed_by_staff = models.ForeignKey(
        StaffUser,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("closed by"),
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)
    reason = models.CharField(_("why canceled"), max_length=200, null=True, blank=True)

    class Meta:
        db_table = "referral_payouts"
        verbose_name, verbose_name_plural = _("payout"), _("payouts")
        constraints = [
            named_fk("referral_payouts", "created_by_staff_id", "staff_users", "SET NULL"),
            named_fk("referral_payouts", "closed_by_staff_id", "staff_users", "SET NULL"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
