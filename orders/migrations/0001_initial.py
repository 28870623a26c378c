"""Orders as they were before v1.2 (local slots, total_price, legacy statuses) and the tables around them."""

from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

from fieldservice.lib.pg import CreateEnum, ForeignKeyConstraint, LongIndex, NamePrimaryKey, PgEnumField


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("geo", "0001_initial"),
        ("staff", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateEnum(
            "order_status",
            [
                "CREATED",
                "DISTRIBUTION",
                "ASSIGNED",
                "SCHEDULED",
                "IN_PROGRESS",
                "DONE",
                "CLOSED",
                "DEFERRED",
                "GUARANTEE",
                "CANCELED",
            ],
        ),
        CreateEnum("order_type", ["NORMAL", "GUARANTEE"]),
        CreateEnum("actor_type", ["SYSTEM", "ADMIN", "MASTER", "AUTO_DISTRIBUTION"]),
        CreateEnum("offer_state", ["SENT", "VIEWED", "ACCEPTED", "DECLINED", "EXPIRED", "CANCELED"]),
        CreateEnum("attachment_entity", ["ORDER", "OFFER", "COMMISSION", "MASTER"]),
        CreateEnum("attachment_file_type", ["PHOTO", "DOCUMENT", "AUDIO", "VIDEO", "OTHER"]),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("house", models.CharField(blank=True, max_length=32, null=True, verbose_name="house")),
                ("apartment", models.CharField(blank=True, max_length=32, null=True, verbose_name="flat")),
                ("address_comment", models.TextField(blank=True, null=True, verbose_name="address comment")),
                ("client_name", models.CharField(blank=True, max_length=160, null=True, verbose_name="client")),
                ("client_phone", models.CharField(blank=True, max_length=32, null=True, verbose_name="client's phone")),
                (
                    "status",
                    PgEnumField(
                        choices=[
                            ("CREATED", "Created"),
                            ("DISTRIBUTION", "Searching for a master"),
                            ("ASSIGNED", "Assigned"),
                            ("SCHEDULED", "On the way"),
                            ("IN_PROGRESS", "In work"),
                            ("DONE", "Awaiting payment"),
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
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, db_default=Now(), verbose_name="changed")),
                ("version", models.IntegerField(db_default=1, default=1, editable=False, verbose_name="version")),
                (
                    "company_payment",
                    models.DecimalField(
                        db_default=0, decimal_places=2, default=0, max_digits=10, verbose_name="paid by the company"
                    ),
                ),
                ("category", models.CharField(blank=True, max_length=32, null=True, verbose_name="category")),
                ("description", models.TextField(blank=True, null=True, verbose_name="description")),
                ("late_visit", models.BooleanField(db_default=False, default=False, verbose_name="late visit")),
                (
                    "dist_escalated_logist_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="escalated to a logist"),
                ),
                (
                    "dist_escalated_admin_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="escalated to an admin"),
                ),
                ("scheduled_date", models.DateField(blank=True, null=True)),
                ("time_slot_start", models.TimeField(blank=True, null=True)),
                ("time_slot_end", models.TimeField(blank=True, null=True)),
                ("slot_label", models.CharField(blank=True, max_length=32, null=True)),
                ("total_price", models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=10)),
                ("latitude", models.DecimalField(blank=True, decimal_places=6, max_digits=9, null=True)),
                ("longitude", models.DecimalField(blank=True, decimal_places=6, max_digits=9, null=True)),
                (
                    "order_type",
                    PgEnumField(
                        choices=[("NORMAL", "Normal"), ("GUARANTEE", "Guarantee")],
                        db_default="NORMAL",
                        default="NORMAL",
                        enum_type="order_type",
                    ),
                ),
                (
                    "assigned_master",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="orders",
                        to="staff.master",
                        verbose_name="master",
                    ),
                ),
                (
                    "city",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.RESTRICT,
                        to="geo.city",
                        verbose_name="city",
                    ),
                ),
                (
                    "created_by_staff",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="created_orders",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="created by",
                    ),
                ),
                (
                    "district",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        to="geo.district",
                        verbose_name="district",
                    ),
                ),
                (
                    "guarantee_source_order",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="guarantees",
                        to="orders.order",
                        verbose_name="guarantee for",
                    ),
                ),
                (
                    "preferred_master",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="preferred_orders",
                        to="staff.master",
                        verbose_name="preferred master",
                    ),
                ),
                (
                    "street",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        to="geo.street",
                        verbose_name="street",
                    ),
                ),
            ],
            options={
                "verbose_name": "order",
                "verbose_name_plural": "orders",
                "db_table": "orders",
                "indexes": [
                    LongIndex(fields=["assigned_master"], name="ix_orders__assigned_master"),
                    LongIndex(fields=["preferred_master"], name="ix_orders__preferred_master"),
                    LongIndex(fields=["created_at"], name="ix_orders__created_at"),
                    LongIndex(fields=["client_phone"], name="ix_orders__phone"),
                    LongIndex(fields=["city"], name="ix_orders__city_id"),
                    LongIndex(fields=["district"], name="ix_orders__district_id"),
                    LongIndex(fields=["street"], name="ix_orders__street_id"),
                    LongIndex(fields=["guarantee_source_order"], name="ix_orders__guarantee_source"),
                    LongIndex(fields=["city", "status"], name="ix_orders__city_status"),
                    LongIndex(fields=["status", "city"], name="ix_orders__status_city"),
                    LongIndex(fields=["status", "city", "scheduled_date"], name="ix_orders__status_city_date"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("time_slot_end__isnull", True), ("time_slot_start__isnull", True)),
                            models.Q(
                                ("time_slot_end__lte", "20:00"),
                                ("time_slot_start__gte", "10:00"),
                                ("time_slot_start__lt", models.F("time_slot_end")),
                            ),
                            _connector="OR",
                        ),
                        name="ck_orders__slot_in_working_window",
                    ),
                    ForeignKeyConstraint(field="city", name="fk_orders__city_id__cities", on_delete="RESTRICT"),
                    ForeignKeyConstraint(
                        field="district", name="fk_orders__district_id__districts", on_delete="SET NULL"
                    ),
                    ForeignKeyConstraint(field="street", name="fk_orders__street_id__streets", on_delete="SET NULL"),
                    ForeignKeyConstraint(
                        field="preferred_master", name="fk_orders__preferred_master_id__masters", on_delete="SET NULL"
                    ),
                    ForeignKeyConstraint(
                        field="assigned_master", name="fk_orders__assigned_master_id__masters", on_delete="SET NULL"
                    ),
                    ForeignKeyConstraint(
                        field="created_by_staff",
                        name="fk_orders__created_by_staff_id__staff_users",
                        on_delete="SET NULL",
                    ),
                    ForeignKeyConstraint(
                        field="guarantee_source_order",
                        name="fk_orders__guarantee_source_order_id__orders",
                        on_delete="SET NULL",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Offer",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("round_number", models.SmallIntegerField(db_default=1, default=1, verbose_name="round")),
                (
                    "state",
                    PgEnumField(
                        choices=[
                            ("SENT", "Sent"),
                            ("VIEWED", "Viewed"),
                            ("ACCEPTED", "Accepted"),
                            ("DECLINED", "Declined"),
                            ("EXPIRED", "Expired"),
                            ("CANCELED", "Withdrawn"),
                        ],
                        enum_type="offer_state",
                        verbose_name="state",
                    ),
                ),
                ("sent_at", models.DateTimeField(db_default=Now(), verbose_name="sent")),
                ("responded_at", models.DateTimeField(blank=True, null=True, verbose_name="answered")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
                (
                    "master",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="offers",
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
                        related_name="offers",
                        to="orders.order",
                        verbose_name="order",
                    ),
                ),
            ],
            options={
                "verbose_name": "offer",
                "verbose_name_plural": "offers",
                "db_table": "offers",
                "indexes": [
                    LongIndex(fields=["order", "state"], name="ix_offers__order_state"),
                    LongIndex(fields=["master", "state"], name="ix_offers__master_state"),
                    LongIndex(fields=["expires_at"], name="ix_offers__expires_at"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("SENT", "VIEWED", "ACCEPTED"))),
                        fields=("order", "master"),
                        name="uq_offers__order_master",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "ACCEPTED")),
                        fields=("order",),
                        name="uix_offers__order_accepted_once",
                    ),
                    ForeignKeyConstraint(field="order", name="fk_offers__order_id__orders", on_delete="CASCADE"),
                    ForeignKeyConstraint(field="master", name="fk_offers__master_id__masters", on_delete="CASCADE"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DistributionMetric",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("assigned_at", models.DateTimeField(db_default=Now(), verbose_name="assigned")),
                ("round_number", models.SmallIntegerField(verbose_name="round")),
                ("candidates_count", models.SmallIntegerField(verbose_name="candidates")),
                (
                    "time_to_assign_seconds",
                    models.IntegerField(blank=True, null=True, verbose_name="seconds to assignment"),
                ),
                (
                    "preferred_master_used",
                    models.BooleanField(db_default=False, default=False, verbose_name="preferred master"),
                ),
                (
                    "was_escalated_to_logist",
                    models.BooleanField(db_default=False, default=False, verbose_name="escalated to a logist"),
                ),
                (
                    "was_escalated_to_admin",
                    models.BooleanField(db_default=False, default=False, verbose_name="escalated to an admin"),
                ),
                ("category", models.CharField(blank=True, max_length=32, null=True, verbose_name="category")),
                ("order_type", models.CharField(blank=True, max_length=32, null=True, verbose_name="type")),
                ("metadata_json", models.JSONField(blank=True, db_default={}, default=dict, verbose_name="details")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
                (
                    "city",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.CASCADE,
                        to="geo.city",
                        verbose_name="city",
                    ),
                ),
                (
                    "district",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        to="geo.district",
                        verbose_name="district",
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
            ],
            options={
                "verbose_name": "assignment",
                "verbose_name_plural": "assignments",
                "db_table": "distribution_metrics",
                "indexes": [
                    LongIndex(fields=["order"], name="ix_distribution_metrics__order_id"),
                    LongIndex(fields=["master"], name="ix_distribution_metrics__master_id"),
                    LongIndex(fields=["city"], name="ix_distribution_metrics__city_id"),
                    LongIndex(fields=["district"], name="ix_distribution_metrics__district_id"),
                    LongIndex(fields=["-assigned_at"], name="ix_distribution_metrics__assigned_at_desc"),
                    LongIndex(fields=["city", "assigned_at"], name="ix_distribution_metrics__city_assigned"),
                    LongIndex(
                        fields=["round_number", "time_to_assign_seconds"], name="ix_distribution_metrics__performance"
                    ),
                ],
                "constraints": [
                    ForeignKeyConstraint(
                        field="order", name="fk_distribution_metrics__order_id__orders", on_delete="CASCADE"
                    ),
                    ForeignKeyConstraint(
                        field="master", name="fk_distribution_metrics__master_id__masters", on_delete="SET NULL"
                    ),
                    ForeignKeyConstraint(
                        field="city", name="fk_distribution_metrics__city_id__cities", on_delete="CASCADE"
                    ),
                    ForeignKeyConstraint(
                        field="district", name="fk_distribution_metrics__district_id__districts", on_delete="SET NULL"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OrderStatusHistory",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "from_status",
                    PgEnumField(
                        blank=True,
                        choices=[
                            ("CREATED", "Created"),
                            ("DISTRIBUTION", "Searching for a master"),
                            ("ASSIGNED", "Assigned"),
                            ("SCHEDULED", "On the way"),
                            ("IN_PROGRESS", "In work"),
                            ("DONE", "Awaiting payment"),
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
                (
                    "to_status",
                    PgEnumField(
                        choices=[
                            ("CREATED", "Created"),
                            ("DISTRIBUTION", "Searching for a master"),
                            ("ASSIGNED", "Assigned"),
                            ("SCHEDULED", "On the way"),
                            ("IN_PROGRESS", "In work"),
                            ("DONE", "Awaiting payment"),
                            ("CLOSED", "Closed"),
                            ("DEFERRED", "Deferred"),
                            ("GUARANTEE", "Guarantee: searching"),
                            ("CANCELED", "Canceled"),
                        ],
                        enum_type="order_status",
                        verbose_name="to",
                    ),
                ),
                ("reason", models.TextField(blank=True, null=True, verbose_name="reason")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="when")),
                (
                    "actor_type",
                    PgEnumField(
                        choices=[
                            ("SYSTEM", "System"),
                            ("ADMIN", "Staff"),
                            ("MASTER", "Master"),
                            ("AUTO_DISTRIBUTION", "Dispatch"),
                        ],
                        db_default="SYSTEM",
                        default="SYSTEM",
                        enum_type="actor_type",
                        verbose_name="who",
                    ),
                ),
                ("context", models.JSONField(blank=True, db_default={}, default=dict, verbose_name="details")),
                (
                    "changed_by_master",
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
                (
                    "changed_by_staff",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="staff member",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="history",
                        to="orders.order",
                        verbose_name="order",
                    ),
                ),
            ],
            options={
                "verbose_name": "history record",
                "verbose_name_plural": "order history",
                "db_table": "order_status_history",
                "indexes": [
                    LongIndex(fields=["order", "created_at"], name="ix_order_status_history__order_created_at"),
                    LongIndex(fields=["actor_type"], name="ix_order_status_history__actor_type"),
                ],
                "constraints": [
                    ForeignKeyConstraint(
                        field="order", name="fk_order_status_history__order_id__orders", on_delete="CASCADE"
                    ),
                    ForeignKeyConstraint(
                        field="changed_by_staff",
                        name="fk_order_status_history__changed_by_staff_id__staff_users",
                        on_delete="SET NULL",
                    ),
                    ForeignKeyConstraint(
                        field="changed_by_master",
                        name="fk_order_status_history__changed_by_master_id__masters",
                        on_delete="SET NULL",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "entity_type",
                    PgEnumField(
                        choices=[
                            ("ORDER", "Order"),
                            ("OFFER", "Offer"),
                            ("COMMISSION", "Commission"),
                            ("MASTER", "Master"),
                        ],
                        enum_type="attachment_entity",
                        verbose_name="belongs to",
                    ),
                ),
                ("entity_id", models.BigIntegerField(verbose_name="number")),
                (
                    "file_type",
                    PgEnumField(
                        choices=[
                            ("PHOTO", "Photo"),
                            ("DOCUMENT", "Document"),
                            ("AUDIO", "Audio"),
                            ("VIDEO", "Video"),
                            ("OTHER", "Other"),
                        ],
                        enum_type="attachment_file_type",
                        verbose_name="kind",
                    ),
                ),
                ("file_id", models.CharField(max_length=256)),
                ("file_unique_id", models.CharField(blank=True, max_length=256, null=True)),
                ("file_name", models.CharField(blank=True, max_length=256, null=True, verbose_name="file name")),
                ("mime_type", models.CharField(blank=True, max_length=128, null=True)),
                ("size", models.IntegerField(blank=True, null=True, verbose_name="bytes")),
                ("caption", models.TextField(blank=True, null=True, verbose_name="caption")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="when")),
                ("document_type", models.CharField(blank=True, max_length=32, null=True, verbose_name="document")),
                (
                    "uploaded_by_master",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to="staff.master",
                        verbose_name="from master",
                    ),
                ),
                (
                    "uploaded_by_staff",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="from staff",
                    ),
                ),
            ],
            options={
                "verbose_name": "attachment",
                "verbose_name_plural": "attachments",
                "db_table": "attachments",
                "indexes": [LongIndex(fields=["entity_type", "entity_id"], name="ix_attachments__etype_eid")],
                "constraints": [
                    ForeignKeyConstraint(
                        field="uploaded_by_master",
                        name="fk_attachments__uploaded_by_master_id__masters",
                        on_delete="SET NULL",
                    ),
                    ForeignKeyConstraint(
                        field="uploaded_by_staff",
                        name="fk_attachments__uploaded_by_staff_id__staff_users",
                        on_delete="SET NULL",
                    ),
                ],
            },
        ),
        *[
            NamePrimaryKey(table)
            for table in (
                "orders",
                "offers",
                "distribution_metrics",
                "order_status_history",
                "attachments",
            )
        ],
    ]
