"""Commissions, requisites, referrals and rewards."""

from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

from fieldservice.lib.pg import CreateEnum, ForeignKeyConstraint, LongIndex, NamePrimaryKey, PgEnumField


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("orders", "__first__"),
        ("staff", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateEnum("commission_status", ["WAIT_PAY", "REPORTED", "APPROVED", "OVERDUE"]),
        CreateEnum("referral_reward_status", ["ACCRUED", "PAID", "CANCELED"]),
        migrations.CreateModel(
            name="OwnerRequisites",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("methods", models.JSONField(db_default=[], default=list, verbose_name="methods")),
                (
                    "card_number",
                    models.CharField(blank=True, db_default="", default="", max_length=19, verbose_name="card number"),
                ),
                (
                    "card_holder",
                    models.CharField(blank=True, db_default="", default="", max_length=120, verbose_name="card holder"),
                ),
                (
                    "card_bank",
                    models.CharField(blank=True, db_default="", default="", max_length=80, verbose_name="card's bank"),
                ),
                (
                    "sbp_phone",
                    models.CharField(blank=True, db_default="", default="", max_length=16, verbose_name="SBP phone"),
                ),
                (
                    "sbp_bank",
                    models.CharField(blank=True, db_default="", default="", max_length=80, verbose_name="SBP bank"),
                ),
                ("sbp_qr", models.BinaryField(blank=True, null=True, verbose_name="QR image")),
                ("other_text", models.TextField(blank=True, db_default="", default="", verbose_name="other")),
                (
                    "comment_template",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=200, verbose_name="payment comment"
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="since")),
                (
                    "created_by_staff",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="changed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "requisites",
                "verbose_name_plural": "requisites",
                "db_table": "owner_requisites",
                "constraints": [
                    ForeignKeyConstraint(
                        field="created_by_staff",
                        name="fk_owner_requisites__created_by_staff_id__staff_users",
                        on_delete="SET NULL",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Commission",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.DecimalField(decimal_places=2, max_digits=10, verbose_name="to be paid")),
                ("percent", models.DecimalField(blank=True, decimal_places=2, editable=False, max_digits=5, null=True)),
                (
                    "status",
                    PgEnumField(
                        choices=[
                            ("WAIT_PAY", "Awaiting payment"),
                            ("REPORTED", "Payment reported"),
                            ("APPROVED", "Approved"),
                            ("OVERDUE", "Overdue"),
                        ],
                        enum_type="commission_status",
                        verbose_name="status",
                    ),
                ),
                ("deadline_at", models.DateTimeField(verbose_name="deadline")),
                ("paid_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "blocked_applied",
                    models.BooleanField(db_default=False, default=False, verbose_name="master blocked"),
                ),
                ("blocked_at", models.DateTimeField(blank=True, null=True, verbose_name="blocked at")),
                ("payment_reference", models.CharField(blank=True, max_length=120, null=True, verbose_name="remark")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, db_default=Now(), verbose_name="changed")),
                (
                    "rate",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True, verbose_name="rate"),
                ),
                ("paid_reported_at", models.DateTimeField(blank=True, null=True, verbose_name="payment reported")),
                ("paid_approved_at", models.DateTimeField(blank=True, null=True, verbose_name="approved")),
                (
                    "paid_amount",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=10, null=True, verbose_name="paid"),
                ),
                ("is_paid", models.BooleanField(db_default=False, default=False, verbose_name="is paid")),
                ("has_checks", models.BooleanField(db_default=False, default=False, verbose_name="has receipts")),
                ("pay_to_snapshot", models.JSONField(blank=True, null=True, verbose_name="requisites")),
                (
                    "amount_reason",
                    models.CharField(blank=True, max_length=200, null=True, verbose_name="why another amount"),
                ),
                (
                    "approved_by_staff",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="approved by",
                    ),
                ),
                (
                    "master",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="commissions",
                        to="staff.master",
                        verbose_name="master",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.CASCADE,
                        to="orders.order",
                        verbose_name="order",
                    ),
                ),
                (
                    "requisites",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="+",
                        to="finance.ownerrequisites",
                        verbose_name="requisites version",
                    ),
                ),
            ],
            options={
                "verbose_name": "commission",
                "verbose_name_plural": "commissions",
                "db_table": "commissions",
                "indexes": [
                    LongIndex(fields=["is_paid", "deadline_at"], name="ix_commissions__ispaid_deadline"),
                    LongIndex(fields=["status", "deadline_at"], name="ix_commissions__status_deadline"),
                    LongIndex(fields=["master", "status"], name="ix_commissions__master_status"),
                    LongIndex(fields=["-created_at"], name="ix_commissions__created_at"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("order",), name="uq_commissions__order_id"),
                    ForeignKeyConstraint(field="order", name="fk_commissions__order_id__orders", on_delete="CASCADE"),
                    ForeignKeyConstraint(
                        field="master", name="fk_commissions__master_id__masters", on_delete="CASCADE"
                    ),
                    ForeignKeyConstraint(
                        field="requisites", name="fk_commissions__requisites_id__owner_requisites", on_delete="RESTRICT"
                    ),
                    ForeignKeyConstraint(
                        field="approved_by_staff",
                        name="fk_commissions__approved_by_staff_id__staff_users",
                        on_delete="SET NULL",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="when")),
                (
                    "master",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="+",
                        to="staff.master",
                        verbose_name="master",
                    ),
                ),
                (
                    "referrer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="referrals",
                        to="staff.master",
                        verbose_name="invited by",
                    ),
                ),
            ],
            options={
                "verbose_name": "referral",
                "verbose_name_plural": "referrals",
                "db_table": "referrals",
                "indexes": [
                    LongIndex(fields=["master"], name="ix_referrals__master"),
                    LongIndex(fields=["referrer"], name="ix_referrals__referrer"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("master",), name="uq_referrals__master_id"),
                    ForeignKeyConstraint(field="master", name="fk_referrals__master_id__masters", on_delete="CASCADE"),
                    ForeignKeyConstraint(
                        field="referrer", name="fk_referrals__referrer_id__masters", on_delete="CASCADE"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReferralReward",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("level", models.SmallIntegerField(verbose_name="level")),
                ("percent", models.DecimalField(decimal_places=2, max_digits=5, verbose_name="percent")),
                ("amount", models.DecimalField(decimal_places=2, max_digits=10, verbose_name="amount")),
                (
                    "status",
                    PgEnumField(
                        choices=[("ACCRUED", "Accrued"), ("PAID", "Paid"), ("CANCELED", "Canceled")],
                        enum_type="referral_reward_status",
                        verbose_name="status",
                    ),
                ),
                ("paid_at", models.DateTimeField(blank=True, null=True, verbose_name="paid")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
                (
                    "commission",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="rewards",
                        to="finance.commission",
                        verbose_name="commission",
                    ),
                ),
                (
                    "referred_master",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="+",
                        to="staff.master",
                        verbose_name="for master",
                    ),
                ),
                (
                    "referrer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="rewards",
                        to="staff.master",
                        verbose_name="inviter",
                    ),
                ),
            ],
            options={
                "verbose_name": "reward",
                "verbose_name_plural": "rewards",
                "db_table": "referral_rewards",
                "indexes": [
                    LongIndex(fields=["referrer", "status"], name="ix_ref_rewards__referrer_status"),
                    LongIndex(fields=["referred_master"], name="ix_ref_rewards__referred"),
                    LongIndex(fields=["referrer", "created_at"], name="ix_ref_rewards__referrer_created"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("commission", "level"), name="uq_referral_rewards__commission_level"
                    ),
                    ForeignKeyConstraint(
                        field="referrer", name="fk_referral_rewards__referrer_id__masters", on_delete="CASCADE"
                    ),
                    ForeignKeyConstraint(
                        field="referred_master",
                        name="fk_referral_rewards__referred_master_id__masters",
                        on_delete="CASCADE",
                    ),
                    ForeignKeyConstraint(
                        field="commission", name="fk_referral_rewards__commission_id__commissions", on_delete="CASCADE"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CommissionDeadlineNotification",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hours_before", models.SmallIntegerField()),
                ("sent_at", models.DateTimeField(db_default=Now())),
                (
                    "commission",
                    models.ForeignKey(
                        db_constraint=False, db_index=False, on_delete=models.CASCADE, to="finance.commission"
                    ),
                ),
            ],
            options={
                "verbose_name": "deadline reminder",
                "verbose_name_plural": "deadline reminders",
                "db_table": "commission_deadline_notifications",
                "indexes": [LongIndex(fields=["commission"], name="ix_commission_deadline_notifications__commission")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("commission", "hours_before"),
                        name="uq_commission_deadline_notifications__commission_hours",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("hours_before__in", (1, 6, 24))),
                        name="commission_deadline_notifications_hours_before_check",
                    ),
                    ForeignKeyConstraint(
                        field="commission",
                        name="fk_commission_deadline_notifications__commission_id__co_998c",
                        on_delete="CASCADE",
                    ),
                ],
            },
        ),
        *[
            NamePrimaryKey(table)
            for table in (
                "owner_requisites",
                "commissions",
                "referrals",
                "referral_rewards",
                "commission_deadline_notifications",
            )
        ],
    ]
