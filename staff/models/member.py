"""Staff members: the users of the web admin and the admin bot."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, PgEnumField, named_fk
from staff import access
from staff.enums import Role


class StaffManager(BaseUserManager["StaffUser"]):
    """Creates staff members. A role is always given; rights follow from it."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> StaffUser:
        """A saved member; without a password only a login link lets them in."""
        member = self.model(username=self.model.normalize_username(username), **fields)
        member.set_password(password)
        member.save(using=self._db)
        return member

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> StaffUser:
        """A GLOBAL_ADMIN (`manage.py createsuperuser`)."""
        return self.create_user(username, password, **{"role": Role.GLOBAL_ADMIN} | fields)


class StaffUser(AbstractBaseUser):
    """A person of the office. What they may do: `staff.access`; which cities they see: `staff.scope`."""

    password = models.CharField(  # a row that came without a password can be entered by nobody
        _("password"), max_length=128, default=UNUSABLE_PASSWORD_PREFIX, db_default=UNUSABLE_PASSWORD_PREFIX
    )
    tg_user_id = models.BigIntegerField(_("Telegram id"), null=True, blank=True)
    username = models.CharField(_("login"), max_length=64, null=True, blank=True)
    full_name = models.CharField(_("full name"), max_length=160, null=True, blank=True)
    phone = models.CharField(_("phone"), max_length=32, null=True, blank=True)
    role = PgEnumField(_("role"), enum_type="staff_role", choices=Role.choices)
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True, db_default=Now())
    commission_requisites = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    #: what this person chose last: filters of lists, the last search
    preferences = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    cities = models.ManyToManyField(
        "geo.City", through="StaffCity", related_name="staff", blank=True, verbose_name=_("cities")
    )

    objects = StaffManager()
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = []

    class Meta:
        db_table = "staff_users"
        verbose_name, verbose_name_plural = _("staff member"), _("staff members")
        constraints = [
            # the expression form gives a unique index, as in v1.2, and not a table constraint
            models.UniqueConstraint("tg_user_id", name="ix_staff_users__tg_user_id"),
            models.UniqueConstraint(fields=["username"], name="uq_staff_users__username"),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username or f"#{self.pk}"

    def get_full_name(self) -> str:
        return self.full_name or ""

    def get_short_name(self) -> str:
        return self.get_full_name().split(" ")[0] or self.username or ""

    @property
    def is_staff(self) -> bool:
        """Every active member may enter the web admin."""
        return self.is_active

    @property
    def is_superuser(self) -> bool:
        return self.is_active and self.role == Role.GLOBAL_ADMIN

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django's `app.verb_model`, answered by the one access matrix."""
        return self.is_active and access.allows(self.role, perm)

    def has_perms(self, perm_list: Any, obj: Any = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and access.sees_app(self.role, app_label)


class StaffCity(models.Model):
    """A city a CITY_ADMIN or LOGIST works with."""

    pk = models.CompositePrimaryKey("staff_user_id", "city_id")
    staff_user = models.ForeignKey(StaffUser, models.CASCADE, db_index=False, db_constraint=False)
    city = models.ForeignKey("geo.City", models.CASCADE, db_index=False, db_constraint=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "staff_cities"
        indexes = [
            LongIndex(fields=["staff_user"], name="ix_staff_cities__staff_user_id"),
            LongIndex(fields=["city"], name="ix_staff_cities__city_id"),
        ]
        constraints = [
            named_fk("staff_cities", "staff_user_id", "staff_users", "CASCADE"),
            named_fk("staff_cities", "city_id", "cities", "CASCADE"),
        ]

    def __str__(self) -> str:
        return f"{self.staff_user_id}:{self.city_id}"
