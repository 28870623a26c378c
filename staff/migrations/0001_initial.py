"""Staff members, masters, codes, audit log."""

from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

from fieldservice.lib.pg import CreateEnum, ForeignKeyConstraint, LongIndex, NamePrimaryKey, PgEnumField


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("geo", "0001_initial"),
    ]

    operations = [
        CreateEnum("staff_role", ["GLOBAL_ADMIN", "CITY_ADMIN", "LOGIST"]),
        CreateEnum("moderation_status", ["PENDING", "APPROVED", "REJECTED"]),
        CreateEnum("shift_status", ["SHIFT_OFF", "SHIFT_ON", "BREAK"]),
        CreateEnum("payout_method", ["CARD", "SBP", "YOOMONEY", "BANK_ACCOUNT"]),
        migrations.CreateModel(
            name="StaffUser",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("password", models.CharField(db_default="!", default="!", max_length=128, verbose_name="password")),
                ("tg_user_id", models.BigIntegerField(blank=True, null=True, verbose_name="Telegram id")),
                ("username", models.CharField(blank=True, max_length=64, null=True, verbose_name="login")),
                ("full_name", models.CharField(blank=True, max_length=160, null=True, verbose_name="full name")),
                ("phone", models.CharField(blank=True, max_length=32, null=True, verbose_name="phone")),
                (
                    "role",
                    PgEnumField(
                        choices=[("GLOBAL_ADMIN", "Global admin"), ("CITY_ADMIN", "City admin"), ("LOGIST", "Logist")],
                        enum_type="staff_role",
                        verbose_name="role",
                    ),
                ),
                ("is_active", models.BooleanField(db_default=True, default=True, verbose_name="active")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, db_default=Now(), verbose_name="changed")),
                ("commission_requisites", models.JSONField(blank=True, db_default={}, default=dict, editable=False)),
            ],
            options={
                "verbose_name": "staff member",
                "verbose_name_plural": "staff members",
                "db_table": "staff_users",
                "constraints": [
                    models.UniqueConstraint(models.F("tg_user_id"), name="ix_staff_users__tg_user_id"),
                    models.UniqueConstraint(fields=("username",), name="uq_staff_users__username"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Master",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tg_user_id", models.BigIntegerField(blank=True, null=True, verbose_name="Telegram id")),
                ("full_name", models.CharField(max_length=160, verbose_name="full name")),
                ("phone", models.CharField(blank=True, max_length=32, null=True, verbose_name="phone")),
                ("rating", models.FloatField(db_default=5, default=5, verbose_name="rating")),
                ("is_active", models.BooleanField(db_default=True, default=True, verbose_name="active")),
                ("is_blocked", models.BooleanField(db_default=False, default=False, verbose_name="blocked")),
                ("blocked_at", models.DateTimeField(blank=True, null=True, verbose_name="blocked at")),
                ("blocked_reason", models.TextField(blank=True, null=True, verbose_name="reason of the block")),
                ("referral_code", models.CharField(blank=True, max_length=32, null=True, verbose_name="referral code")),
                ("last_heartbeat_at", models.DateTimeField(blank=True, null=True, verbose_name="last seen")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, db_default=Now(), verbose_name="changed")),
                ("version", models.IntegerField(db_default=1, default=1, editable=False)),
                (
                    "moderation_status",
                    PgEnumField(
                        choices=[("PENDING", "On moderation"), ("APPROVED", "Approved"), ("REJECTED", "Rejected")],
                        db_default="PENDING",
                        default="PENDING",
                        enum_type="moderation_status",
                        verbose_name="moderation",
                    ),
                ),
                ("moderation_note", models.TextField(blank=True, null=True, verbose_name="moderation note")),
                (
                    "shift_status",
                    PgEnumField(
                        choices=[("SHIFT_OFF", "Off shift"), ("SHIFT_ON", "On shift"), ("BREAK", "On a break")],
                        db_default="SHIFT_OFF",
                        default="SHIFT_OFF",
                        enum_type="shift_status",
                        verbose_name="shift",
                    ),
                ),
                ("break_until", models.DateTimeField(blank=True, null=True, verbose_name="break until")),
                ("pdn_accepted_at", models.DateTimeField(blank=True, null=True, verbose_name="consent given")),
                (
                    "payout_method",
                    PgEnumField(
                        blank=True,
                        choices=[
                            ("CARD", "Card"),
                            ("SBP", "SBP"),
                            ("YOOMONEY", "YooMoney"),
                            ("BANK_ACCOUNT", "Bank account"),
                        ],
                        enum_type="payout_method",
                        null=True,
                        verbose_name="payout method",
                    ),
                ),
                ("payout_data", models.JSONField(blank=True, null=True, verbose_name="payout details")),
                ("has_vehicle", models.BooleanField(db_default=False, default=False, verbose_name="has a vehicle")),
                ("vehicle_plate", models.CharField(blank=True, max_length=16, null=True, verbose_name="licence plate")),
                (
                    "home_latitude",
                    models.DecimalField(
                        blank=True, decimal_places=6, max_digits=9, null=True, verbose_name="home latitude"
                    ),
                ),
                (
                    "home_longitude",
                    models.DecimalField(
                        blank=True, decimal_places=6, max_digits=9, null=True, verbose_name="home longitude"
                    ),
                ),
                (
                    "max_active_orders_override",
                    models.SmallIntegerField(blank=True, null=True, verbose_name="own limit of active orders"),
                ),
                (
                    "is_on_shift",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Q(("shift_status", "SHIFT_ON")),
                        output_field=models.BooleanField(),
                        verbose_name="on shift",
                    ),
                ),
                (
                    "verified",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Q(("moderation_status", "APPROVED")),
                        output_field=models.BooleanField(),
                        verbose_name="verified",
                    ),
                ),
                ("is_deleted", models.BooleanField(db_default=False, default=False, verbose_name="deleted")),
                ("moderation_reason", models.TextField(blank=True, null=True, verbose_name="reason of the rejection")),
                ("verified_at", models.DateTimeField(blank=True, null=True, verbose_name="verified at")),
                (
                    "telegram_username",
                    models.CharField(blank=True, max_length=64, null=True, verbose_name="Telegram name"),
                ),
                ("first_name", models.CharField(blank=True, max_length=80, null=True, verbose_name="name")),
                ("last_name", models.CharField(blank=True, max_length=120, null=True, verbose_name="surname")),
                (
                    "unreachable_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="unreachable since"),
                ),
                (
                    "city",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        to="geo.city",
                        verbose_name="city",
                    ),
                ),
                (
                    "referred_by_master",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="invited",
                        to="staff.master",
                        verbose_name="invited by",
                    ),
                ),
                (
                    "verified_by",
                    models.ForeignKey(
                        blank=True,
                        db_column="verified_by",
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="verified by",
                    ),
                ),
            ],
            options={
                "verbose_name": "master",
                "verbose_name_plural": "masters",
                "db_table": "masters",
                "indexes": [
                    LongIndex(fields=["tg_user_id"], name="ix_masters__tg_user_id"),
                    LongIndex(fields=["phone"], name="ix_masters__phone"),
                    LongIndex(fields=["city"], name="ix_masters__city_id"),
                    LongIndex(fields=["referred_by_master"], name="ix_masters__referred_by"),
                    LongIndex(fields=["last_heartbeat_at"], name="ix_masters__heartbeat"),
                    LongIndex(fields=["moderation_status", "shift_status"], name="ix_masters__mod_shift"),
                    LongIndex(fields=["is_on_shift", "verified"], name="ix_masters__onshift_verified"),
                    LongIndex(
                        fields=["verified", "is_active", "is_deleted", "city"],
                        name="ix_masters__verified_active_deleted_city",
                    ),
                    LongIndex(
                        condition=models.Q(("shift_status", "BREAK")),
                        fields=["break_until"],
                        name="ix_masters__break_end",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("tg_user_id",), name="uq_masters__tg_user_id"),
                    models.UniqueConstraint(fields=("referral_code",), name="uq_masters__referral_code"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("max_active_orders_override__isnull", True),
                            ("max_active_orders_override__gte", 0),
                            _connector="OR",
                        ),
                        name="ck_masters__ck_masters__limit_nonneg",
                    ),
                    ForeignKeyConstraint(field="city", name="fk_masters__city_id__cities", on_delete="SET NULL"),
                    ForeignKeyConstraint(
                        field="referred_by_master",
                        name="fk_masters__referred_by_master_id__masters",
                        on_delete="SET NULL",
                    ),
                    ForeignKeyConstraint(
                        field="verified_by", name="fk_masters__verified_by__staff_users", on_delete="SET NULL"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MasterDistrict",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "master_id", "district_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False)),
                (
                    "district",
                    models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.CASCADE, to="geo.district"),
                ),
                (
                    "master",
                    models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.CASCADE, to="staff.master"),
                ),
            ],
            options={
                "db_table": "master_districts",
                "indexes": [LongIndex(fields=["district"], name="ix_master_districts__district")],
                "constraints": [
                    ForeignKeyConstraint(
                        field="master", name="fk_master_districts__master_id__masters", on_delete="CASCADE"
                    ),
                    ForeignKeyConstraint(
                        field="district", name="fk_master_districts__district_id__districts", on_delete="CASCADE"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="master",
            name="districts",
            field=models.ManyToManyField(
                related_name="masters", through="staff.MasterDistrict", to="geo.district", verbose_name="districts"
            ),
        ),
        migrations.CreateModel(
            name="MasterInviteCode",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=32, verbose_name="code")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires")),
                ("is_revoked", models.BooleanField(db_default=False, default=False, verbose_name="revoked")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used")),
                ("comment", models.CharField(blank=True, max_length=255, null=True, verbose_name="comment")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, db_default=Now(), verbose_name="changed")),
                (
                    "city",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to="geo.city",
                        verbose_name="city",
                    ),
                ),
                (
                    "issued_by_staff",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="invites",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="issued by",
                    ),
                ),
                (
                    "used_by_master",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="invites",
                        to="staff.master",
                        verbose_name="used by",
                    ),
                ),
            ],
            options={
                "verbose_name": "invite code",
                "verbose_name_plural": "invite codes",
                "db_table": "master_invite_codes",
                "constraints": [
                    models.UniqueConstraint(models.F("code"), name="ix_master_invite_codes__code"),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("expires_at__isnull", True), ("is_revoked", False), ("used_by_master__isnull", True)
                        ),
                        fields=("code",),
                        name="ix_master_invite_codes__available",
                    ),
                    ForeignKeyConstraint(
                        field="city", name="fk_master_invite_codes__city_id__cities", on_delete="SET NULL"
                    ),
                    ForeignKeyConstraint(
                        field="issued_by_staff",
                        name="fk_master_invite_codes__issued_by_staff_id__staff_users",
                        on_delete="SET NULL",
                    ),
                    ForeignKeyConstraint(
                        field="used_by_master",
                        name="fk_master_invite_codes__used_by_master_id__masters",
                        on_delete="SET NULL",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Skill",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=64, verbose_name="code")),
                ("name", models.CharField(max_length=160, verbose_name="name")),
                ("is_active", models.BooleanField(db_default=True, default=True, verbose_name="active")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
            ],
            options={
                "verbose_name": "skill",
                "verbose_name_plural": "skills",
                "db_table": "skills",
                "constraints": [models.UniqueConstraint(fields=("code",), name="uq_skills__code")],
            },
        ),
        migrations.CreateModel(
            name="MasterSkill",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "master_id", "skill_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False)),
                (
                    "master",
                    models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.CASCADE, to="staff.master"),
                ),
                (
                    "skill",
                    models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.CASCADE, to="staff.skill"),
                ),
            ],
            options={
                "db_table": "master_skills",
                "indexes": [LongIndex(fields=["skill"], name="ix_master_skills__skill")],
                "constraints": [
                    ForeignKeyConstraint(
                        field="master", name="fk_master_skills__master_id__masters", on_delete="CASCADE"
                    ),
                    ForeignKeyConstraint(field="skill", name="fk_master_skills__skill_id__skills", on_delete="CASCADE"),
                ],
            },
        ),
        migrations.AddField(
            model_name="master",
            name="skills",
            field=models.ManyToManyField(
                related_name="masters", through="staff.MasterSkill", to="staff.skill", verbose_name="skills"
            ),
        ),
        migrations.CreateModel(
            name="StaffAccessCode",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=16, verbose_name="code")),
                (
                    "role",
                    PgEnumField(
                        choices=[("GLOBAL_ADMIN", "Global admin"), ("CITY_ADMIN", "City admin"), ("LOGIST", "Logist")],
                        enum_type="staff_role",
                        verbose_name="role",
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
                ("comment", models.TextField(blank=True, null=True, verbose_name="comment")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked")),
                (
                    "city",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to="geo.city",
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
                        related_name="issued_codes",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="issued by",
                    ),
                ),
                (
                    "used_by_staff",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="used_codes",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="used by",
                    ),
                ),
            ],
            options={
                "verbose_name": "access code",
                "verbose_name_plural": "access codes",
                "db_table": "staff_access_codes",
                "constraints": [
                    models.UniqueConstraint(fields=("code",), name="uq_staff_access_codes__code"),
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at__isnull", True), ("used_by_staff__isnull", True)),
                        fields=("code",),
                        name="ix_staff_access_codes__code_available",
                    ),
                    ForeignKeyConstraint(
                        field="city", name="fk_staff_access_codes__city_id__cities", on_delete="SET NULL"
                    ),
                    ForeignKeyConstraint(
                        field="created_by_staff",
                        name="fk_staff_access_codes__issued_by_staff_id__staff_users",
                        on_delete="SET NULL",
                    ),
                    ForeignKeyConstraint(
                        field="used_by_staff",
                        name="fk_staff_access_codes__used_by_staff_id__staff_users",
                        on_delete="SET NULL",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StaffAccessCodeCity",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "access_code_id", "city_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False)),
                (
                    "access_code",
                    models.ForeignKey(
                        db_constraint=False, db_index=False, on_delete=models.CASCADE, to="staff.staffaccesscode"
                    ),
                ),
                (
                    "city",
                    models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.CASCADE, to="geo.city"),
                ),
            ],
            options={
                "db_table": "staff_access_code_cities",
                "indexes": [
                    LongIndex(fields=["access_code"], name="ix_staff_code_cities__code"),
                    LongIndex(fields=["city"], name="ix_staff_code_cities__city"),
                ],
                "constraints": [
                    ForeignKeyConstraint(
                        field="access_code",
                        name="fk_staff_access_code_cities__access_code_id__staff_access_codes",
                        on_delete="CASCADE",
                    ),
                    ForeignKeyConstraint(
                        field="city", name="fk_staff_access_code_cities__city_id__cities", on_delete="CASCADE"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="staffaccesscode",
            name="cities",
            field=models.ManyToManyField(
                blank=True, related_name="+", through="staff.StaffAccessCodeCity", to="geo.city", verbose_name="cities"
            ),
        ),
        migrations.CreateModel(
            name="StaffCity",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "staff_user_id", "city_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False)),
                (
                    "city",
                    models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.CASCADE, to="geo.city"),
                ),
                (
                    "staff_user",
                    models.ForeignKey(
                        db_constraint=False, db_index=False, on_delete=models.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "db_table": "staff_cities",
                "indexes": [
                    LongIndex(fields=["staff_user"], name="ix_staff_cities__staff_user_id"),
                    LongIndex(fields=["city"], name="ix_staff_cities__city_id"),
                ],
                "constraints": [
                    ForeignKeyConstraint(
                        field="staff_user", name="fk_staff_cities__staff_user_id__staff_users", on_delete="CASCADE"
                    ),
                    ForeignKeyConstraint(field="city", name="fk_staff_cities__city_id__cities", on_delete="CASCADE"),
                ],
            },
        ),
        migrations.AddField(
            model_name="staffuser",
            name="cities",
            field=models.ManyToManyField(
                blank=True, related_name="staff", through="staff.StaffCity", to="geo.city", verbose_name="cities"
            ),
        ),
        migrations.CreateModel(
            name="AuditLog",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("action", models.CharField(max_length=64, verbose_name="action")),
                ("payload_json", models.JSONField(blank=True, db_default={}, default=dict, verbose_name="details")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="when")),
                (
                    "admin",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
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
            ],
            options={
                "verbose_name": "audit record",
                "verbose_name_plural": "audit log",
                "db_table": "admin_audit_log",
                "indexes": [
                    LongIndex(fields=["admin"], name="ix_admin_audit_log_admin_id"),
                    LongIndex(fields=["master"], name="ix_admin_audit_log_master_id"),
                    LongIndex(fields=["created_at"], name="ix_admin_audit_log_created_at"),
                ],
                "constraints": [
                    ForeignKeyConstraint(
                        field="admin", name="fk_admin_audit_log__admin_id__staff_users", on_delete="SET NULL"
                    ),
                    ForeignKeyConstraint(
                        field="master", name="fk_admin_audit_log__master_id__masters", on_delete="SET NULL"
                    ),
                ],
            },
        ),
        *[
            NamePrimaryKey(table)
            for table in (
                "staff_users",
                "masters",
                "master_districts",
                "master_invite_codes",
                "skills",
                "master_skills",
                "staff_access_codes",
                "staff_access_code_cities",
                "staff_cities",
                "admin_audit_log",
            )
        ],
        # Django leaves generated columns nullable
        migrations.RunSQL(
            "ALTER TABLE masters ALTER is_on_shift SET NOT NULL, ALTER verified SET NOT NULL",
            "ALTER TABLE masters ALTER is_on_shift DROP NOT NULL, ALTER verified DROP NOT NULL",
        ),
    ]
