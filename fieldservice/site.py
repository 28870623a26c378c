"""The staff's desk: the admin site every app registers with."""

from __future__ import annotations

from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite


class FieldServiceSite(UnfoldAdminSite):
    site_title = "Field Service"
    site_header = "Field Service"
    index_title = _("Dispatch desk")
    index_template = "desk/dashboard.html"

    def extra_urls(self) -> list[URLPattern]:
        """The pages above single models; imported late, because they import the models."""
        from fieldservice.desk.urls import patterns  # noqa: PLC0415 - the registry of apps is not ready before

        return patterns(self.admin_view)
