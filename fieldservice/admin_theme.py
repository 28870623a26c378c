"""How the web admin looks: Unfold's settings, the sidebar in the order of a working day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _sees(model: str) -> Callable[[HttpRequest], bool]:
    app, name = model.split(".")
    return lambda request: bool(request.user.has_perm(f"{app}.view_{name}"))


def _item(title: Any, icon: str, model: str) -> dict[str, Any]:
    link = reverse_lazy("admin:{}_{}_changelist".format(*model.split(".")))
    return {"title": title, "icon": icon, "link": link, "permission": _sees(model)}


def _group(title: Any, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": True, "items": list(items)}


def _page(title: Any, icon: str, name: str, perm: str = "") -> dict[str, Any]:
    item = {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{name}")}
    return item | ({"permission": lambda request: request.user.has_perm(perm)} if perm else {})


NAVIGATION = [
    _group(
        _("Desk"),
        _page(_("Today"), "dashboard", "index"),
        _page(_("Board"), "view_kanban", "desk_board"),
        _page(_("Calendar"), "calendar_month", "desk_calendar"),
        _page(_("Map"), "map", "desk_map"),
        _page(_("Masters at work"), "groups", "desk_crew"),
    ),
    _group(
        _("Dispatch"),
        _item(_("Orders"), "assignment", "orders.order"),
        _item(_("Offers"), "notifications_active", "orders.offer"),
        _item(_("Decision log"), "psychology", "orders.dispatchdecision"),
        _item(_("Order history"), "history", "orders.orderstatushistory"),
        _item(_("Assignments"), "speed", "orders.distributionmetric"),
    ),
    _group(
        _("Masters"),
        _item(_("Masters"), "engineering", "staff.master"),
        _page(_("Applications"), "how_to_reg", "desk_queue", "staff.view_masterinvitecode"),
        _item(_("Skills"), "construction", "staff.skill"),
        _item(_("Invite codes"), "key", "staff.masterinvitecode"),
    ),
    _group(
        _("Money"),
        _item(_("Commissions"), "payments", "finance.commission"),
        _item(_("Rewards"), "redeem", "finance.referralreward"),
        _item(_("Payouts"), "outbound", "finance.payout"),
        _item(_("Referrals"), "group_add", "finance.referral"),
        _item(_("Exports"), "download", "finance.export"),
        _item(_("Requisites"), "account_balance", "finance.ownerrequisites"),
        _item(_("Money journal"), "menu_book", "finance.journalentry"),
    ),
    _group(
        _("Places"),
        _item(_("Cities"), "location_city", "geo.city"),
        _item(_("Districts"), "grid_view", "geo.district"),
        _item(_("Streets"), "signpost", "geo.street"),
        _item(_("Cached addresses"), "pin_drop", "geo.geocache"),
        _item(_("Use of the geocoder"), "speed", "geo.geocoderusage"),
    ),
    _group(
        _("System"),
        _item(_("Staff members"), "badge", "staff.staffuser"),
        _item(_("Access codes"), "vpn_key", "staff.staffaccesscode"),
        _item(_("Settings"), "tune", "runtime.setting"),
        _item(_("Outbox"), "outgoing_mail", "outbox.notification"),
        _page(_("Health"), "monitor_heart", "desk_health", "runtime.view_heartbeat"),
        _item(_("Attachments"), "attach_file", "orders.attachment"),
        _item(_("Deadline reminders"), "alarm", "finance.commissiondeadlinenotification"),
        _item(_("Audit log"), "policy", "staff.auditlog"),
    ),
]

UNFOLD = {
    "SITE_TITLE": "Field Service",
    "SITE_URL": None,  # "/" is the admin itself: a link to it from the login page would lead nowhere
    "SITE_HEADER": "Field Service",
    "SITE_SUBHEADER": _("Dispatch desk"),
    "SITE_SYMBOL": "handyman",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("favicon.svg")},
    ],
    "STYLES": [lambda request: static("desk/desk.css")],
    "SCRIPTS": [lambda request: static("desk/desk.js")],
    "DASHBOARD_CALLBACK": "fieldservice.desk.views.dashboard_page",
    "ACCOUNT": {
        "navigation": [{"title": _("Safety and sessions"), "link": reverse_lazy("admin:account")}],
    },
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "COLORS": {  # a calm blue: the desk is looked at all day
        "primary": {
            "50": "239 246 255",
            "100": "219 234 254",
            "200": "191 219 254",
            "300": "147 197 253",
            "400": "96 165 250",
            "500": "59 130 246",
            "600": "37 99 235",
            "700": "29 78 216",
            "800": "30 64 175",
            "900": "30 58 138",
            "950": "23 37 84",
        }
    },
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": NAVIGATION},
}
