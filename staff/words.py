"""Codes in words: what the audit log holds, as people read it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from staff.enums import BlockReason

ACTIONS = {
    "approve_master": gettext_lazy("master approved"),
    "reject_master": gettext_lazy("application rejected"),
    "block_master": gettext_lazy("master blocked"),
    "unblock_master": gettext_lazy("master unblocked"),
    "limit_master": gettext_lazy("limit of orders set"),
    "delete_master": gettext_lazy("account closed"),
    "grant_skills": gettext_lazy("skills given"),
    "refuse_skills": gettext_lazy("skills refused"),
    "master_changed": gettext_lazy("master corrected"),
    "skill_changed": gettext_lazy("skill changed"),
    "skill_added": gettext_lazy("skill added"),
    "staff_created": gettext_lazy("staff member added"),
    "staff_changed": gettext_lazy("staff member changed"),
    "issue_invite": gettext_lazy("invite code issued"),
    "revoke_invite": gettext_lazy("invite code revoked"),
    "places_imported": gettext_lazy("places imported"),
    "document_viewed": gettext_lazy("document looked at"),
    "documents_viewed": gettext_lazy("documents looked at"),
    "setting_changed": gettext_lazy("setting changed"),
    "session_ended": gettext_lazy("session ended"),
    "two_factor_on": gettext_lazy("second factor switched on"),
    "two_factor_off": gettext_lazy("second factor switched off"),
    "city_changed": gettext_lazy("city changed"),
    "district_changed": gettext_lazy("district changed"),
    "street_changed": gettext_lazy("street changed"),
    "city_added": gettext_lazy("city added"),
    "district_added": gettext_lazy("district added"),
    "street_added": gettext_lazy("street added"),
}


def action(code: str) -> str:
    """What a staff member did."""
    return str(ACTIONS.get(code, code))


def block_reason(code: str | None) -> str:
    """Why somebody is blocked; staff's own words are shown as they are."""
    return str(dict(BlockReason.choices).get(code or "", code or "—"))
