"""Updates that webhook replicas took, so that each is handled once."""

from django.db import migrations, models
from django.db.models.functions import Now

from fieldservice.lib.pg import LongIndex, NamePrimaryKey


class Migration(migrations.Migration):
    dependencies = [
        ("runtime", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="BotUpdate",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "bot", "update_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("bot", models.CharField(max_length=8)),
                ("update_id", models.BigIntegerField()),
                ("chat_id", models.BigIntegerField()),
                ("holder", models.CharField(max_length=32)),
                ("claimed_at", models.DateTimeField(db_default=Now())),
                ("leased_until", models.DateTimeField()),
                ("handled_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "bot_updates",
                "indexes": [
                    LongIndex(fields=["bot", "chat_id", "claimed_at"], name="ix_bot_updates__chat"),
                    LongIndex(fields=["claimed_at"], name="ix_bot_updates__claimed"),
                ],
            },
        ),
        NamePrimaryKey("bot_updates"),
    ]
