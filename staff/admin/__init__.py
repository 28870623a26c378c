"""People in the web admin."""

from staff.admin import codes, masters, members

__all__ = ["codes", "masters", "members"]
