"""Orders in the web admin."""

from orders.admin import order, skills, trace

__all__ = ["order", "skills", "trace"]
