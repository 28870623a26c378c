"""Money in the web admin: what staff may do is decided by the services, not by the pages."""

from finance.admin import commissions, exports, journal, referrals, requisites

__all__ = ["commissions", "exports", "journal", "referrals", "requisites"]
