"""The door to the web admin: a link for a minute."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from bots.admin.menu import menu_button
from bots.buttons import tap
from bots.callbacks import on
from bots.screens import Button, page
from bots.visit import Reply, Visit
from fieldservice.lib.errors import ConflictError
from fieldservice.runtime import registry
from staff.services import login_links


@on("adm:web")
def link(visit: Visit) -> Reply:
    """A new link: sixty seconds, once."""
    try:
        token = login_links.issue(member=visit.member)
    except (RedisError, OSError) as error:
        raise ConflictError(_("The link cannot be made now: try again in a minute, please.")) from error
    address = registry.get("web_url").rstrip("/") + reverse("login_link", args=[token])
    # Telegram takes only real addresses for buttons, not those of one's own machine
    open_ = Button(_("🖥 Open"), url=address) if address.startswith("https://") else Button(_("📋 Link"), copy=address)
    rows = [[open_, tap(_("🔄 New link"), "adm:web")], [menu_button()]]
    return Reply(page("admin/web.html", rows, address=address, seconds=login_links.LIFE))
