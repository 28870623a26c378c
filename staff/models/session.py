"""Sessions of the web admin, each with its member."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, named_fk
from staff.models.member import StaffUser

#: what stands in a browser's own name → what people call it; the first that fits
BROWSERS = (("YaBrowser", "Yandex"), ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
            ("Safari", "Safari"))  # fmt: skip
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
           ("Mac OS X", "macOS"), ("Linux", "Linux"))  # fmt: skip


class StaffSession(AbstractBaseSession):
    """One browser of a member; without a member before the login."""

    expire_date = models.DateTimeField(_("ends"))
    member = models.ForeignKey(
        StaffUser, models.CASCADE, null=True, blank=True, db_index=False, db_constraint=False, related_name="+",
        verbose_name=_("staff member"),
    )  # fmt: skip
    ip = models.CharField(_("address"), max_length=45, blank=True, default="", db_default="")
    agent = models.CharField(_("browser"), max_length=200, blank=True, default="", db_default="")
    created_at = models.DateTimeField(_("began"), db_default=Now(), editable=False)
    seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)

    class Meta:
        db_table = "staff_sessions"
        verbose_name, verbose_name_plural = _("session"), _("sessions")
        indexes = [
            LongIndex(fields=["member"], name="ix_staff_sessions__member"),
            LongIndex(fields=["expire_date"], name="ix_staff_sessions__expire_date"),
        ]
        constraints = [named_fk("staff_sessions", "member_id", "staff_users", "CASCADE")]

    @property
    def browser(self) -> str:
        """`Chrome, Linux`; what no list knows is shown as it came."""
        found = [next((name for mark, name in marks if mark in self.agent), "") for marks in (BROWSERS, SYSTEMS)]
        return ", ".join(filter(None, found)) or self.agent[:60]

    @classmethod
    def get_session_store_class(cls) -> Any:
        return import_module(settings.SESSION_ENGINE).SessionStore
