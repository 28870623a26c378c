"""The outbox of messages."""

from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

from fieldservice.lib.pg import ForeignKeyConstraint, LongIndex, NamePrimaryKey


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("staff", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event", models.CharField(max_length=64, verbose_name="event")),
                ("payload", models.JSONField(blank=True, db_default={}, default=dict, verbose_name="payload")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
                ("processed_at", models.DateTimeField(blank=True, null=True, verbose_name="processed")),
                ("attempt_count", models.IntegerField(db_default=0, default=0, verbose_name="attempts")),
                ("last_error", models.TextField(blank=True, null=True, verbose_name="last error")),
                (
                    "bot",
                    models.CharField(
                        choices=[("master", "Master bot"), ("admin", "Admin bot")],
                        db_default="master",
                        default="master",
                        max_length=8,
                        verbose_name="bot",
                    ),
                ),
                ("chat_id", models.BigIntegerField(blank=True, null=True, verbose_name="chat")),
                ("message_id", models.BigIntegerField(blank=True, null=True, verbose_name="message")),
                ("edits_key", models.CharField(blank=True, max_length=80, null=True, verbose_name="edits")),
                (
                    "lane",
                    models.SmallIntegerField(
                        choices=[(0, "Offer"), (1, "Personal"), (2, "Channel"), (3, "Broadcast")],
                        db_default=1,
                        default=1,
                        verbose_name="lane",
                    ),
                ),
                ("due_at", models.DateTimeField(db_default=Now(), verbose_name="due")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="stale after")),
                ("dedup_key", models.CharField(blank=True, max_length=120, null=True, verbose_name="dedup key")),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("SENT", "Sent"),
                            ("SKIPPED", "Skipped: no longer true"),
                            ("FAILED", "Failed for good"),
                        ],
                        max_length=8,
                        null=True,
                        verbose_name="outcome",
                    ),
                ),
                ("leased_until", models.DateTimeField(blank=True, null=True, verbose_name="leased until")),
                (
                    "master",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.CASCADE,
                        related_name="+",
                        to="staff.master",
                        verbose_name="master",
                    ),
                ),
                (
                    "staff",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="staff member",
                    ),
                ),
            ],
            options={
                "verbose_name": "message",
                "verbose_name_plural": "outbox",
                "db_table": "notifications_outbox",
                "indexes": [
                    LongIndex(fields=["master"], name="ix_notifications_outbox_master"),
                    LongIndex(fields=["created_at"], name="ix_notifications_outbox_created"),
                    LongIndex(
                        condition=models.Q(("processed_at__isnull", True)),
                        fields=["bot", "lane", "due_at", "id"],
                        name="ix_notifications_outbox__due",
                    ),
                    LongIndex(
                        condition=models.Q(("edits_key__isnull", False)),
                        fields=["edits_key", "id"],
                        name="ix_notifications_outbox__edits",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("dedup_key__isnull", False)),
                        fields=("dedup_key",),
                        name="uq_notifications_outbox__dedup_key",
                    ),
                    ForeignKeyConstraint(
                        field="master", name="fk_notifications_outbox__master_id__masters", on_delete="CASCADE"
                    ),
                    ForeignKeyConstraint(
                        field="staff", name="fk_notifications_outbox__staff_id__staff_users", on_delete="CASCADE"
                    ),
                ],
            },
        ),
        *[NamePrimaryKey(table) for table in ("notifications_outbox",)],
    ]
