"""Commissions, requisites, referrals, the journal of all of them, exports."""

from finance.models.commission import Commission, CommissionDeadlineNotification
from finance.models.export import Export
from finance.models.journal import JournalEntry
from finance.models.referral import Payout, Referral, ReferralReward
from finance.models.requisites import OwnerRequisites

__all__ = [
    "Commission",
    "CommissionDeadlineNotification",
    "Export",
    "JournalEntry",
    "OwnerRequisites",
    "Payout",
    "Referral",
    "ReferralReward",
]
