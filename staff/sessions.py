"""SESSION_ENGINE: Django's database sessions that also know whose they are, from where, and since when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import QuerySet
from django.utils import timezone

from fieldservice.lib.actor import Actor
from staff.models import StaffUser
from staff.models.session import StaffSession
from staff.services.moderation import audit

#: keys inside the session
IP, AGENT, SEEN, BEGAN = "_ip", "_agent", "_seen", "_began"


class SessionStore(DatabaseStore):
    """Writes who, where and when into columns, where they can be asked for."""

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        return StaffSession

    def create_model_instance(self, data: dict[str, Any]) -> StaffSession:
        row: Any = super().create_model_instance(data)
        member = data.get("_auth_user_id")
        row.member_id = int(member) if member else None
        row.ip, row.agent = data.get(IP, ""), data.get(AGENT, "")
        row.seen_at = datetime.fromtimestamp(data[SEEN], UTC) if SEEN in data else None
        row.created_at = datetime.fromtimestamp(data[BEGAN], UTC) if BEGAN in data else timezone.now()
        made: StaffSession = row
        return made


def of(member: StaffUser) -> QuerySet[StaffSession]:
    """The member's sessions that are still good, the last used first."""
    rows = StaffSession.objects.filter(member=member, expire_date__gt=timezone.now())
    return rows.order_by("-seen_at", "-created_at")


def end(member: StaffUser, *, actor: Actor, key: str = "", but: str = "") -> int:
    """End one session of the member (`key`), or all `but` one; returns how many."""
    rows = StaffSession.objects.filter(member=member)
    rows = rows.filter(session_key=key) if key else rows.exclude(session_key=but)
    count = rows.delete()[0]
    if count:
        audit("session_ended", actor=actor, member_id=member.pk, count=count)
    return count
