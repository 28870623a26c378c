"""Settings and signs of life."""

from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

from fieldservice.lib.pg import ForeignKeyConstraint, NamePrimaryKey


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False, verbose_name="name")),
                ("beat_at", models.DateTimeField(db_default=Now(), verbose_name="last seen")),
                ("details", models.JSONField(blank=True, db_default={}, default=dict, verbose_name="details")),
            ],
            options={
                "verbose_name": "heartbeat",
                "verbose_name_plural": "heartbeats",
                "db_table": "heartbeats",
            },
        ),
        migrations.CreateModel(
            name="Setting",
            fields=[
                ("key", models.CharField(max_length=80, primary_key=True, serialize=False, verbose_name="key")),
                ("value", models.TextField(verbose_name="value")),
                ("value_type", models.CharField(db_default="STR", default="STR", max_length=16, verbose_name="type")),
                ("description", models.TextField(blank=True, null=True, verbose_name="description")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, db_default=Now(), verbose_name="changed")),
                (
                    "updated_by_staff",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="changed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "setting",
                "verbose_name_plural": "settings",
                "db_table": "settings",
                "constraints": [
                    ForeignKeyConstraint(
                        field="updated_by_staff",
                        name="fk_settings__updated_by_staff_id__staff_users",
                        on_delete="SET NULL",
                    )
                ],
            },
        ),
        *[
            NamePrimaryKey(table)
            for table in (
                "heartbeats",
                "settings",
            )
        ],
    ]
