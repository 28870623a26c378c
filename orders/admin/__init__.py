"""Orders in the web admin."""

from orders.admin import order, trace

__all__ = ["order", "trace"]
