"""People: staff members, masters, what they may do and what they know."""

from staff.models.audit import AuditLog
from staff.models.codes import MasterInviteCode, StaffAccessCode, StaffAccessCodeCity
from staff.models.coverage import CoverageChange
from staff.models.draft import MasterDraft
from staff.models.master import Master, MasterDistrict, MasterSkill, Skill
from staff.models.member import StaffCity, StaffUser
from staff.models.session import StaffSession
from staff.models.shift import ShiftChange

__all__ = [
    "AuditLog",
    "CoverageChange",
    "Master",
    "MasterDistrict",
    "MasterDraft",
    "MasterInviteCode",
    "MasterSkill",
    "ShiftChange",
    "Skill",
    "StaffAccessCode",
    "StaffAccessCodeCity",
    "StaffCity",
    "StaffSession",
    "StaffUser",
]
