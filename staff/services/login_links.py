"""A link that signs a staff member in to the web admin: sixty seconds, once. Asked for in the admin bot (spec §10)."""

from __future__ import annotations

import hashlib
import secrets

from django.core.cache import cache
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import NotFoundError
from staff.models import StaffUser
from staff.services.moderation import audit

LIFE = 60


def issue(*, member: StaffUser) -> str:
    """A token. Only its hash is kept: what lies in the cache opens nothing."""
    token = secrets.token_urlsafe(32)
    cache.set(_key(token), member.pk, timeout=LIFE)
    audit("login_link_issued", actor=Actor.of_staff(member, via="bot"))
    return token


def owner(token: str) -> StaffUser | None:
    """Whose link this is, while it is good; it stays good."""
    member_id = cache.get(_key(token))
    return StaffUser.objects.filter(pk=member_id, is_active=True).first() if member_id else None


def redeem(token: str) -> StaffUser:
    """The member, and the link is spent. Raises NotFoundError: too late, or used already.

    Of two who come at once the cache lets one delete the key.
    """
    member = owner(token)
    if member is None or not cache.delete(_key(token)):
        raise NotFoundError(_("This link is no longer good: ask the bot for a new one."))
    audit("login_link_used", actor=Actor.of_staff(member, via="web"))
    return member


def _key(token: str) -> str:
    return f"staff:login:{hashlib.sha256(token.encode()).hexdigest()}"
