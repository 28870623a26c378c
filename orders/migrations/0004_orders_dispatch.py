"""What dispatch needs beyond v1.2: its own columns, the decision log, indexes for its queries."""

from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

from fieldservice.lib.pg import ForeignKeyConstraint, LongIndex, NamePrimaryKey
from orders.migrations import _backfill


class Migration(migrations.Migration):
    dependencies = [
        ("geo", "0001_initial"),
        ("orders", "0003_orders_drop_legacy_fields"),
        ("staff", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="attachment",
            name="bot",
            field=models.CharField(db_default="master", default="master", editable=False, max_length=8),
        ),
        migrations.AddField(
            model_name="offer",
            name="close_reason",
            field=models.CharField(blank=True, editable=False, max_length=32, null=True, verbose_name="why it ended"),
        ),
        migrations.AddField(
            model_name="offer",
            name="delivered_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="delivered"),
        ),
        migrations.AddField(
            model_name="offer",
            name="is_manual",
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name="by hand"),
        ),
        migrations.AddField(
            model_name="offer",
            name="search_number",
            field=models.IntegerField(db_default=1, default=1, editable=False, verbose_name="search"),
        ),
        migrations.AddField(
            model_name="offer",
            name="sla_seconds",
            field=models.IntegerField(db_default=120, default=120, editable=False, verbose_name="seconds to answer"),
        ),
        migrations.AddField(
            model_name="offer",
            name="staff_confirmed",
            field=models.BooleanField(
                db_default=False, default=False, editable=False, verbose_name="confirmed by staff"
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="closed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="closed"),
        ),
        migrations.AddField(
            model_name="order",
            name="dispatch_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="next look"),
        ),
        migrations.AddField(
            model_name="order",
            name="dispatch_error",
            field=models.TextField(blank=True, editable=False, null=True, verbose_name="dispatch error"),
        ),
        migrations.AddField(
            model_name="order",
            name="dispatch_round",
            field=models.SmallIntegerField(db_default=0, default=0, editable=False, verbose_name="round"),
        ),
        migrations.AddField(
            model_name="order",
            name="escalation_admin_notified_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="admin told"),
        ),
        migrations.AddField(
            model_name="order",
            name="escalation_logist_notified_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="logist told"),
        ),
        migrations.AddField(
            model_name="order",
            name="escalation_reason",
            field=models.CharField(
                blank=True, editable=False, max_length=32, null=True, verbose_name="reason of the escalation"
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="external_key",
            field=models.CharField(blank=True, editable=False, max_length=80, null=True, verbose_name="external key"),
        ),
        migrations.AddField(
            model_name="order",
            name="geocode_confidence",
            field=models.IntegerField(blank=True, null=True, verbose_name="confidence of the geocoder"),
        ),
        migrations.AddField(
            model_name="order",
            name="geocode_provider",
            field=models.CharField(blank=True, max_length=32, null=True, verbose_name="geocoder"),
        ),
        migrations.AddField(
            model_name="order",
            name="rounds_limit",
            field=models.SmallIntegerField(blank=True, editable=False, null=True, verbose_name="rounds allowed"),
        ),
        migrations.AddField(
            model_name="order",
            name="search_number",
            field=models.IntegerField(db_default=1, default=1, editable=False, verbose_name="search"),
        ),
        migrations.AddField(
            model_name="order",
            name="search_started_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="search began"),
        ),
        # rows that wait for nothing keep dispatch_at NULL; only new ones get the default
        migrations.RunPython(_backfill.fill_dispatch, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="order",
            name="dispatch_at",
            field=models.DateTimeField(
                blank=True, db_default=Now(), editable=False, null=True, verbose_name="next look"
            ),
        ),
        migrations.AddIndex(
            model_name="offer",
            index=LongIndex(
                condition=models.Q(("state__in", ("SENT", "VIEWED"))), fields=["master"], name="ix_offers__live"
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=LongIndex(fields=["type"], name="ix_orders__type"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=LongIndex(
                condition=models.Q(
                    ("assigned_master__isnull", True),
                    ("status__in", ("SEARCHING", "GUARANTEE")),
                    ("dispatch_at__isnull", False),
                ),
                fields=["dispatch_at"],
                name="ix_orders__due",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=LongIndex(
                condition=models.Q(("dispatch_at__isnull", False), ("status__in", ("CREATED", "DEFERRED"))),
                fields=["dispatch_at"],
                name="ix_orders__wake",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=LongIndex(
                condition=models.Q(
                    ("assigned_master__isnull", True),
                    ("status__in", ("SEARCHING", "GUARANTEE")),
                    ("dist_escalated_admin_at__isnull", True),
                    ("dist_escalated_logist_at__isnull", False),
                ),
                fields=["dist_escalated_logist_at"],
                name="ix_orders__escalation_admin_due",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=LongIndex(
                condition=models.Q(("status__in", ("ASSIGNED", "EN_ROUTE", "WORKING", "PAYMENT"))),
                fields=["assigned_master"],
                name="ix_orders__active_load",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=LongIndex(
                condition=models.Q(("status__in", ("PAYMENT", "CLOSED")), ("type", "NORMAL")),
                fields=["created_at"],
                include=("assigned_master", "total_sum"),
                name="ix_orders__average_check",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_key__isnull", False)),
                fields=("external_key",),
                name="uq_orders__external_key",
            ),
        ),
        migrations.CreateModel(
            name="DispatchDecision",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("decided_at", models.DateTimeField(db_default=Now(), verbose_name="when")),
                ("search_number", models.IntegerField(verbose_name="search")),
                ("round_number", models.SmallIntegerField(verbose_name="round")),
                ("outcome", models.CharField(max_length=32, verbose_name="outcome")),
                ("candidates_count", models.SmallIntegerField(default=0, verbose_name="candidates")),
                ("details", models.JSONField(blank=True, db_default={}, default=dict, verbose_name="details")),
                (
                    "order",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="decisions",
                        to="orders.order",
                        verbose_name="order",
                    ),
                ),
                (
                    "master",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to="staff.master",
                        verbose_name="master",
                    ),
                ),
            ],
            options={
                "verbose_name": "dispatch decision",
                "verbose_name_plural": "decision log",
                "db_table": "dispatch_decisions",
                "indexes": [
                    LongIndex(fields=["order", "decided_at"], name="ix_dispatch_decisions__order_decided_at"),
                    LongIndex(fields=["decided_at"], name="ix_dispatch_decisions__decided_at"),
                ],
                "constraints": [
                    ForeignKeyConstraint(
                        field="order", name="fk_dispatch_decisions__order_id__orders", on_delete="CASCADE"
                    ),
                    ForeignKeyConstraint(
                        field="master", name="fk_dispatch_decisions__master_id__masters", on_delete="SET NULL"
                    ),
                ],
            },
        ),
        NamePrimaryKey("dispatch_decisions"),
    ]
