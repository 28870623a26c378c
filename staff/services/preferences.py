"""What a staff member chose last, kept for the next time."""

from __future__ import annotations

from typing import Any

from staff.models import StaffUser


def get(member: StaffUser, key: str) -> dict[str, Any]:
    """What was remembered under `key`; empty when nothing was."""
    kept = member.preferences.get(key) if isinstance(member.preferences, dict) else None
    return dict(kept) if isinstance(kept, dict) else {}


def remember(member: StaffUser, key: str, value: dict[str, Any]) -> None:
    """Keep `value` (JSON) under `key`; an empty one is forgotten."""
    kept = dict(member.preferences) if isinstance(member.preferences, dict) else {}
    kept.pop(key, None)
    member.preferences = kept | ({key: value} if value else {})
    member.save(update_fields=["preferences"])
