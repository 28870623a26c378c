"""The staff's desk: the admin site every app registers with."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.urls import URLPattern, path
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
        from staff import account_pages as pages  # noqa: PLC0415

        # signed in, though not verified yet: `staff.second_factor` lets these through
        signed_in = login_required
        return [
            path("two-factor/", signed_in(pages.two_factor), name="two_factor"),
            path("two-factor/setup/", signed_in(pages.setup), name="two_factor_setup"),
            path("account/", self.admin_view(pages.account), name="account"),
            path("account/<int:pk>/", self.admin_view(pages.account), name="account_of"),
            *patterns(self.admin_view),
        ]

    def has_permission(self, request: HttpRequest) -> bool:
        """An active member whose session has the second factor it needs."""
        return super().has_permission(request) and not self._wants_more(request)

    def _wants_more(self, request: HttpRequest) -> bool:
        from staff.second_factor import wanted_page  # noqa: PLC0415 - as above

        return bool(wanted_page(request))
