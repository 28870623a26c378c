"""People in the web admin."""

from staff.admin import codes, masters, members, places

__all__ = ["codes", "masters", "members", "places"]
