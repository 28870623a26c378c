"""Drops the legacy columns, renames the statuses, adds the v1.2 check and indexes."""

from django.conf import settings
from django.db import migrations, models

from fieldservice.lib.pg import CreateEnum, LongIndex, PgEnumField, RecreateEnum
from orders.migrations import _backfill

LEGACY = "CREATED DISTRIBUTION ASSIGNED SCHEDULED IN_PROGRESS DONE CLOSED DEFERRED GUARANTEE CANCELED".split()
LABELS = "CREATED SEARCHING ASSIGNED EN_ROUTE WORKING PAYMENT CLOSED DEFERRED GUARANTEE CANCELED".split()
RENAMED = {"DISTRIBUTION": "SEARCHING", "SCHEDULED": "EN_ROUTE", "IN_PROGRESS": "WORKING", "DONE": "PAYMENT"}

# one rewrite of the table instead of an UPDATE and a change of the type
CATEGORY_TO_ENUM = """
ALTER TABLE orders
    ALTER category TYPE order_category
          USING COALESCE(NULLIF(upper(btrim(category)), ''), 'ELECTRICS')::order_category,
    ALTER category SET DEFAULT 'ELECTRICS',
    ALTER category SET NOT NULL"""
CATEGORY_TO_TEXT = """
ALTER TABLE orders
    ALTER category DROP DEFAULT,
    ALTER category DROP NOT NULL,
    ALTER category TYPE varchar(32) USING category::text"""


class Migration(migrations.Migration):
    dependencies = [
        ("geo", "0001_initial"),
        ("orders", "0002_orders_add_v12_fields"),
        ("staff", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(_backfill.refuse_unknown_categories, migrations.RunPython.noop),
        migrations.RemoveConstraint(
            model_name="order",
            name="ck_orders__slot_in_working_window",
        ),
        migrations.RemoveIndex(
            model_name="order",
            name="ix_orders__status_city_date",
        ),
        migrations.RemoveField(
            model_name="order",
            name="latitude",
        ),
        migrations.RemoveField(
            model_name="order",
            name="longitude",
        ),
        migrations.RemoveField(
            model_name="order",
            name="order_type",
        ),
        migrations.RemoveField(
            model_name="order",
            name="scheduled_date",
        ),
        migrations.RemoveField(
            model_name="order",
            name="slot_label",
        ),
        migrations.RemoveField(
            model_name="order",
            name="time_slot_end",
        ),
        migrations.RemoveField(
            model_name="order",
            name="time_slot_start",
        ),
        migrations.RemoveField(
            model_name="order",
            name="total_price",
        ),
        CreateEnum("order_category", _backfill.CATEGORIES),
        migrations.RunSQL(
            CATEGORY_TO_ENUM,
            CATEGORY_TO_TEXT,
            state_operations=[
                migrations.AlterField(
                    model_name="order",
                    name="category",
                    field=PgEnumField(
                        choices=[
                            ("ELECTRICS", "Electrics"),
                            ("PLUMBING", "Plumbing"),
                            ("APPLIANCES", "Appliances"),
                            ("WINDOWS", "Windows"),
                            ("HANDYMAN", "Handyman"),
                            ("ROADSIDE", "Roadside help"),
                        ],
                        db_default="ELECTRICS",
                        default="ELECTRICS",
                        enum_type="order_category",
                        verbose_name="category",
                    ),
                ),
            ],
        ),
        RecreateEnum("order_status", LEGACY, LABELS, RENAMED, {new: old for old, new in RENAMED.items()}),
        # of the state only: the labels as the code knows them
        migrations.AlterField(
            model_name="order",
            name="status",
            field=PgEnumField(
                choices=[
                    ("CREATED", "Created"),
                    ("SEARCHING", "Searching for a master"),
                    ("ASSIGNED", "Assigned"),
                    ("EN_ROUTE", "On the way"),
                    ("WORKING", "In work"),
                    ("PAYMENT", "Awaiting payment"),
                    ("CLOSED", "Closed"),
                    ("DEFERRED", "Deferred"),
                    ("GUARANTEE", "Guarantee: searching"),
                    ("CANCELED", "Canceled"),
                ],
                db_default="CREATED",
                default="CREATED",
                enum_type="order_status",
                verbose_name="status",
            ),
        ),
        migrations.AlterField(
            model_name="orderstatushistory",
            name="from_status",
            field=PgEnumField(
                blank=True,
                choices=[
                    ("CREATED", "Created"),
                    ("SEARCHING", "Searching for a master"),
                    ("ASSIGNED", "Assigned"),
                    ("EN_ROUTE", "On the way"),
                    ("WORKING", "In work"),
                    ("PAYMENT", "Awaiting payment"),
                    ("CLOSED", "Closed"),
                    ("DEFERRED", "Deferred"),
                    ("GUARANTEE", "Guarantee: searching"),
                    ("CANCELED", "Canceled"),
                ],
                enum_type="order_status",
                null=True,
                verbose_name="from",
            ),
        ),
        migrations.AlterField(
            model_name="orderstatushistory",
            name="to_status",
            field=PgEnumField(
                choices=[
                    ("CREATED", "Created"),
                    ("SEARCHING", "Searching for a master"),
                    ("ASSIGNED", "Assigned"),
                    ("EN_ROUTE", "On the way"),
                    ("WORKING", "In work"),
                    ("PAYMENT", "Awaiting payment"),
                    ("CLOSED", "Closed"),
                    ("DEFERRED", "Deferred"),
                    ("GUARANTEE", "Guarantee: searching"),
                    ("CANCELED", "Canceled"),
                ],
                enum_type="order_status",
                verbose_name="to",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=LongIndex(
                fields=["status", "city", "timeslot_start_utc"], name="ix_orders__status_city_timeslot_start"
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=LongIndex(fields=["category"], name="ix_orders__category"),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("timeslot_end_utc__isnull", True), ("timeslot_start_utc__isnull", True)),
                    models.Q(
                        ("timeslot_end_utc__isnull", False),
                        ("timeslot_start_utc__isnull", False),
                        ("timeslot_start_utc__lt", models.F("timeslot_end_utc")),
                    ),
                    _connector="OR",
                ),
                name="ck_orders__timeslot_range",
            ),
        ),
    ]
