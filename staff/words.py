"""Codes in words: what the audit log holds, as people read it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from fieldservice.runtime import registry
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
    "skills_set": gettext_lazy("skills set"),
    "districts_set": gettext_lazy("districts set"),
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
    "attachments_viewed": gettext_lazy("files of an order looked at"),
    "bootstrap_global_admin": gettext_lazy("first global admin"),
    "export_asked": gettext_lazy("export asked for"),
    "export_downloaded": gettext_lazy("export fetched"),
    "issue_access_code": gettext_lazy("access code issued"),
    "login_link_issued": gettext_lazy("login link asked for"),
    "login_link_used": gettext_lazy("signed in by a link"),
    "messages_sent_again": gettext_lazy("failed messages sent again"),
    "payout_created": gettext_lazy("payout made"),
    "payout_file": gettext_lazy("file of a payout fetched"),
    "requisites_broadcast": gettext_lazy("requisites sent to masters"),
    "requisites_published": gettext_lazy("requisites published"),
    "revoke_access_code": gettext_lazy("access code revoked"),
    "reward_canceled": gettext_lazy("reward canceled"),
    "staff_activated": gettext_lazy("staff member switched on"),
    "staff_deactivated": gettext_lazy("staff member switched off"),
    "staff_joined": gettext_lazy("joined by an access code"),
    "staff_role": gettext_lazy("role changed"),
}


#: columns and other names in an audit record
FIELDS = {
    "is_blocked": gettext_lazy("blocked"),
    "blocked_at": gettext_lazy("blocked at"),
    "blocked_reason": gettext_lazy("reason of the block"),
    "shift_status": gettext_lazy("shift"),
    "break_until": gettext_lazy("break until"),
    "moderation_status": gettext_lazy("moderation"),
    "moderation_reason": gettext_lazy("reason of the decision"),
    "max_active_orders_override": gettext_lazy("limit of orders"),
    "is_deleted": gettext_lazy("account closed"),
    "is_active": gettext_lazy("active"),
    "full_name": gettext_lazy("name"),
    "phone": gettext_lazy("phone"),
    "city": gettext_lazy("city"),
    "city_set": gettext_lazy("cities"),
    "district_set": gettext_lazy("districts"),
    "skill_set": gettext_lazy("skills"),
    "has_vehicle": gettext_lazy("vehicle"),
    "role": gettext_lazy("role"),
    "reason": gettext_lazy("reason"),
    "via": gettext_lazy("where"),
    "messages": gettext_lazy("messages"),
}


def field(name: str) -> str:
    """What a name in an audit record stands for; settings are called as their page calls them."""
    if name in registry.KEYS:
        return str(registry.KEYS[name].label)
    return str(FIELDS.get(name, name))


def action(code: str) -> str:
    """What a staff member did."""
    return str(ACTIONS.get(code, code))


def block_reason(code: str | None) -> str:
    """Why somebody is blocked; staff's own words are shown as they are."""
    return str(dict(BlockReason.choices).get(code or "", code or "—"))
