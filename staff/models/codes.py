"""Codes that let people in: access codes for staff, invite codes for masters."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, PgEnumField, named_fk
from staff.enums import Role
from staff.models.master import Master
from staff.models.member import StaffUser


class StaffAccessCode(models.Model):
    """A one-time code that makes its holder a staff member with a role and cities."""

    code = models.CharField(_("code"), max_length=16)
    role = PgEnumField(_("role"), enum_type="staff_role", choices=Role.choices)
    # the single city of older codes; new ones use `cities`
    city = models.ForeignKey(
        "geo.City",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        editable=False,
    )
    created_by_staff = models.ForeignKey(
        StaffUser,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="issued_codes",
        verbose_name=_("issued by"),
    )
    used_by_staff = models.ForeignKey(
        StaffUser,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="used_codes",
        verbose_name=_("used by"),
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    comment = models.TextField(_("comment"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    cities = models.ManyToManyField(
        "geo.City", through="StaffAccessCodeCity", related_name="+", blank=True, verbose_name=_("cities")
    )

    class Meta:
        db_table = "staff_access_codes"
        verbose_name, verbose_name_plural = _("access code"), _("access codes")
        constraints = [
            models.UniqueConstraint(fields=["code"], name="uq_staff_access_codes__code"),
            models.UniqueConstraint(
                fields=["code"],
                name="ix_staff_access_codes__code_available",
                condition=Q(used_by_staff__isnull=True, revoked_at__isnull=True),
            ),
            named_fk("staff_access_codes", "city_id", "cities", "SET NULL"),
            # the column was renamed once, the constraint never was
            named_fk(
                "staff_access_codes",
                "created_by_staff_id",
                "staff_users",
                "SET NULL",
                name="fk_staff_access_codes__issued_by_staff_id__staff_users",
            ),
            named_fk("staff_access_codes", "used_by_staff_id", "staff_users", "SET NULL"),
        ]

    def __str__(self) -> str:
        return self.code


class StaffAccessCodeCity(models.Model):
    """A city granted by an access code."""

    pk = models.CompositePrimaryKey("access_code_id", "city_id")
    access_code = models.ForeignKey(StaffAccessCode, models.CASCADE, db_index=False, db_constraint=False)
    city = models.ForeignKey("geo.City", models.CASCADE, db_index=False, db_constraint=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "staff_access_code_cities"
        indexes = [
            LongIndex(fields=["access_code"], name="ix_staff_code_cities__code"),
            LongIndex(fields=["city"], name="ix_staff_code_cities__city"),
        ]
        constraints = [
            named_fk("staff_access_code_cities", "access_code_id", "staff_access_codes", "CASCADE"),
            named_fk("staff_access_code_cities", "city_id", "cities", "CASCADE"),
        ]

    def __str__(self) -> str:
        return f"{self.access_code_id}:{self.city_id}"


class MasterInviteCode(models.Model):
    """A one-time code a newcomer starts the master bot's onboarding with."""

    code = models.CharField(_("code"), max_length=32)
    city = models.ForeignKey(
        "geo.City",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("city"),
    )
    issued_by_staff = models.ForeignKey(
        StaffUser,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="invites",
        verbose_name=_("issued by"),
    )
    used_by_master = models.ForeignKey(
        Master,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="invites",
        verbose_name=_("used by"),
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    is_revoked = models.BooleanField(_("revoked"), default=False, db_default=False)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    comment = models.CharField(_("comment"), max_length=255, null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True, db_default=Now())

    class Meta:
        db_table = "master_invite_codes"
        verbose_name, verbose_name_plural = _("invite code"), _("invite codes")
        constraints = [
            models.UniqueConstraint("code", name="ix_master_invite_codes__code"),
            models.UniqueConstraint(
                fields=["code"],
                name="ix_master_invite_codes__available",
                condition=Q(used_by_master__isnull=True, is_revoked=False, expires_at__isnull=True),
            ),
            named_fk("master_invite_codes", "city_id", "cities", "SET NULL"),
            named_fk("master_invite_codes", "issued_by_staff_id", "staff_users", "SET NULL"),
            named_fk("master_invite_codes", "used_by_master_id", "masters", "SET NULL"),
        ]

    def __str__(self) -> str:
        return self.code
