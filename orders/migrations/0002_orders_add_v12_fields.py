"""The v1.2 columns of orders, filled from the legacy ones; the rules are in `_backfill`."""

from django.db import migrations, models

from fieldservice.lib.pg import PgEnumField
from orders.migrations import _backfill


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="cancel_reason",
            field=models.TextField(blank=True, null=True, verbose_name="reason of the cancellation"),
        ),
        migrations.AddField(
            model_name="order",
            name="lat",
            field=models.FloatField(blank=True, null=True, verbose_name="latitude"),
        ),
        migrations.AddField(
            model_name="order",
            name="lon",
            field=models.FloatField(blank=True, null=True, verbose_name="longitude"),
        ),
        migrations.AddField(
            model_name="order",
            name="no_district",
            field=models.BooleanField(db_default=False, default=False, verbose_name="no district"),
        ),
        migrations.AddField(
            model_name="order",
            name="timeslot_end_utc",
            field=models.DateTimeField(blank=True, null=True, verbose_name="slot to"),
        ),
        migrations.AddField(
            model_name="order",
            name="timeslot_start_utc",
            field=models.DateTimeField(blank=True, null=True, verbose_name="slot from"),
        ),
        migrations.AddField(
            model_name="order",
            name="total_sum",
            field=models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=10, verbose_name="sum"),
        ),
        migrations.AddField(
            model_name="order",
            name="type",
            field=PgEnumField(
                choices=[("NORMAL", "Normal"), ("GUARANTEE", "Guarantee")],
                db_default="NORMAL",
                default="NORMAL",
                enum_type="order_type",
                verbose_name="type",
            ),
        ),
        migrations.RunPython(_backfill.fill_v12, _backfill.restore_legacy),
    ]
