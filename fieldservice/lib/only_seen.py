"""Admin pages that write nothing."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


class OnlySeen:
    """For a ModelAdmin whose rows come from services or programs: people look at them."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The keys of some are texts; PostgreSQL holds none with NUL."""
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)  # type: ignore[misc]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
