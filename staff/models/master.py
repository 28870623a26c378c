"""Masters: the technicians, their skills and districts."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, PgEnumField, named_fk
from staff.enums import ModerationStatus, PayoutMethod, ShiftStatus
from staff.models.member import StaffUser

# django-stubs know Q as a condition only; as a generated expression it is documented
SHIFT_IS_ON: Any = Q(shift_status="SHIFT_ON")
IS_APPROVED: Any = Q(moderation_status="APPROVED")


class Skill(models.Model):
    """What a master can do; `code` equals an order category."""

    code = models.CharField(_("code"), max_length=64)
    name = models.CharField(_("name"), max_length=160)
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        db_table = "skills"
        verbose_name, verbose_name_plural = _("skill"), _("skills")
        constraints = [models.UniqueConstraint(fields=["code"], name="uq_skills__code")]

    def __str__(self) -> str:
        return self.name


class Master(models.Model):
    """A technician. Free text and documents come from onboarding; the flags decide who gets offers."""

    tg_user_id = models.BigIntegerField(_("Telegram id"), null=True, blank=True)
    full_name = models.CharField(_("full name"), max_length=160)
    phone = models.CharField(_("phone"), max_length=32, null=True, blank=True)
    city = models.ForeignKey(
        "geo.City",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        verbose_name=_("city"),
    )
    rating = models.FloatField(_("rating"), default=5, db_default=5)
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    is_blocked = models.BooleanField(_("blocked"), default=False, db_default=False)
    blocked_at = models.DateTimeField(_("blocked at"), null=True, blank=True)
    blocked_reason = models.TextField(_("reason of the block"), null=True, blank=True)
    referral_code = models.CharField(_("referral code"), max_length=32, null=True, blank=True)
    referred_by_master = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="invited",
        verbose_name=_("invited by"),
    )
    last_heartbeat_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True, db_default=Now())
    version = models.IntegerField(default=1, db_default=1, editable=False)
    moderation_status = PgEnumField(
        _("moderation"),
        enum_type="moderation_status",
        choices=ModerationStatus.choices,
        default=ModerationStatus.PENDING,
        db_default=ModerationStatus.PENDING.value,
    )
    moderation_note = models.TextField(_("moderation note"), null=True, blank=True)
    shift_status = PgEnumField(
        _("shift"),
        enum_type="shift_status",
        choices=ShiftStatus.choices,
        default=ShiftStatus.SHIFT_OFF,
        db_default=ShiftStatus.SHIFT_OFF.value,
    )
    break_until = models.DateTimeField(_("break until"), null=True, blank=True)
    pdn_accepted_at = models.DateTimeField(_("consent given"), null=True, blank=True)
    payout_method = PgEnumField(
        _("payout method"), enum_type="payout_method", choices=PayoutMethod.choices, null=True, blank=True
    )
    payout_data = models.JSONField(_("payout details"), null=True, blank=True)
    has_vehicle = models.BooleanField(_("has a vehicle"), default=False, db_default=False)
    vehicle_plate = models.CharField(_("licence plate"), max_length=16, null=True, blank=True)
    home_latitude = models.DecimalField(_("home latitude"), max_digits=9, decimal_places=6, null=True, blank=True)
    home_longitude = models.DecimalField(_("home longitude"), max_digits=9, decimal_places=6, null=True, blank=True)
    max_active_orders_override = models.SmallIntegerField(_("own limit of active orders"), null=True, blank=True)
    # derived, so that no state is kept twice
    is_on_shift = models.GeneratedField(
        expression=SHIFT_IS_ON,
        output_field=models.BooleanField(),
        db_persist=True,
        verbose_name=_("on shift"),
    )
    verified = models.GeneratedField(
        expression=IS_APPROVED,
        output_field=models.BooleanField(),
        db_persist=True,
        verbose_name=_("verified"),
    )
    is_deleted = models.BooleanField(_("deleted"), default=False, db_default=False)
    moderation_reason = models.TextField(_("reason of the rejection"), null=True, blank=True)
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True)
    verified_by = models.ForeignKey(
        StaffUser,
        models.SET_NULL,
        null=True,
        blank=True,
        db_column="verified_by",
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("verified by"),
    )
    telegram_username = models.CharField(_("Telegram name"), max_length=64, null=True, blank=True)
    first_name = models.CharField(_("name"), max_length=80, null=True, blank=True)
    last_name = models.CharField(_("surname"), max_length=120, null=True, blank=True)
    # new: when the application was sent, and the version of the text consented to
    applied_at = models.DateTimeField(_("applied"), null=True, blank=True, editable=False)
    pdn_version = models.CharField(_("consent, version"), max_length=16, null=True, blank=True, editable=False)
    # new: ids of skills the master wants besides, until staff have decided
    skills_wanted = models.JSONField(_("skills asked for"), null=True, blank=True, editable=False)
    # new: the person blocked the bot; cleared by their next message
    unreachable_at = models.DateTimeField(_("unreachable since"), null=True, blank=True, editable=False)
    skills = models.ManyToManyField(Skill, through="MasterSkill", related_name="masters", verbose_name=_("skills"))
    districts = models.ManyToManyField(
        "geo.District", through="MasterDistrict", related_name="masters", verbose_name=_("districts")
    )

    class Meta:
        db_table = "masters"
        verbose_name, verbose_name_plural = _("master"), _("masters")
        indexes = [
            LongIndex(fields=["tg_user_id"], name="ix_masters__tg_user_id"),
            LongIndex(fields=["phone"], name="ix_masters__phone"),
            LongIndex(fields=["city"], name="ix_masters__city_id"),
            LongIndex(fields=["referred_by_master"], name="ix_masters__referred_by"),
            LongIndex(fields=["last_heartbeat_at"], name="ix_masters__heartbeat"),
            LongIndex(fields=["moderation_status", "shift_status"], name="ix_masters__mod_shift"),
            LongIndex(fields=["is_on_shift", "verified"], name="ix_masters__onshift_verified"),
            LongIndex(
                fields=["verified", "is_active", "is_deleted", "city"], name="ix_masters__verified_active_deleted_city"
            ),
            LongIndex(fields=["break_until"], name="ix_masters__break_end", condition=Q(shift_status="BREAK")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["tg_user_id"], name="uq_masters__tg_user_id"),
            models.UniqueConstraint(fields=["referral_code"], name="uq_masters__referral_code"),
            models.CheckConstraint(
                name="ck_masters__ck_masters__limit_nonneg",
                condition=Q(max_active_orders_override__isnull=True) | Q(max_active_orders_override__gte=0),
            ),
            named_fk("masters", "city_id", "cities", "SET NULL"),
            named_fk("masters", "referred_by_master_id", "masters", "SET NULL"),
            named_fk("masters", "verified_by", "staff_users", "SET NULL"),
        ]

    def __str__(self) -> str:
        return self.full_name or f"#{self.pk}"


class MasterSkill(models.Model):
    """A master has a skill."""

    pk = models.CompositePrimaryKey("master_id", "skill_id")
    master = models.ForeignKey(Master, models.CASCADE, db_index=False, db_constraint=False)
    skill = models.ForeignKey(Skill, models.CASCADE, db_index=False, db_constraint=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "master_skills"
        indexes = [LongIndex(fields=["skill"], name="ix_master_skills__skill")]
        constraints = [
            named_fk("master_skills", "master_id", "masters", "CASCADE"),
            named_fk("master_skills", "skill_id", "skills", "CASCADE"),
        ]

    def __str__(self) -> str:
        return f"{self.master_id}:{self.skill_id}"


class MasterDistrict(models.Model):
    """A master serves a district."""

    pk = models.CompositePrimaryKey("master_id", "district_id")
    master = models.ForeignKey(Master, models.CASCADE, db_index=False, db_constraint=False)
    district = models.ForeignKey("geo.District", models.CASCADE, db_index=False, db_constraint=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "master_districts"
        indexes = [LongIndex(fields=["district"], name="ix_master_districts__district")]
        constraints = [
            named_fk("master_districts", "master_id", "masters", "CASCADE"),
            named_fk("master_districts", "district_id", "districts", "CASCADE"),
        ]

    def __str__(self) -> str:
        return f"{self.master_id}:{self.district_id}"
