"""The staff's desk: the admin site every app registers with."""

from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite


class FieldServiceSite(UnfoldAdminSite):
    site_title = "Field Service"
    site_header = "Field Service"
    index_title = _("Dispatch desk")
