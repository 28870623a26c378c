"""How the web admin looks: Unfold's settings."""

from django.utils.translation import gettext_lazy as _

UNFOLD = {
    "SITE_TITLE": "Field Service",
    "SITE_HEADER": "Field Service",
    "SITE_SUBHEADER": _("Dispatch desk"),
    "SITE_SYMBOL": "handyman",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "SHOW_LANGUAGES": False,
    "SIDEBAR": {"show_search": True, "show_all_applications": False},
}
